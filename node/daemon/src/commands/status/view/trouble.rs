//! What may be wrong with a node or a group, in both languages, and with the code that explains it.

use serde_json::Value;
use tongban_types::Code;

use crate::output::Reader;

/// What is wrong with a node or a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    Failed,
    Diverged,
    Stopped,
    Evidence,
    NoQuorum,
    NoGroup,
    DeskRefused,
}

impl Trouble {
    const fn zh(self) -> &'static str {
        match self {
            Self::Failed => "节点故障",
            Self::Diverged => "与多数副本状态不一致, 已停止",
            Self::Stopped => "已停止",
            Self::Evidence => "留有两份不同报文的证据",
            Self::NoQuorum => "没有主副本或多数",
            Self::NoGroup => "没有本市的审批组",
            Self::DeskRefused => "有收件被审批组拒绝",
        }
    }

    const fn en(self) -> &'static str {
        match self {
            Self::Failed => "the node has failed",
            Self::Diverged => "differs from the majority, stopped",
            Self::Stopped => "stopped",
            Self::Evidence => "evidence of two different packets is kept",
            Self::NoQuorum => "no leader or majority",
            Self::NoGroup => "the city's group is not here",
            Self::DeskRefused => "the group refuses what was taken in",
        }
    }

    pub(super) fn said(self, reader: Reader) -> &'static str {
        reader.say(self.zh(), self.en())
    }

    pub(super) const fn code(self) -> Code {
        match self {
            Self::Failed => Code::NODE_FAILED,
            Self::Diverged | Self::Stopped => Code::GROUP_STOPPED,
            Self::Evidence => Code::EQUIVOCATION,
            Self::NoQuorum => Code::NO_QUORUM,
            Self::NoGroup => Code::NOT_HOSTED,
            Self::DeskRefused => Code::DESK_REFUSED,
        }
    }
}

pub(super) fn troubles_of(group: &Value) -> Vec<Trouble> {
    let mut troubles = Vec::new();
    if group["diverged"] == true {
        troubles.push(Trouble::Diverged);
    } else if group["stopped"] == true {
        troubles.push(Trouble::Stopped);
    } else if group["has_quorum"] != true {
        troubles.push(Trouble::NoQuorum);
    }
    if group["evidence"].as_u64().is_some_and(|proofs| proofs > 0) {
        troubles.push(Trouble::Evidence);
    }
    troubles
}
