//! What a verification found: an indication in the words of ETSI EN 319 102-1, and every check with
//! what it checked. Unknown is never collapsed into invalid.

use std::collections::BTreeMap;

use serde::Serialize;
use tongban_types::{CityCode, Code, Timestamp};

use crate::json::Json;

/// The verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Indication {
    /// Valid.
    TotalPassed,
    /// Invalid.
    TotalFailed,
    /// Cannot be decided with what is at hand.
    Indeterminate,
}

/// Why the verdict is not *valid*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SubIndication {
    /// Not of the form of a document.
    FormatFailure,
    /// A disclosure is not one the issuer signed.
    HashFailure,
    /// The signature does not verify, or not by a key of the issuer named.
    SigCryptoFailure,
    /// Past its end, or signed after the end of its key.
    Expired,
    /// Before its beginning, or signed before the beginning of its key.
    NotYetValid,
    /// The registry knows no such issuer key.
    NoSigningCertificateFound,
    /// The registry knows no such issuer.
    NoCertificateChainFound,
    /// It asks for checks this verifier does not know.
    SigConstraintsFailure,
    /// The key has ended and nothing proves the document is older.
    OutOfBoundsNoPoe,
    /// The registry at hand is too old.
    TryLater,
}

/// Which check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckId {
    /// The parts are there, in the one encoding.
    Format,
    /// The header is exactly `alg`, `typ`, `kid`.
    Header,
    /// The key is an issuer key of the registry.
    IssuerKey,
    /// The signature verifies.
    Signature,
    /// The open claims are there and well formed.
    Claims,
    /// The issuer named is the city that holds the key.
    Issuer,
    /// Every disclosure is one the issuer signed.
    Disclosures,
    /// Nothing asks for checks this verifier does not know.
    Profile,
    /// The time lies within the document's.
    Validity,
    /// It was signed in the time of the key, and the key stands.
    KeyValidity,
    /// The registry is not expired.
    Registry,
    /// It stands in the issuer's log.
    Logged,
}

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckResult {
    /// It holds.
    Passed,
    /// It does not hold.
    Failed,
    /// It cannot be decided.
    Undecided,
    /// An earlier check stopped the verification.
    NotReached,
    /// Said for information; does not bear on the verdict.
    Noted,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Which.
    pub id: CheckId,
    /// What it found.
    pub result: CheckResult,
    /// What was compared, in English.
    pub detail: String,
    /// The same in Chinese.
    pub detail_zh: String,
}

/// The issuer as the registry names it, never as the document does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Issuer {
    /// The city.
    pub city: CityCode,
    /// Its name in the registry.
    pub name: String,
}

/// The outcome of a verification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The verdict.
    pub indication: Indication,
    /// Why it is not *valid*; the first reason found.
    pub sub_indication: Option<SubIndication>,
    /// The time the verdict is for.
    pub as_of: Timestamp,
    /// The version of the registry used.
    pub registry_version: u64,
    /// Who issued it; known once the signature verified.
    pub issuer: Option<Issuer>,
    /// Every check, in the order they are made.
    pub checks: Vec<Check>,
    /// What the issuer signed and the holder disclosed; empty unless signature and disclosures
    /// verified, so that nothing forged is ever shown.
    pub claims: BTreeMap<String, Json>,
}

impl Report {
    /// Whether the document is valid.
    pub fn is_valid(&self) -> bool {
        self.indication == Indication::TotalPassed
    }

    /// What a check found.
    pub fn result_of(&self, id: CheckId) -> Option<CheckResult> {
        self.checks
            .iter()
            .find(|check| check.id == id)
            .map(|check| check.result)
    }

    /// The code `explain` describes; none for a valid document.
    pub fn code(&self) -> Option<Code> {
        match self.indication {
            Indication::TotalPassed => None,
            Indication::TotalFailed => Some(Code::DOCUMENT_INVALID),
            Indication::Indeterminate => Some(Code::DOCUMENT_INDETERMINATE),
        }
    }
}

impl CheckId {
    /// All checks, in the order they are made.
    pub const ALL: [Self; 12] = [
        Self::Format,
        Self::Header,
        Self::IssuerKey,
        Self::Signature,
        Self::Claims,
        Self::Issuer,
        Self::Disclosures,
        Self::Profile,
        Self::Validity,
        Self::KeyValidity,
        Self::Registry,
        Self::Logged,
    ];

    /// What it checks, in Chinese.
    pub const fn title_zh(self) -> &'static str {
        match self {
            Self::Format => "格式完整",
            Self::Header => "签名头合规",
            Self::IssuerKey => "签发密钥在册",
            Self::Signature => "内容未被改动",
            Self::Claims => "必备内容齐全",
            Self::Issuer => "签发城市与密钥相符",
            Self::Disclosures => "出示内容与签名一致",
            Self::Profile => "没有本程序不能核验的要求",
            Self::Validity => "在有效期内",
            Self::KeyValidity => "密钥在有效期内",
            Self::Registry => "名册未过期",
            Self::Logged => "已入日志",
        }
    }

    /// What it checks, in English.
    pub const fn title_en(self) -> &'static str {
        match self {
            Self::Format => "form is whole",
            Self::Header => "header is as allowed",
            Self::IssuerKey => "issuer key is in the registry",
            Self::Signature => "content is unaltered",
            Self::Claims => "required claims are there",
            Self::Issuer => "issuer holds the key",
            Self::Disclosures => "what is shown was signed",
            Self::Profile => "asks for nothing unknown here",
            Self::Validity => "within its time",
            Self::KeyValidity => "key within its time",
            Self::Registry => "registry is not expired",
            Self::Logged => "in the log",
        }
    }
}
