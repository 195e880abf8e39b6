//! What a word of a command was to be and is not, in both languages: the error of whatever reads such words.

use thiserror::Error;
use tongban_api::Said;

/// A word that is not what it is read as. Who does not ask for a language gets the Chinese.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{}", says.zh)]
pub(crate) struct Misread {
    /// What it has to be.
    pub(crate) says: Said,
}

impl Misread {
    /// Says in both languages what it has to be.
    pub(crate) fn new(zh: &str, en: &str) -> Self {
        Self {
            says: Said::new(zh, en),
        }
    }
}
