//! The same said twice, in Chinese and in English. What a person reads is made of this, so that nobody says
//! it in one of the two alone.

// Found there also by who takes this file in by its path.
#[path = "said/strict_json.rs"]
mod strict_json;

use tongban_types::MalformedId;

/// What is said, in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl Said {
    /// Says it in Chinese and in English.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            zh: zh.into(),
            en: en.into(),
        }
    }

    /// What is alike in both: a path, a number, or what the system said.
    pub fn alike(text: impl Into<String>) -> Self {
        let text = text.into();
        Self::new(text.clone(), text)
    }

    /// Which identifier breaks which rule, in a sentence; not what was given.
    pub fn of_identifier(malformed: &MalformedId) -> Self {
        Self::new(
            format!("{}不合规则: {}", malformed.what_zh, malformed.rule_zh),
            format!(
                "The {} is not well formed: {}.",
                malformed.what, malformed.rule
            ),
        )
    }
}

impl From<MalformedId> for Said {
    /// The rule that an identifier breaks, said of its place; not what was given.
    fn from(malformed: MalformedId) -> Self {
        Self::new(
            format!("不合规则: {}", malformed.rule_zh),
            format!("is not well formed: {}", malformed.rule),
        )
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::Said;

    /// Claims that both are there, and each in its language.
    pub(crate) fn assert_said(said: &Said) {
        assert!(said.zh.contains(is_han), "{said:?}");
        assert!(!said.en.is_empty() && said.en.is_ascii(), "{said:?}");
    }

    /// Whether it is a letter of Chinese.
    pub(crate) fn is_han(letter: char) -> bool {
        ('\u{4e00}'..='\u{9fff}').contains(&letter)
    }
}
