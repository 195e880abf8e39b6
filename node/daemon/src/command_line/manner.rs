//! What every command understands: the form and the language of its answers. Words that are no command are
//! answered as they ask for too, as far as that can be told.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Args, ValueEnum as _};

use crate::output::{Format, Language, Output, Reader};

/// Where the language is taken from that nobody typed.
const LANGUAGE_VARIABLE: &str = "TONGBAN_LANG";

/// How every command answers.
#[derive(Debug, Args)]
#[command(next_help_heading = "答复 / Answers")]
pub(super) struct Manner {
    /// 答复的格式 (form of the answer)
    #[arg(
        short = 'o',
        long = "output",
        global = true,
        value_name = "FORMAT",
        value_enum
    )]
    output_format: Option<Format>,
    /// 即 -o json (the same as -o json)
    #[arg(long, global = true, conflicts_with = "output_format")]
    json: bool,
    /// 只说答复和错误 (say nothing but answers and errors)
    #[arg(short, long, global = true)]
    quiet: bool,
    /// 不用颜色, 也可设 `NO_COLOR` (no colours; `NO_COLOR` does the same)
    #[arg(long, global = true)]
    no_color: bool,
    /// 语言 (language)
    #[arg(
        long,
        global = true,
        value_enum,
        env = LANGUAGE_VARIABLE,
        default_value = "zh"
    )]
    lang: Language,
    /// 用法 (usage, with examples and exit codes)
    #[arg(short, long, global = true, action = ArgAction::Help)]
    help: Option<bool>,
}

impl Manner {
    /// Where answers go.
    pub(super) fn output(&self) -> Output {
        let format = if self.json {
            Format::Json
        } else {
            self.output_format.unwrap_or_default()
        };
        let reader = Reader::of_stdout(self.lang, self.no_color);
        Output::new(format, self.quiet, reader)
    }

    /// What words ask for that are no command.
    pub(super) fn of_refused(words: &[OsString]) -> Self {
        Self::asked_by(words, std::env::var(LANGUAGE_VARIABLE).ok().as_deref())
    }

    /// What the words ask for, and `language` where they ask for none: option by option, so that one which is
    /// wrong takes none of the others with it.
    fn asked_by(words: &[OsString], language: Option<&str>) -> Self {
        let mut manner = Self {
            output_format: None,
            json: false,
            quiet: false,
            no_color: false,
            lang: Language::default(),
            help: None,
        };
        manner.ask("lang", language);
        let defined = Self::augment_args(clap::Command::new("tongban"));
        let words = words.iter().skip(1);
        let words = words.map(|word| word.to_str().unwrap_or_default());
        // What follows is no option, whatever it looks like.
        let mut words = words.take_while(|word| *word != "--").peekable();
        while let Some(word) = words.next() {
            for (option, value) in options_in(word, &defined) {
                let value = if option.get_action().takes_values() {
                    value.or_else(|| words.next_if(|next| !next.starts_with('-')))
                } else {
                    None
                };
                manner.ask(option.get_id().as_str(), value);
            }
        }
        manner
    }

    /// Takes an option as it was given; not a value it cannot have.
    fn ask(&mut self, option: &str, value: Option<&str>) {
        match (option, value) {
            ("json", _) => self.json = true,
            ("quiet", _) => self.quiet = true,
            ("no_color", _) => self.no_color = true,
            ("output_format", Some(format)) => {
                let format = Format::from_str(format, false).ok();
                self.output_format = format.or(self.output_format);
            }
            ("lang", Some(language)) => {
                self.lang = Language::from_str(language, false).unwrap_or(self.lang);
            }
            _ => {}
        }
    }
}

/// The options among `defined` that a word gives, each with the value it has in the same word.
fn options_in<'a>(word: &'a str, defined: &'a clap::Command) -> Vec<(&'a Arg, Option<&'a str>)> {
    if let Some(long) = word.strip_prefix("--") {
        let (name, value) = match long.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (long, None),
        };
        let mut known = defined.get_arguments();
        let option = known.find(|option| option.get_long() == Some(name));
        return option.map(|option| (option, value)).into_iter().collect();
    }
    let mut options = Vec::new();
    let mut letters = word.strip_prefix('-').unwrap_or_default().chars();
    while let Some(letter) = letters.next() {
        let mut known = defined.get_arguments();
        // An option of one command alone, of which what follows may be the value.
        let Some(option) = known.find(|option| option.get_short() == Some(letter)) else {
            break;
        };
        if option.get_action().takes_values() {
            let rest = letters.as_str();
            let value = rest.strip_prefix('=').unwrap_or(rest);
            options.push((option, (!value.is_empty()).then_some(value)));
            break;
        }
        options.push((option, None));
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str, language: Option<&str>) -> Manner {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        Manner::asked_by(&words, language)
    }

    #[test]
    fn words_that_are_no_command_are_answered_in_the_language_they_ask_for() {
        for (line, variable, language) in [
            ("tongban statsu", None, Language::Zh),
            ("tongban statsu", Some("en"), Language::En),
            ("tongban statsu --lang zh", Some("en"), Language::Zh),
            ("tongban --lang en statsu", None, Language::En),
            ("tongban statsu --lang=en", None, Language::En),
            ("tongban statsu --lang de", Some("en"), Language::En),
            ("tongban statsu", Some("de"), Language::Zh),
            ("tongban statsu --lang", None, Language::Zh),
            ("tongban statsu -- --lang en", None, Language::Zh),
        ] {
            assert_eq!(asked(line, variable).lang, language, "{line}");
        }
    }

    #[test]
    fn words_that_are_no_command_are_answered_in_the_form_they_ask_for() {
        for (line, format) in [
            ("tongban statsu", None),
            ("tongban statsu -o jsonl", Some(Format::Jsonl)),
            ("tongban -ocsv statsu", Some(Format::Csv)),
            ("tongban statsu -o=json", Some(Format::Json)),
            ("tongban statsu -qo json", Some(Format::Json)),
            ("tongban statsu --output json", Some(Format::Json)),
            ("tongban statsu --output=jsonl", Some(Format::Jsonl)),
            ("tongban statsu -o yaml", None),
            ("tongban statsu -o --json", None),
            // A word of that name asks for nothing.
            ("tongban schema shwo json", None),
            ("tongban check disk --format json --no", None),
        ] {
            assert_eq!(asked(line, None).output_format, format, "{line}");
        }
        assert!(asked("tongban statsu -o --json", None).json);
        assert!(!asked("tongban schema shwo json", None).json);
        assert!(asked("tongban statsu -qo json", None).quiet);
        assert!(asked("tongban statsu --no-color", None).no_color);
        assert!(!asked("tongban statsu -- --no-color", None).no_color);
    }

    #[test]
    fn every_option_of_all_commands_is_understood_where_it_stands_alone() {
        let defined = Manner::augment_args(clap::Command::new("tongban"));
        for option in defined.get_arguments() {
            let long = option.get_long().unwrap();
            let word = format!("--{long}");
            let given = options_in(&word, &defined);
            assert_eq!(given.len(), 1, "{word}");
            assert_eq!(given[0].0.get_id(), option.get_id(), "{word}");
        }
    }
}
