//! The only place that prints. Answers go to stdout, as text for people or in a form with a versioned
//! schema for programs; talk goes to stderr, so that a pipe carries answers alone.

mod described;
mod format;
mod reader;
mod rows;
mod table;

use std::io::Write as _;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::failure::Failure;

pub(crate) use described::Described;
pub(crate) use format::{Format, Language};
pub(crate) use reader::{Mark, Reader};
pub(crate) use table::{folded, padded};

/// What a command answers.
pub(crate) trait Answer: Serialize + ToSchema {
    /// Name and version of its JSON form, `tongban.<what>/v<n>`.
    const SCHEMA: &'static str;

    /// The member that `jsonl` and `csv` give a line an element of; empty where the answer is one
    /// thing.
    const ROWS: &'static str = "";

    /// The same for people, Chinese first, without a final newline.
    fn to_text(&self, reader: Reader) -> String;
}

/// Where a command says what it has to say.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Output {
    format: Format,
    is_quiet: bool,
    reader: Reader,
}

#[derive(Serialize)]
struct Envelope<'a, T> {
    schema: &'static str,
    #[serde(flatten)]
    answer: &'a T,
}

/// What every command answers that did not do what it was asked.
const ERROR_SCHEMA: &str = "tongban.error/v1";

/// The error of any command.
pub(crate) const ERROR: Described = Described::marked::<Why>(ERROR_SCHEMA, "tongban");

/// Why there is no answer: what happened, and the command to run next.
#[derive(Serialize, ToSchema)]
struct Why {
    /// What `tongban explain` describes.
    #[schema(pattern = "^TB[0-9]{4}$")]
    code: String,
    name: Option<&'static str>,
    /// What the code means, in Chinese.
    message: Option<&'static str>,
    message_en: Option<&'static str>,
    /// What happened, outermost first.
    causes: Vec<String>,
    /// The same in English; what is told in one language alone is told here as there.
    causes_en: Vec<String>,
    /// The exit code of the process.
    exit: u8,
    /// The command to run next.
    next: String,
}

impl Output {
    /// Answers in that form, for that reader; quiet, it says nothing but answers and errors.
    pub(crate) const fn new(format: Format, is_quiet: bool, reader: Reader) -> Self {
        Self {
            format,
            is_quiet,
            reader,
        }
    }

    /// Who reads them where people do.
    pub(crate) const fn reader(self) -> Reader {
        self.reader
    }

    /// Whether programs read the answers.
    pub(crate) const fn is_for_machines(self) -> bool {
        self.format.is_for_machines()
    }

    /// Gives the answer.
    pub(crate) fn answer<T: Answer>(self, answer: &T) {
        let text = match self.format {
            Format::Table => answer.to_text(self.reader),
            Format::Json => json_line(T::SCHEMA, answer),
            Format::Jsonl => rows::json_lines(T::SCHEMA, rows_of(answer)),
            Format::Csv => rows::csv(rows_of(answer)),
        };
        // No rows are no lines.
        if !text.is_empty() {
            say(&text);
        }
    }

    /// Gives the answer of a node, and tells people the command to run next.
    pub(crate) fn answer_then<T: Answer>(self, answer: &T, next: &str) {
        self.answer(answer);
        if !self.is_for_machines() {
            say(&self.reader.next(next));
        }
    }

    /// Gives an answer that machines read even when people asked: never a table.
    pub(crate) fn answer_json<T: Answer>(self, answer: &T) {
        let format = match self.format {
            Format::Table => Format::Json,
            format => format,
        };
        Self { format, ..self }.answer(answer);
    }

    /// Gives text that is of a format of its own: a page, a script, a file.
    pub(crate) fn verbatim(text: &str) {
        say(text);
    }

    /// Tells people how it goes; where programs read the answer, beside it, on stderr.
    pub(crate) fn tell(self, line: &str) {
        if self.is_for_machines() {
            self.talk(line);
        } else if !self.is_quiet {
            say(line);
        }
    }

    /// Says something that is no answer.
    pub(crate) fn talk(self, line: &str) {
        if !self.is_quiet {
            talk(line);
        }
    }

    /// What a process without a log says of its own fault, on stderr.
    pub(crate) fn fault(text: &str) {
        talk(text);
    }

    /// Says why there is no answer.
    pub(crate) fn failure(self, failure: &Failure) {
        if self.is_for_machines() {
            say(&failure_json(failure));
        } else {
            talk(&failure_text(failure, self.reader));
        }
    }
}

fn rows_of<T: Answer>(answer: &T) -> Vec<Value> {
    rows::rows(json(answer), T::ROWS)
}

fn json<T: Serialize>(answer: &T) -> Value {
    serde_json::to_value(answer).expect("answers are objects with text for names")
}

fn json_line<T: Serialize>(schema: &'static str, answer: &T) -> String {
    // What a node answered brings its own mark along.
    let value = json(answer);
    if let Value::Object(mut members) = value
        && members.remove("schema").is_some()
    {
        return serde_json::to_string(&Envelope {
            schema,
            answer: &members,
        })
        .expect("answers are objects with text for names");
    }
    serde_json::to_string(&Envelope { schema, answer })
        .expect("answers are objects with text for names")
}

