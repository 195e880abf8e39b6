//! `tongban case ls`: the cases of a city.

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use tongban_api::{CaseShape, StoredCaseShape};
use utoipa::openapi::schema::AnyOfBuilder;
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::{minute, place, text};
use crate::commands::listing::{Gathered, ended, gather};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::http_client::order_patience;
use crate::node_access::{NodeAccess, word};
use crate::output::{Answer, Described, Output, Reader};

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 只列这个状态; stored 为尚未复制的收件 (only this state; stored: not replicated yet)
    #[arg(long, value_name = "STATE")]
    state: Option<String>,
    /// 至多几件 (at most)
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

#[derive(Serialize, ToSchema)]
struct Listed {
    #[schema(value_type = Vec<ListedCase>)]
    cases: Vec<Value>,
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

/// A case of the group, or one that only this desk has.
enum ListedCase {}

impl PartialSchema for ListedCase {
    fn schema() -> RefOr<Schema> {
        let named = |name| Ref::from_schema_name(name);
        AnyOfBuilder::new()
            .item(named(CaseShape::name()))
            .item(named(StoredCaseShape::name()))
            .into()
    }
}

impl ToSchema for ListedCase {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((CaseShape::name().into(), CaseShape::schema()));
        CaseShape::schemas(schemas);
        schemas.push((StoredCaseShape::name().into(), StoredCaseShape::schema()));
        StoredCaseShape::schemas(schemas);
    }
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Listed>("tongban case ls");

impl Answer for Listed {
    const SCHEMA: &'static str = "tongban.cases/v1";
    const ROWS: &'static str = "cases";

    fn to_text(&self, reader: Reader) -> String {
        if self.cases.is_empty() && !self.has_more {
            let none = reader.say("没有办件", "no cases");
            let next = format!("tongban case new --item CODE --form FILE{}", self.at);
            return format!("{none}\n{}", reader.next(&next));
        }
        let mut table = reader.table(&[
            ("办件编号", "CASE"),
            ("事项", "ITEM"),
            ("状态", "STATE"),
            ("收件", "COLLECTED"),
            ("收件地", "FROM"),
            ("办理地", "TO"),
            ("告知时限", "NOTICE DUE"),
            ("承诺时限", "PROMISE DUE"),
        ]);
        for case in &self.cases {
            let state = match case["state"].as_str() {
                Some(state) => reader.say(text(&case["state_zh"]), state),
                None => reader.say("仅在本窗口", "stored"),
            };
            table.row([
                text(&case["number"]).to_owned(),
                text(&case["item"]["code"]).to_owned(),
                state.to_owned(),
                minute(&case["collected_at"]),
                place(&case["intake"]).to_owned(),
                place(&case["authority"]).to_owned(),
                minute(&case["notice_due"]["at"]),
                minute(&case["promise_due"]["at"]),
            ]);
        }
        if self.has_more {
            // Where all of them are too many, those of one state may not be.
            let (narrowed, at) = (&self.narrowed, &self.at);
            let narrower = if self.is_all && !narrowed.contains("--state") {
                " --state STATE"
            } else {
                ""
            };
            let next = format!("tongban case ls --all{narrower}{narrowed}{at}");
            return format!("{}\n{}", table.text(), reader.next(&next));
        }
        table.text()
    }
}

/// Lists them.
pub(super) async fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let mut client = arguments.node.open(order_patience())?;
    let limit = if arguments.all { 100 } else { arguments.limit };
    let mut path = format!("/api/v1/cases?limit={limit}");
    if let Some(state) = &arguments.state {
        let state: String = state
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c))
            .collect();
        path.extend(["&state=", &state]);
    }
    let (fresh, members) = (arguments.fresh, ["stored", "cases"]);
    let gathered = gather(&mut client, &path, fresh, &members, arguments.all);
    let Some(Gathered { rows, has_more }) = gathered.await? else {
        return Ok(Exit::Yes);
    };
    let count = rows.len();
    output.answer(&Listed {
        cases: rows,
        has_more,
        is_all: arguments.all,
        narrowed: narrowed(arguments),
        at: arguments.node.words(),
    });
    Ok(ended(output, count, has_more, arguments.all))
}

/// What the list was narrowed to, as it is typed.
fn narrowed(arguments: &Arguments) -> String {
    let state = arguments.state.as_deref();
    let mut words = state.map_or_else(String::new, |state| format!(" --state {}", word(state)));
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
        let listed = |is_all| Listed {
            cases: vec![json!({"number": "350100202603020001"})],
            has_more: true,
            is_all,
            narrowed: " --fresh".to_owned(),
            at: " --data /d".to_owned(),
        };
        let json = serde_json::to_value(listed(false)).unwrap();
        assert_eq!(json["has_more"], true);
        assert_eq!(json.as_object().unwrap().len(), 2);
        let none_yet = Listed {
            cases: Vec::new(),
            ..listed(false)
        };
        let text = none_yet.to_text(Reader::plain(Language::En));
        assert!(!text.contains("no cases"), "{text}");
        let last = |is_all| {
            let text = listed(is_all).to_text(Reader::plain(Language::En));
            text.lines().next_back().unwrap_or_default().to_owned()
        };
        assert_eq!(last(false), "next: tongban case ls --all --fresh --data /d");
        assert_eq!(
            last(true),
            "next: tongban case ls --all --state STATE --fresh --data /d"
        );
    }
}
