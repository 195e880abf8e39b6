//! `tongban case new`: 收件, an application is taken in.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};
use tongban_api::CollectedShape;
use utoipa::ToSchema;

use super::{new_key, read_form, text, under_key};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::http_client::order_patience;
use crate::node_access::{Call, NodeAccess, NodeClient, word};
use crate::output::{Answer, Described, Output, Reader};

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 事项编码 (code of the item)
    #[arg(long, value_name = "CODE")]
    item: String,
    /// 事项版本, 默认最新 (version of the item; the newest by default)
    #[arg(long, value_name = "N")]
    item_version: Option<u32>,
    /// 填好的表单, JSON; - 为标准输入 (the filled form; - is stdin)
    #[arg(long, value_name = "FILE")]
    form: PathBuf,
    /// 渠道 (how it came in)
    #[arg(long, value_parser = ["window", "online", "terminal"], default_value = "window")]
    channel: String,
    /// 只收不转, 以后用 case act NO transfer 转送 (do not hand it over yet)
    #[arg(long)]
    keep_here: bool,
    /// 等到多数副本落盘 (wait until a majority has it)
    #[arg(long)]
    wait: bool,
    /// 幂等键: 重发不会重复收件 (idempotency key: sent again, nothing happens twice)
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    #[command(flatten)]
    node: NodeAccess,
}

#[derive(Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = CollectedShape)]
struct Collected(Value);

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Collected>("tongban case new");

impl Answer for Collected {
    const SCHEMA: &'static str = "tongban.case-collected/v1";

    fn to_text(&self, reader: Reader) -> String {
        let (case, receipt) = (text(&self.0["case"]), &self.0["receipt"]);
        let safety = reader.say(text(&receipt["safety_zh"]), text(&receipt["safety"]));
        format!("{case}\n{}: {safety}", reader.say("回执", "receipt"))
    }
}

/// Takes it in.
pub(super) async fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let form = read_form(&arguments.form)?;
    let mut client = arguments.node.open(order_patience())?;
    let version = match arguments.item_version {
        Some(version) => version,
        None => newest(&mut client, &arguments.item).await?,
    };
    let body = json!({
        "item": {"code": arguments.item, "version": version},
        "form": form,
        "channel": arguments.channel,
        "hand_over": !arguments.keep_here,
    });
    let key = arguments.key.clone().unwrap_or_else(new_key);
    let mut call = Call::post("/api/v1/cases", &body).header("idempotency-key", &key);
    if arguments.wait {
        call = call.header("prefer", "wait=replicated");
    }
    let answer = client.order(&call).await.map_err(|failure| {
        let again = again(arguments, version, &key);
        under_key(failure, again, Some(&arguments.form), output)
    })?;
    if let Some(answer) = answer {
        let collected = Collected(answer.json());
        let case = text(&collected.0["case"]);
        let next = format!("tongban case show {case}{}", client.words());
        output.answer_then(&collected, &next);
    }
    Ok(Exit::Yes)
}

/// The same order, of the same node: another one under its key would be refused.
fn again(arguments: &Arguments, version: u32, key: &str) -> String {
    let flag = |is_set: bool, flag: &'static str| if is_set { flag } else { "" };
    format!(
        "tongban case new --item {} --item-version {version} --form {} --channel {}{}{} --key {}{}",
        word(&arguments.item),
        word(&arguments.form.to_string_lossy()),
        arguments.channel,
        flag(arguments.keep_here, " --keep-here"),
        flag(arguments.wait, " --wait"),
        word(key),
        arguments.node.words()
    )
}

/// The newest version of an item; one that is not in the catalogue is refused by the node.
async fn newest(client: &mut NodeClient, code: &str) -> Result<u32, Failure> {
    let items = client.read("/api/v1/items").await?;
    let items = items["items"].as_array().map(Vec::as_slice);
    let versions = items.unwrap_or_default().iter();
    let versions = versions.filter(|item| item["code"] == code);
    let versions = versions.filter_map(|item| u32::try_from(item["version"].as_u64()?).ok());
    Ok(versions.max().unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::typed::typed;

    #[test]
    fn an_order_sent_again_is_the_one_that_was_given() {
        let read = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().skip(2).collect();
            typed::<Arguments>(&words)
        };
        for given in [
            "tongban case new --item 000109900001 --form f.json",
            "tongban case new --item 000109900001 --item-version 3 --form - --channel online \
             --keep-here --wait --key k --data /d",
        ] {
            let given = read(given);
            let again = read(&again(&given, 3, "k"));
            let whole = Arguments {
                item_version: Some(3),
                key: Some("k".to_owned()),
                ..given
            };
            assert_eq!(format!("{again:?}"), format!("{whole:?}"));
        }
    }
}
