//! The only place that prints. Answers go to stdout, as text for people or as one JSON object with a
//! versioned schema; talk goes to stderr, so that a pipe carries answers alone.

use std::io::Write as _;

use serde::Serialize;
use serde_json::json;

use crate::failure::Failure;

/// What a command answers.
pub(crate) trait Answer: Serialize {
    /// Name and version of its JSON form, `tongban.<what>/v<n>`.
    const SCHEMA: &'static str;

    /// The same for people, Chinese first, without a final newline.
    fn to_text(&self) -> String;
}

/// Where a command says what it has to say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
}

#[derive(Serialize)]
struct Envelope<'a, T> {
    schema: &'static str,
    #[serde(flatten)]
    answer: &'a T,
}

impl Output {
    /// Answers as JSON, or as text.
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Gives the answer.
    pub(crate) fn answer<T: Answer>(self, answer: &T) {
        if self.json {
            say(&json_line(T::SCHEMA, answer));
        } else {
            say(&answer.to_text());
        }
    }

    /// Gives an answer that machines read even when people asked: always JSON.
    pub(crate) fn answer_json<T: Answer>(answer: &T) {
        say(&json_line(T::SCHEMA, answer));
    }

    /// Tells people how it goes; with `--json` beside the answer, on stderr.
    pub(crate) fn tell(self, line: &str) {
        if self.json {
            talk(line);
        } else {
            say(line);
        }
    }

    /// Says something that is no answer.
    pub(crate) fn talk(line: &str) {
        talk(line);
    }

    /// Says why there is no answer.
    pub(crate) fn failure(self, failure: &Failure) {
        if self.json {
            say(&failure_json(failure));
        } else {
            talk(&failure_text(failure));
        }
    }
}

fn json_line<T: Serialize>(schema: &'static str, answer: &T) -> String {
    serde_json::to_string(&Envelope { schema, answer })
        .expect("answers are objects with text for names")
}

fn failure_text(failure: &Failure) -> String {
    let entry = failure.code.entry();
    let what = entry.map_or("", |entry| entry.zh);
    let mut lines = vec![format!("错误 {}: {what}", failure.code)];
    lines.extend(failure.cause.chain().map(|cause| format!("  {cause}")));
    lines.extend(entry.map(|entry| format!("处理: {}", entry.cure_zh)));
    lines.push(format!("下一步: {}", failure.next));
    lines.join("\n")
}

fn failure_json(failure: &Failure) -> String {
    let entry = failure.code.entry();
    let causes: Vec<String> = failure.cause.chain().map(ToString::to_string).collect();
    json!({
        "schema": "tongban.error/v1",
        "code": failure.code.to_string(),
        "name": entry.map(|entry| entry.name),
        "message": entry.map(|entry| entry.zh),
        "causes": causes,
        "exit": failure.exit.number(),
        "next": failure.next,
    })
    .to_string()
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
    use tongban_types::Code;

    use super::*;
    use crate::exit::Exit;

    #[test]
    fn an_error_ends_with_a_command_and_carries_its_code() {
        let failure = Failure::new(Code::INTERNAL, Exit::Internal, "something")
            .then("tongban config check --config F");
        let text = failure_text(&failure);
        assert!(text.starts_with("错误 TB8001: 程序内部错误"));
        assert!(text.contains("\n  something\n"));
        assert!(text.ends_with("下一步: tongban config check --config F"));
        let parsed: serde_json::Value = serde_json::from_str(&failure_json(&failure)).unwrap();
        assert_eq!(parsed["code"], "TB8001");
        assert_eq!(parsed["exit"], 1);
        assert_eq!(parsed["causes"][0], "something");
    }
}
