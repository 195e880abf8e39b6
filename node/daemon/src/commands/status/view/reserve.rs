//! What is left of the voters that the city's own group may lose.

use serde_json::Value;

use super::{Status, text};
use crate::commands::own_group::own_group;
use crate::output::Reader;

/// How much of it is left while the group decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reserve {
    /// Every voter is in touch.
    Whole,
    /// A voter is away, and another may still go.
    Reduced,
    /// Once another voter goes, the group decides nothing.
    Spent,
}

impl Reserve {
    /// What is said of one that is not whole.
    pub(super) fn said(self, reader: Reader) -> Option<&'static str> {
        match self {
            Self::Whole => None,
            Self::Reduced => Some(reader.say("余量减少", "less reserve")),
            Self::Spent => Some(reader.say("没有余量", "no reserve")),
        }
    }
}

impl Status {
    /// Of the own group; one of a single voter has no reserve to lose. Whoever leads hears every voter. Any other
    /// node has links to those alone that it wanted something of, and knows of one away once it dialed it in vain.
    pub(super) fn reserve(&self) -> Reserve {
        let Some(own) = own_group(&self.answer) else {
            return Reserve::Whole;
        };
        let voters = own["voters"].as_array().map(Vec::as_slice);
        let voters = voters.unwrap_or_default();
        let is_lost = |voter: &Value| self.unreached.iter().any(|node| node == voter);
        if own["leader"] != self.answer["node"] && !voters.iter().any(is_lost) {
            return Reserve::Whole;
        }
        let voters = voters.len() as u64;
        let count = |name: &str| own[name].as_u64().unwrap_or(0);
        if voters > 1 && count("can_lose") == 0 {
            Reserve::Spent
        } else if count("voters_in_touch") < voters {
            Reserve::Reduced
        } else {
            Reserve::Whole
        }
    }

    /// The command that looks at the voter that is away, or at all of them where each is connected.
    pub(super) fn look_at_voters(&self) -> String {
        let own = own_group(&self.answer);
        let voters = own.and_then(|own| own["voters"].as_array());
        let mut voters = voters.into_iter().flatten().map(text);
        match voters.find(|voter| !self.is_in_touch(voter)) {
            Some(away) => format!("tongban peer ping {away}"),
            None => "tongban group status".to_owned(),
        }
    }
}
