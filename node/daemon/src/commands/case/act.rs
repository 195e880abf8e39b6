//! `tongban case act`: one step of a case's life, done as the holder of the token at the version that
//! was seen.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::{Map, Value, json};
use tongban_api::{ActedShape, Said};
use tongban_types::Code;
use utoipa::ToSchema;

use super::number::{number_of, read_case};
use super::{new_key, read_form, text, under_key};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::http_client::order_patience;
use crate::node_access::{Call, NodeAccess, word};
use crate::output::{Answer, Described, Output, Reader};

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 办件编号或其开头 (number of the case, or its beginning)
    #[arg(value_name = "NO")]
    case: String,
    /// 哪一步 (which step)
    #[arg(value_enum)]
    act: Step,
    /// 告知、理由或意见 (what is said: notice, reason or opinion)
    #[arg(long, value_name = "TEXT")]
    words: Option<String>,
    /// 审查建议 (what a reviewer recommends)
    #[arg(long, value_parser = ["grant", "refuse"])]
    recommend: Option<String>,
    /// 决定 (the decision)
    #[arg(long, value_parser = ["grant", "refuse"])]
    decision: Option<String>,
    /// 补正后的表单 (the corrected form)
    #[arg(long, value_name = "FILE")]
    form: Option<PathBuf>,
    /// 所见的版本; 默认现在的版本 (the version seen; the present one by default)
    #[arg(long, value_name = "N")]
    expect: Option<u64>,
    /// 幂等键: 重发不会重复办理 (idempotency key: sent again, nothing happens twice)
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    #[command(flatten)]
    node: NodeAccess,
}

/// The steps, as the API names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Step {
    /// 转送 (hand over)
    Transfer,
    /// 一次性告知 (ask for corrections, all at once)
    AskCorrection,
    /// 补正 (correct)
    Correct,
    /// 受理 (accept)
    Accept,
    /// 不予受理 (refuse to accept)
    RefuseToAccept,
    /// 审查 (review)
    Review,
    /// 决定 (decide)
    Decide,
    /// 送达 (deliver)
    Deliver,
    /// 撤回 (withdraw)
    Withdraw,
}

impl Step {
    const fn name(self) -> &'static str {
        match self {
            Self::Transfer => "transfer",
            Self::AskCorrection => "ask-correction",
            Self::Correct => "correct",
            Self::Accept => "accept",
            Self::RefuseToAccept => "refuse-to-accept",
            Self::Review => "review",
            Self::Decide => "decide",
            Self::Deliver => "deliver",
            Self::Withdraw => "withdraw",
        }
    }

    /// The member of the request that `--words` goes into.
    const fn words(self) -> Option<&'static str> {
        match self {
            Self::AskCorrection => Some("notice"),
            Self::RefuseToAccept | Self::Withdraw | Self::Decide => Some("reason"),
            Self::Review => Some("opinion"),
            Self::Transfer | Self::Correct | Self::Accept | Self::Deliver => None,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = ActedShape)]
struct Acted(Value);

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Acted>("tongban case act");

impl Answer for Acted {
    const SCHEMA: &'static str = "tongban.case-acted/v1";

    fn to_text(&self, reader: Reader) -> String {
        let (case, version) = (text(&self.0["case"]), &self.0["version"]);
        let state = reader.say(text(&self.0["state_zh"]), text(&self.0["state"]));
        format!("{case}  {state}  v{version}")
    }
}

/// Does it.
pub(super) async fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let mut body = body(arguments)?;
    let mut client = arguments.node.open(order_patience())?;
    let number = number_of(&mut client, &arguments.case).await?;
    let version = if let Some(version) = arguments.expect {
        version
    } else {
        let seen = read_case(&mut client, &number).await?;
        seen["case"]["version"].as_u64().unwrap_or(0)
    };
    body.insert("expected_version".to_owned(), version.into());
    let key = arguments.key.clone().unwrap_or_else(new_key);
    let act = arguments.act.name();
    let call = Call::post(
        format!("/api/v1/cases/{number}/{act}"),
        &Value::Object(body),
    )
    .header("idempotency-key", &key);
    let answer = client.order(&call).await;
    let show = format!("tongban case show {number}{}", client.words());
    let answer = answer.map_err(|failure| {
        if failure.code == Code::STALE_VERSION {
            // Somebody else was faster: what they did is to be seen first.
            return failure.then(&show);
        }
        let again = again(arguments, &number, version, &key);
        under_key(failure, again, arguments.form.as_deref(), output)
    })?;
    if let Some(answer) = answer {
        output.answer_then(&Acted(answer.json()), &show);
    }
    Ok(Exit::Yes)
}

