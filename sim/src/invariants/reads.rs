//! A read that waited for its group sees everything acknowledged before it was asked for.

use tongban_types::{CaseNumber, CaseVersion};

use super::Violation;

const NAME: &str = "reads see what was acknowledged";

/// What somebody was told before the read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// The case.
    pub case: CaseNumber,
    /// The version it had come to; `None` where it was only stored at the desk.
    pub version: Option<CaseVersion>,
}

/// What the read showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// No such case.
    Nothing,
    /// Stored at the desk.
    AtTheDesk,
    /// In the group, at a version.
    At(CaseVersion),
}

/// Judges one case of a read.
pub fn check(told: Told, shown: Shown) -> Result<(), Violation> {
    let is_there = match (told.version, shown) {
        (_, Shown::Nothing) | (Some(_), Shown::AtTheDesk) => false,
        (None, Shown::AtTheDesk | Shown::At(_)) => true,
        (Some(told), Shown::At(shown)) => shown >= told,
    };
    if is_there {
        return Ok(());
    }
    let what = format!("{}: told {:?}, shown {shown:?}", told.case, told.version);
    Err(Violation::new(NAME, what))
}
