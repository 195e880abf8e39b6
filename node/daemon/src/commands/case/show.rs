//! `tongban case show`: a case with its timeline and both clocks, the one for the notice of what is
//! missing and the one for the decision.

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use tongban_api::OpenedCaseShape;
use utoipa::ToSchema;

use super::number::{number_of, read_case};
use super::{minute, place, text};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::http_client::order_patience;
use crate::node_access::{Call, NodeAccess};
use crate::output::{Answer, Described, Output, Reader, padded};

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 办件编号或其开头 (number of the case, or its beginning)
    #[arg(value_name = "NO")]
    case: String,
    #[command(flatten)]
    node: NodeAccess,
}

#[derive(Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = OpenedCaseShape)]
pub(super) struct Shown(pub(super) Value);

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Shown>("tongban case show");

impl Answer for Shown {
    const SCHEMA: &'static str = "tongban.case/v1";

    fn to_text(&self, reader: Reader) -> String {
        let number = text(&self.0["number"]);
        let case = &self.0["case"];
        if case.is_null() {
            let stored = reader.say("仅在本窗口, 尚未复制", "stored at this desk only");
            return format!("{number}  {stored}");
        }
        let state = reader.say(text(&case["state_zh"]), text(&case["state"]));
        let owner = match text(&case["standpoint"]) {
            "owner" => reader.say("由本市负责", "owned here"),
            _ => reader.say("由对方城市负责", "owned by the other city"),
        };
        let mut lines = vec![
            format!("{number}  {state}  ({owner}, v{})", case["version"]),
            format!(
                "{} {} v{}",
                padded(reader.say("事项", "item"), 10),
                text(&case["item"]["code"]),
                case["item"]["version"]
            ),
            format!(
                "{} {} → {}",
                padded(reader.say("去向", "way"), 10),
                place(&case["intake"]),
                place(&case["authority_division"])
            ),
        ];
        for (name, due) in [
            (reader.say("告知时限", "notice due"), "notice_due"),
            (reader.say("承诺时限", "promise"), "promise_due"),
            (reader.say("法定时限", "statutory"), "statutory_due"),
        ] {
            lines.push(format!(
                "{} {}",
                padded(name, 10),
                clock(&case[due], reader)
            ));
        }
        lines.push(reader.say("时间线:", "timeline:").to_owned());
        let history = self.0["history"].as_array().map(Vec::as_slice);
        lines.extend(
            history
                .unwrap_or_default()
                .iter()
                .map(|step| movement(step, reader)),
        );
        lines.join("\n")
    }
}

fn clock(due: &Value, reader: Reader) -> String {
    if due.is_null() {
        return reader.say("未开始或不计", "not running").to_owned();
    }
    let provisional = if due["provisional"] == true {
        reader.say(" (日历未公布, 暂定)", " (provisional)")
    } else {
        ""
    };
    format!("{}{provisional}", minute(&due["at"]))
}

fn movement(step: &Value, reader: Reader) -> String {
    let actor = &step["actor"];
    let words = match text(&step["words"]) {
        "" => String::new(),
        words => format!("  “{words}”"),
    };
    let state = reader.say(text(&step["state_zh"]), text(&step["state"]));
    let (at, city, person) = (
        minute(&step["at"]),
        text(&actor["city"]),
        text(&actor["person"]),
    );
    format!("  {at}  {}  {city} {person}{words}", padded(state, 12))
}

/// What an officer or a clerk does next with a case in this state.
fn next_command(number: &str, case: &Value) -> String {
    if case.is_null() {
        return "tongban status".to_owned();
    }
    let act = match text(&case["state"]) {
        "collected" => "transfer",
        "received" | "corrected" => "accept",
        "correction-asked" => "correct --form FILE",
        "accepted" => "review --recommend grant --words TEXT",
        "in-review" => "decide --decision grant",
        _ if case["document"]["stage"] == "issued" => {
            return format!("tongban case export {number} --dir DIR");
        }
        _ => return format!("tongban case show {number}"),
    };
    format!("tongban case act {number} {act}")
}

/// Shows it.
pub(super) async fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let mut client = arguments.node.open(order_patience())?;
    let number = number_of(&mut client, &arguments.case).await?;
    if arguments.node.shows_curl() {
        client
            .order(&Call::get(format!("/api/v1/cases/{number}")))
            .await?;
        return Ok(Exit::Yes);
    }
    let shown = Shown(read_case(&mut client, &number).await?);
    let next = next_command(&number, &shown.0["case"]);
    output.answer_then(&shown, &format!("{next}{}", client.words()));
    Ok(Exit::Yes)
}
