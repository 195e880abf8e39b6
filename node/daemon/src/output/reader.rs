//! Whoever reads an answer at a terminal or in a file: their language, and whether colours help.

use std::io::IsTerminal as _;

use super::Language;
use super::table::Table;

/// A person who reads.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reader {
    language: Language,
    colours: bool,
}

/// How a finding is marked: by a sign, and by a colour where there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// As it should be.
    Good,
    /// To be looked at.
    Warning,
    /// Not as it should be.
    Bad,
}

impl Reader {
    /// Of stdout: colours only at a terminal, and not where they are not wanted
    /// (<https://no-color.org>).
    pub(crate) fn of_stdout(language: Language, no_color: bool) -> Self {
        let unwanted = no_color
            || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            language,
            colours: !unwanted && std::io::stdout().is_terminal(),
        }
    }

    /// Somebody who reads that language, without colours.
    #[cfg(test)]
    pub(crate) const fn plain(language: Language) -> Self {
        Self {
            language,
            colours: false,
        }
    }

    /// The same in one language or the other.
    pub(crate) fn say<T>(self, zh: T, en: T) -> T {
        match self.language {
            Language::Zh => zh,
            Language::En => en,
        }
    }

    /// A text, coloured by what it means.
    pub(crate) fn paint(self, mark: Mark, text: &str) -> String {
        let code = match mark {
            Mark::Good => "32",
            Mark::Warning => "33",
            Mark::Bad => "31",
        };
        if self.colours {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    /// The line that says which command comes next.
    pub(crate) fn next(self, command: &str) -> String {
        format!("{}: {command}", self.say("下一步", "next"))
    }

    /// An empty table with these columns, named in both languages.
    pub(crate) fn table(self, columns: &[(&str, &str)]) -> Table {
        Table::with(columns.iter().map(|(zh, en)| self.say(*zh, *en)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_coloured_only_where_colours_help() {
        let plain = Reader::plain(Language::En);
        assert_eq!(plain.paint(Mark::Bad, "no"), "no");
        let coloured = Reader {
            colours: true,
            ..plain
        };
        assert_eq!(coloured.paint(Mark::Bad, "no"), "\u{1b}[31mno\u{1b}[0m");
        assert_eq!(plain.next("tongban up"), "next: tongban up");
    }
}
