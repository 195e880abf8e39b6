//! A text in both languages through a reader of TOML or JSON. Such a reader hands on one text for what a value
//! says of itself, perhaps with more around it: both languages go through it between marks.

use std::fmt;
use std::str::FromStr;

use serde::de::Error;
use tongban_api::Said;
use tongban_types::MalformedId;

/// Before the Chinese. Neither format lets control characters stand as they are.
const BEGIN: char = '\u{2}';

/// Between the Chinese and the English.
const BETWEEN: char = '\u{1f}';

/// After the English.
const END: char = '\u{3}';

/// Both languages in one text.
struct Marked<'s>(&'s Said);

impl fmt::Display for Marked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Said { zh, en } = self.0;
        write!(f, "{BEGIN}{zh}{BETWEEN}{en}{END}")
    }
}

/// What a value is refused with while it is read.
pub(crate) fn refusal<E: Error>(says: &Said) -> E {
    E::custom(Marked(says))
}

/// What a text identifies; where it is malformed, it is refused with the rule it breaks.
pub(crate) fn parsed<T, E>(text: &str) -> Result<T, E>
where
    T: FromStr<Err = MalformedId>,
    E: Error,
{
    text.parse::<T>()
        .map_err(|malformed| refusal(&Said::of_identifier(&malformed)))
}

/// What was handed on, in both languages if it is marked so; what stands around it is the reader's.
pub(crate) fn unmarked(text: &str) -> Option<Said> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (zh, rest) = rest.split_once(BETWEEN)?;
    let (en, after) = rest.split_once(END)?;
    let around = |said: &str| format!("{before}{said}{after}");
    Some(Said::new(around(zh), around(en)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_through_a_reader_comes_out_in_both_languages_with_what_stands_around_it() {
        let said = Said::new("写错了", "it is wrong");
        let text = format!("{} at line 3", Marked(&said));
        let told = Said::new("写错了 at line 3", "it is wrong at line 3");
        assert_eq!(unmarked(&text), Some(told));
        assert_eq!(unmarked("missing field `node`"), None);
    }
}
