//! `tongban doc ls`: the documents of the cases a city is party to, over the API.

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use tongban_api::DocumentShape;
use utoipa::ToSchema;

use super::case::{minute, place, text};
use super::listing::{Gathered, ended, gather};
use super::stopped_node::on_tasks;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::http_client::order_patience;
use crate::node_access::{NodeAccess, word};
use crate::output::{Answer, Described, Output, Reader};

/// What of a hash tells documents of one list apart.
const HASH_SHOWN: usize = 12;

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 只列这一办件的 (only of this case)
    #[arg(long, value_name = "NO")]
    case: Option<String>,
    /// 只列待签发的或已签发的 (only those to be signed, or those issued)
    #[arg(long, value_parser = ["pending", "issued"])]
    state: Option<String>,
    /// 只列这个事项的 (only of this item)
    #[arg(long, value_name = "CODE")]
    item: Option<String>,
    /// 至多几份 (at most)
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=100))]
    limit: u16,
    /// 全部 (all of them)
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// 先与审批组核对最新 (ask the group for its latest first)
    #[arg(long)]
    fresh: bool,
    #[command(flatten)]
    node: NodeAccess,
}

/// The documents of the cases a city is party to.
#[derive(Serialize, ToSchema)]
struct Listed {
    #[schema(value_type = Vec<DocumentShape>)]
    documents: Vec<Value>,
    /// Whether there are more than these.
    has_more: bool,
    #[serde(skip)]
    is_all: bool,
    /// What the list was narrowed to.
    #[serde(skip)]
    narrowed: String,
    /// How the node was named.
    #[serde(skip)]
    at: String,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Listed>("tongban doc ls");

impl Answer for Listed {
    const SCHEMA: &'static str = "tongban.documents/v1";
    const ROWS: &'static str = "documents";

    fn to_text(&self, reader: Reader) -> String {
        let first = self.documents.first();
        if first.is_none() && !self.has_more {
            let none = reader.say("没有文书", "no documents");
            let next = format!("tongban case ls{}", self.at);
            return format!("{none}\n{}", reader.next(&next));
        }
        let mut table = reader.table(&[
            ("办件编号", "CASE"),
            ("文书", "DOCUMENT"),
            ("状态", "STATE"),
            ("签发", "ISSUER"),
            ("准予", "GRANTED"),
            ("SHA-256", "SHA-256"),
        ]);
        for document in &self.documents {
            let name = match reader.say(&document["name_zh"], &document["kind"]) {
                Value::String(name) => name.as_str(),
                _ => text(&document["item"]["code"]),
            };
            let sha256 = text(&document["sha256"]);
            table.row([
                text(&document["case"]).to_owned(),
                name.to_owned(),
                stage(text(&document["stage"]), reader).to_owned(),
                place(&document["issuer"]).to_owned(),
                minute(&document["granted_at"]),
                sha256.get(..HASH_SHOWN).unwrap_or("-").to_owned(),
            ]);
        }
        let next = if self.has_more {
            // Where all of them are too many, those of one item may not be.
            let (narrowed, at) = (&self.narrowed, &self.at);
            let narrower = if self.is_all && !narrowed.contains("--item") {
                " --item CODE"
            } else {
                ""
            };
            format!("tongban doc ls --all{narrower}{narrowed}{at}")
        } else {
            let case = first.map_or("CASE", |first| text(&first["case"]));
            format!("tongban case export {case} --dir DIR{}", self.at)
        };
        format!("{}\n{}", table.text(), reader.next(&next))
    }
}

fn stage(stage: &str, reader: Reader) -> &str {
    match stage {
        "owed" => reader.say("待拟制", "owed"),
        "prepared" => reader.say("待签发", "prepared"),
        "issued" => reader.say("已签发", "issued"),
        other => other,
    }
}

/// Lists them.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    on_tasks(list(arguments, output))
}

async fn list(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let mut client = arguments.node.open(order_patience())?;
    let path = path(arguments);
    let (fresh, members) = (arguments.fresh, ["documents"]);
    let gathered = gather(&mut client, &path, fresh, &members, arguments.all);
    let Some(Gathered { rows, has_more }) = gathered.await? else {
        return Ok(Exit::Yes);
    };
    let count = rows.len();
    output.answer(&Listed {
        documents: rows,
        has_more,
        is_all: arguments.all,
        narrowed: narrowed(arguments),
        at: arguments.node.words(),
    });
    Ok(ended(output, count, has_more, arguments.all))
}

fn path(arguments: &Arguments) -> String {
    let limit = if arguments.all { 100 } else { arguments.limit };
    let mut path = format!("/api/v1/documents?limit={limit}");
    let narrowed = [
        ("case", &arguments.case),
        ("state", &arguments.state),
        ("item", &arguments.item),
    ];
    for (name, value) in narrowed {
        if let Some(value) = value {
            // What is in no identifier would be of another parameter.
            let value: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
            path.extend(["&", name, "=", &value]);
        }
    }
    path
}

/// What the list was narrowed to, as it is typed.
fn narrowed(arguments: &Arguments) -> String {
    let narrowed = [
        ("--case", &arguments.case),
        ("--state", &arguments.state),
        ("--item", &arguments.item),
    ];
    let mut words = String::new();
    for (name, value) in narrowed {
        if let Some(value) = value {
            words.extend([" ", name, " ", &word(value)]);
        }
    }
    if arguments.fresh {
        words.push_str(" --fresh");
    }
    words
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::output::Language;

    #[test]
    fn a_list_says_to_programs_and_people_that_there_is_more() {
        let listed = Listed {
            documents: vec![json!({"case": "350100202603020001"})],
            has_more: true,
            is_all: false,
            narrowed: " --state issued".to_owned(),
            at: String::new(),
        };
        let json = serde_json::to_value(&listed).unwrap();
        assert_eq!(json["has_more"], true);
        assert_eq!(json.as_object().unwrap().len(), 2);
        let text = listed.to_text(Reader::plain(Language::En));
        let next = "next: tongban doc ls --all --state issued";
        assert!(text.ends_with(next), "{text}");
    }
}