/// The same order, of the same node: another one under its key would be refused.
fn again(arguments: &Arguments, number: &str, version: u64, key: &str) -> String {
    let form = arguments.form.as_ref().map(|file| file.to_string_lossy());
    let given = [
        ("--words", arguments.words.as_deref()),
        ("--recommend", arguments.recommend.as_deref()),
        ("--decision", arguments.decision.as_deref()),
        ("--form", form.as_deref()),
    ];
    let mut line = format!("tongban case act {number} {}", arguments.act.name());
    for (name, value) in given {
        if let Some(value) = value {
            line.extend([" ", name, " ", &word(value)]);
        }
    }
    let (key, node) = (word(key), arguments.node.words());
    format!("{line} --expect {version} --key {key}{node}")
}

/// What is particular to the step; what does not belong to it, or is missing, is a mistake of usage.
fn body(arguments: &Arguments) -> Result<Map<String, Value>, Failure> {
    let step = arguments.act;
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
    match (step.words(), &arguments.words) {
        (Some(name), Some(words)) => put(name, json!(words)),
        // A decision may go without a reason; the node says when it must not.
        (Some(_), None) if step == Step::Decide => {}
        (None, None) => {}
        (Some(_), None) => return Err(usage(step, "--words TEXT")),
        (None, Some(_)) => return Err(not_with(step, "--words")),
    }
    let choices = [
        (Step::Review, "recommend", &arguments.recommend),
        (Step::Decide, "decision", &arguments.decision),
    ];
    for (of, name, chosen) in choices {
        match chosen {
            Some(chosen) if of == step => put(name, json!(chosen)),
            Some(_) => return Err(not_with(step, &format!("--{name}"))),
            None if of == step => return Err(usage(step, &format!("--{name} grant|refuse"))),
            None => {}
        }
    }
    match &arguments.form {
        Some(file) if step == Step::Correct => put("form", read_form(file)?),
        Some(_) => return Err(not_with(step, "--form")),
        None if step == Step::Correct => return Err(usage(step, "--form FILE")),
        None => {}
    }
    Ok(body)
}

fn usage(step: Step, missing: &str) -> Failure {
    let step = step.name();
    let says = Said::new(
        format!("{step} 需要 {missing}"),
        format!("{step} needs {missing}"),
    );
    Failure::told(Code::USAGE, Exit::Usage, says).then("tongban case act --help")
}

fn not_with(step: Step, given: &str) -> Failure {
    let step = step.name();
    let says = Said::new(
        format!("{step} 不用 {given}"),
        format!("{step} takes no {given}"),
    );
    Failure::told(Code::USAGE, Exit::Usage, says).then("tongban case act --help")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::typed::typed;

    #[test]
    fn an_order_sent_again_is_the_one_that_was_given() {
        let line = |given: &[&str]| {
            let given: Arguments = typed(&[&["act", "35"][..], given].concat());
            again(&given, "350100000001", 4, "k")
        };
        let review = ["review", "--recommend", "grant", "--words", "it's whole"];
        assert_eq!(
            line(&[&review[..], &["--data", "/d"]].concat()),
            "tongban case act 350100000001 review --words 'it'\\''s whole' --recommend grant \
             --expect 4 --key k --data /d"
        );
        assert_eq!(
            line(&["decide", "--decision", "refuse", "--words", "no"]),
            "tongban case act 350100000001 decide --words no --decision refuse --expect 4 --key k"
        );
        assert_eq!(
            line(&["correct", "--form", "-"]),
            "tongban case act 350100000001 correct --form - --expect 4 --key k"
        );
    }
}
