//! `tongban item preview`: what an applicant is told of an item and what its form asks; with a filled
//! form, what is wrong with it.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use tongban_api::Said;
use tongban_types::limits::FORM_BYTES_MAX;
use tongban_types::{Code, ItemVersion};
use utoipa::ToSchema;

use super::catalogue;
use super::lint::faults_of;
use crate::commands::prefix::the_one;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::read_bounded;
use crate::output::{Answer, Described, Mark, Output, Reader};

/// Objects within objects in a form; the deepest of ours has four.
const DEPTH_MAX: usize = 8;

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 事项编码或其开头 (code of the item, or its beginning)
    #[arg(value_name = "CODE")]
    item: String,
    /// 版本, 默认最新 (version; the newest by default)
    #[arg(long, value_name = "N")]
    item_version: Option<u32>,
    /// 检查这份填好的表单 (check this filled form)
    #[arg(long, value_name = "FILE")]
    form: Option<PathBuf>,
    /// 目录, 内有 items/ 和 calendar/; 默认程序自带的 (folder of items/ and calendar/)
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

#[derive(Serialize, ToSchema)]
struct Preview {
    item: String,
    /// The file of the item; what it may hold, `tongban item lint` says.
    #[schema(value_type = Object)]
    file: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    faults: Option<Vec<String>>,
    /// The same in English.
    #[serde(skip_serializing_if = "Option::is_none")]
    faults_en: Option<Vec<String>>,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Preview>("tongban item preview");

impl Answer for Preview {
    const SCHEMA: &'static str = "tongban.item/v1";

    fn to_text(&self, reader: Reader) -> String {
        if let Some(faults) = reader.say(&self.faults, &self.faults_en) {
            return checked(faults, reader);
        }
        let file = &self.file;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let name = |of: &Value| reader.say(text(&of["zh"]), text(&of["en"]));
        let mut lines = vec![format!("{}  {}", self.item, name(&file["name"]))];
        let days = [
            ("notice_days", "告知", "notice"),
            ("promise_days", "承诺", "promise"),
            ("statutory_days", "法定", "statutory"),
        ];
        let days: Vec<String> = days
            .into_iter()
            .map(|(key, zh, en)| match file[key].as_u64() {
                Some(days) => format!("{} {days}", reader.say(zh, en)),
                None => format!("{} -", reader.say(zh, en)),
            })
            .collect();
        lines.push(format!(
            "{}: {}",
            reader.say("时限 (工作日)", "limits (working days)"),
            days.join(" · ")
        ));
        lines.push(reader.say("材料:", "materials:").to_owned());
        for material in file["materials"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default()
        {
            let needed = if material["required"] == true {
                "*"
            } else {
                " "
            };
            lines.push(format!("  {needed} {}", name(&material["name"])));
        }
        lines.push(
            reader
                .say("表单 (* 必填):", "form (* required):")
                .to_owned(),
        );
        fields(&file["form"], &file["form"], 0, &mut lines);
        lines.push(reader.next(&format!(
            "tongban item preview {} --form FILE",
            text(&file["code"])
        )));
        lines.join("\n")
    }
}

/// Of each what is said in one language.
fn texts(faults: &[Said], of: fn(&Said) -> &String) -> Vec<String> {
    faults.iter().map(of).cloned().collect()
}

fn checked(faults: &[String], reader: Reader) -> String {
    if faults.is_empty() {
        return reader.paint(Mark::Good, reader.say("✓ 表单无误", "✓ the form is right"));
    }
    let mut lines: Vec<String> = faults
        .iter()
        .map(|fault| format!("{} {fault}", reader.paint(Mark::Bad, "✗")))
        .collect();
    lines.push(reader.next(&format!("tongban explain {}", Code::FORM_INVALID)));
    lines.join("\n")
}

/// The fields of an object, each under its title, what is below indented.
fn fields(root: &Value, object: &Value, depth: usize, lines: &mut Vec<String>) {
    let Some(members) = object["properties"]
        .as_object()
        .filter(|_| depth < DEPTH_MAX)
    else {
        return;
    };
    let required = object["required"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    for (name, field) in members {
        let title = field["title"].as_str().unwrap_or(name);
        let mark = if required.iter().any(|one| one == name) {
            "*"
        } else {
            " "
        };
        let indent = "  ".repeat(depth + 1);
        lines.push(format!("{indent}{mark} {name}  {title}"));
        let below = field["$ref"]
            .as_str()
            .and_then(|reference| root.pointer(reference.strip_prefix('#')?))
            .unwrap_or(field);
        fields(root, below, depth + 1, lines);
        fields(root, &below["items"], depth + 1, lines);
    }
}

/// Shows it.
pub(super) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let catalogue = catalogue(arguments.folder.as_ref())?;
    let mut codes: Vec<String> = catalogue
        .items()
        .map(|item| item.terms.item.code.to_string())
        .collect();
    codes.dedup();
    let code = the_one(
        codes.iter().map(String::as_str),
        &arguments.item,
        Code::UNKNOWN_ITEM,
    )
    .map_err(|failure| failure.then("tongban item ls"))?;
    let versions = catalogue
        .items()
        .filter(|item| item.terms.item.code.to_string() == code);
    let wanted = |version: ItemVersion| {
        arguments
            .item_version
            .is_none_or(|wanted| wanted == version.version)
    };
    // In order of their versions.
    let Some(item) = versions.filter(|item| wanted(item.terms.item)).last() else {
        let says = Said::new(
            format!("事项 {code} 没有这个版本"),
            format!("item {code} has no such version"),
        );
        return Err(Failure::told(Code::UNKNOWN_ITEM, Exit::NotFound, says).then("tongban item ls"));
    };
    let faults = match &arguments.form {
        Some(form) => {
            let filled = read_bounded(form, FORM_BYTES_MAX)?;
            let fault = item.read_form(&filled).err();
            Some(fault.map_or_else(Vec::new, |fault| faults_of(&fault)))
        }
        None => None,
    };
    let exit = match &faults {
        Some(faults) if !faults.is_empty() => Exit::No,
        _ => Exit::Yes,
    };
    output.answer(&Preview {
        item: item.terms.item.to_string(),
        file: serde_json::from_slice(item.file()).expect("a loaded item's file is JSON"),
        faults: faults.as_ref().map(|faults| texts(faults, |it| &it.zh)),
        faults_en: faults.as_ref().map(|faults| texts(faults, |it| &it.en)),
    });
    Ok(exit)
}
