//! `tongban schema validate`: whether a file is by a schema, and each place where it is not.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use tongban_api::{JsonSchema, SchemaFault};
use tongban_types::Code;
use utoipa::ToSchema;

use super::find;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::read_bounded_or_stdin;
use crate::output::{Answer, Described, Mark, Output, Reader};

/// A hundred thousand cases of a list, at some hundred bytes each.
const FILE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Places named of all lines together: what is wrong in every line is seen in the first of them.
const PLACES_MAX: usize = 100;

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 名称, 如 tongban.case/v1; 可略去 tongban. 和版本 (name; `tongban.` and the version may be left out)
    #[arg(value_name = "NAME")]
    name: String,
    /// JSON 文件; - 为标准输入 (a file of JSON; - is stdin)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// 文件是 -o jsonl 的答复, 一行一个 (lines of -o jsonl)
    #[arg(long)]
    lines: bool,
    /// 事项目录, 内有 items/ 和 calendar/; 默认程序自带的 (folder of items/ and calendar/)
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// Whether a file is by a schema.
#[derive(Serialize, ToSchema)]
struct Checked {
    /// The schema, by name and version.
    by: String,
    valid: bool,
    /// Objects looked at: lines, or 1.
    objects: usize,
    /// Each failing place, at most 100.
    faults: Vec<Place>,
}

/// A failing place.
#[derive(Serialize, ToSchema)]
struct Place {
    /// Which line, from 1; `null` where the file is one object.
    line: Option<usize>,
    /// JSON Pointer (RFC 6901) into the object; empty for the whole.
    pointer: String,
    /// The keyword of JSON Schema that is broken.
    keyword: String,
    zh: String,
    en: String,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Checked>("tongban schema validate");

impl Answer for Checked {
    const SCHEMA: &'static str = "tongban.schema-checked/v1";

    fn to_text(&self, reader: Reader) -> String {
        if self.valid {
            let good = reader.say(
                format!("✓ 符合 {} ({} 个对象)", self.by, self.objects),
                format!("✓ by {} ({} objects)", self.by, self.objects),
            );
            return reader.paint(Mark::Good, &good);
        }
        let mut lines: Vec<String> = self.faults.iter().map(|place| place.text(reader)).collect();
        lines.push(reader.next(&format!("tongban schema show {}", self.by)));
        lines.join("\n")
    }
}

impl Place {
    fn of(fault: SchemaFault, line: Option<usize>) -> Self {
        Self {
            line,
            pointer: fault.pointer,
            keyword: fault.keyword,
            zh: fault.zh,
            en: fault.en,
        }
    }

    fn text(&self, reader: Reader) -> String {
        let line = self.line.map_or(String::new(), |line| {
            format!("{} {line}  ", reader.say("行", "line"))
        });
        let place = if self.pointer.is_empty() {
            "/"
        } else {
            &self.pointer
        };
        let says = reader.say(&self.zh, &self.en);
        let mark = reader.paint(Mark::Bad, "✗");
        format!("{mark} {line}{place}  {says} ({})", self.keyword)
    }
}

/// Checks it.
pub(super) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let known = find(&arguments.name, arguments.folder.as_ref())?;
    let schema = if arguments.lines {
        known.line_schema()
    } else {
        known.schema()
    };
    let schema = JsonSchema::compile(&schema).map_err(anyhow::Error::msg)?;
    let bytes = read_bounded_or_stdin(&arguments.file, FILE_BYTES_MAX)?;
    let mut checked = Checked {
        by: known.full_name(),
        valid: true,
        objects: 0,
        faults: Vec::new(),
    };
    if arguments.lines {
        let lines = bytes.split(|byte| *byte == b'\n').enumerate();
        for (at, line) in lines.filter(|(_, line)| !line.trim_ascii().is_empty()) {
            let value = read(line, &arguments.file, Some(at + 1))?;
            checked.look(&schema, &value, Some(at + 1));
        }
    } else {
        let value = read(&bytes, &arguments.file, None);
        let value = value.map_err(|failure| by_lines(arguments, &bytes, failure))?;
        checked.look(&schema, &value, None);
    }
    output.answer(&checked);
    Ok(if checked.valid { Exit::Yes } else { Exit::No })
}

impl Checked {
    fn look(&mut self, schema: &JsonSchema, value: &Value, line: Option<usize>) {
        self.objects += 1;
        let faults = schema.faults(value);
        self.valid &= faults.is_empty();
        let room = PLACES_MAX.saturating_sub(self.faults.len());
        let faults = faults.into_iter().take(room);
        self.faults
            .extend(faults.map(|fault| Place::of(fault, line)));
    }
}

/// Where the first line is an object by itself, lines were meant.
fn by_lines(arguments: &Arguments, bytes: &[u8], failure: Failure) -> Failure {
    let first = bytes.split(|byte| *byte == b'\n').next();
    let value = first.and_then(|line| serde_json::from_slice::<Value>(line).ok());
    let is_object = value.as_ref().is_some_and(Value::is_object);
    if !is_object {
        return failure;
    }
    let (name, file) = (&arguments.name, arguments.file.display());
    let folder = arguments.folder.as_ref();
    let folder = folder.map_or(String::new(), |it| format!(" --folder {}", it.display()));
    failure.then(format!(
        "tongban schema validate {name} {file} --lines{folder}"
    ))
}

fn read(bytes: &[u8], file: &Path, line: Option<usize>) -> Result<Value, Failure> {
    serde_json::from_slice(bytes).map_err(|error| {
        let place = line.map_or(String::new(), |line| format!(":{line}"));
        let message = format!("{}{place}: {error}", file.display());
        Failure::new(Code::JSON_NOT_STRICT, Exit::No, message)
            .then(format!("tongban explain {}", Code::JSON_NOT_STRICT))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_proposed_where_the_first_is_an_object_with_all_that_was_typed() {
        let mut arguments = Arguments {
            name: "case".to_owned(),
            file: "a.jsonl".into(),
            lines: false,
            folder: None,
        };
        let next = |arguments: &Arguments, text: &str| {
            let failure = read(text.as_bytes(), &arguments.file, None).unwrap_err();
            by_lines(arguments, text.as_bytes(), failure).next
        };
        let lines = "tongban schema validate case a.jsonl --lines";
        assert_eq!(next(&arguments, "{}\n{}\n"), lines);
        let explain = format!("tongban explain {}", Code::JSON_NOT_STRICT);
        for text in ["1\n2\n", "[]\n[]\n", "{\n"] {
            assert_eq!(next(&arguments, text), explain, "{text}");
        }
        arguments.folder = Some("items".into());
        let within = format!("{lines} --folder items");
        assert_eq!(next(&arguments, "{}\n{}\n"), within);
    }
}
