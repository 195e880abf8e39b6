//! What is done to a case that is there, and how it stands behind that.

use tongban_types::{Attachment, CaseNumber, CaseState, CaseVersion, Decision};

/// What a person does to a case.
#[derive(Clone)]
pub enum Act {
    /// 转送.
    Transfer,
    /// 一次性告知, with everything that must be corrected.
    AskCorrection {
        /// The notice.
        notice: String,
    },
    /// 补正, with the corrected form, checked against its schema.
    Correct {
        /// JSON text.
        form: Vec<u8>,
        /// The files of the case from now on; those it has when left out.
        attachments: Option<Vec<Attachment>>,
    },
    /// 受理.
    Accept,
    /// 不予受理.
    RefuseToAccept {
        /// Why.
        reason: String,
    },
    /// 审.
    Review {
        /// What is recommended.
        recommend: Decision,
        /// Why.
        opinion: String,
    },
    /// 核.
    Decide {
        /// What is decided.
        decision: Decision,
        /// Why; required to refuse.
        reason: Option<String>,
    },
    /// 送达.
    Deliver,
    /// 撤回.
    Withdraw {
        /// Why.
        reason: String,
    },
}

impl Act {
    /// Its name in addresses and logs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Transfer => "transfer",
            Self::AskCorrection { .. } => "ask-correction",
            Self::Correct { .. } => "correct",
            Self::Accept => "accept",
            Self::RefuseToAccept { .. } => "refuse-to-accept",
            Self::Review { .. } => "review",
            Self::Decide { .. } => "decide",
            Self::Deliver => "deliver",
            Self::Withdraw { .. } => "withdraw",
        }
    }
}

impl std::fmt::Debug for Act {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Its words may be about a person.
        f.write_str(self.name())
    }
}

/// How a case stands after an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acted {
    /// The case.
    pub case: CaseNumber,
    /// Its version in this city's group.
    pub version: CaseVersion,
    /// Its state in this city's group.
    pub state: CaseState,
    /// The same request was answered before.
    pub repeated: bool,
}