fn failure_text(failure: &Failure, reader: Reader) -> String {
    let entry = failure.code.entry();
    let what = entry.map_or("", |entry| reader.say(entry.zh, entry.en));
    let word = reader.paint(Mark::Bad, reader.say("错误", "error"));
    let mut lines = vec![format!("{word} {}: {what}", failure.code)];
    // A node that has nothing to add to its code gives the words of the code.
    let says_more =
        |cause: &String| entry.is_none_or(|entry| cause != entry.zh && cause != entry.en);
    let causes = failure.causes().map(|cause| reader.say(cause.zh, cause.en));
    lines.extend(causes.filter(says_more).map(|cause| format!("  {cause}")));
    lines.extend(entry.map(|entry| {
        let cure = reader.say(entry.cure_zh, entry.cure_en);
        format!("{}: {cure}", reader.say("处理", "what to do"))
    }));
    lines.push(reader.next(&failure.next));
    lines.join("\n")
}

fn failure_json(failure: &Failure) -> String {
    let entry = failure.code.entry();
    let why = Why {
        code: failure.code.to_string(),
        name: entry.map(|entry| entry.name),
        message: entry.map(|entry| entry.zh),
        message_en: entry.map(|entry| entry.en),
        causes: failure.causes().map(|cause| cause.zh).collect(),
        causes_en: failure.causes().map(|cause| cause.en).collect(),
        exit: failure.exit.number(),
        next: failure.next.clone(),
    };
    json_line(ERROR_SCHEMA, &why)
}

/// A reader that went away is no reason to fail: nobody is left to be told.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

fn talk(text: &str) {
    let mut out = std::io::stderr().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use tongban_api::Said;
    use tongban_types::Code;

    use super::*;
    use crate::exit::Exit;

    #[test]
    fn an_error_ends_with_a_command_and_carries_its_code() {
        let failure = Failure::new(Code::INTERNAL, Exit::Internal, "something")
            .then("tongban config check --config F");
        let text = failure_text(&failure, Reader::plain(Language::Zh));
        assert!(text.starts_with("错误 TB8001: 程序内部错误"));
        assert!(text.contains("\n  something\n"));
        assert!(text.ends_with("下一步: tongban config check --config F"));
        let text = failure_text(&failure, Reader::plain(Language::En));
        assert!(text.starts_with("error TB8001: Something"), "{text}");
        assert!(text.ends_with("next: tongban config check --config F"));
        let parsed: Value = serde_json::from_str(&failure_json(&failure)).unwrap();
        assert_eq!(parsed["code"], "TB8001");
        assert_eq!(parsed["exit"], 1);
        assert_eq!(parsed["causes"][0], "something");
    }

    #[test]
    fn what_happened_is_told_in_the_language_of_the_reader_and_to_programs_in_both() {
        let says = Said::new("版本已变", "The version is stale.");
        let failure = Failure::told(Code::STALE_VERSION, Exit::Conflict, says);
        let text = |language| failure_text(&failure, Reader::plain(language));
        assert!(text(Language::Zh).contains("\n  版本已变\n"));
        assert!(text(Language::En).contains("\n  The version is stale.\n"));
        let parsed: Value = serde_json::from_str(&failure_json(&failure)).unwrap();
        assert_eq!(parsed["causes"][0], "版本已变");
        assert_eq!(parsed["causes_en"][0], "The version is stale.");
    }

    #[test]
    fn what_a_code_says_is_said_once() {
        let said = Code::INTERNAL.entry().map_or("", |entry| entry.zh);
        let failure = Failure::new(Code::INTERNAL, Exit::Internal, said);
        for language in [Language::Zh, Language::En] {
            let text = failure_text(&failure, Reader::plain(language));
            assert_eq!(text.lines().count(), 3, "{text}");
        }
        let says = Code::INTERNAL.entry().map(|it| Said::new(it.zh, it.en));
        let failure = Failure::told(Code::INTERNAL, Exit::Internal, says.unwrap());
        let text = failure_text(&failure, Reader::plain(Language::En));
        assert_eq!(text.lines().count(), 3, "{text}");
    }

    #[test]
    fn every_code_is_reported_with_a_command_to_run_next() {
        for entry in Code::table() {
            for exit in Exit::ALL {
                let failure = Failure::new(entry.code, exit, "what happened");
                for language in [Language::Zh, Language::En] {
                    let text = failure_text(&failure, Reader::plain(language));
                    let last = text.lines().next_back().unwrap_or_default();
                    let command = last.split_once(": ").map_or("", |(_, command)| command);
                    assert!(command.starts_with("tongban "), "{text}");
                }
                let parsed: Value = serde_json::from_str(&failure_json(&failure)).unwrap();
                assert_eq!(parsed["exit"], exit.number());
            }
        }
    }
}
