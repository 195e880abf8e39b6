//! `tongban group plan`: writes the next order of placement, unsigned, and says what it would do.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use tongban_api::PlanShape;
use tongban_trust::PlacementFile;
use tongban_types::{CityCode, GroupId, NodeId, PlacementOrder};
use utoipa::ToSchema;

use super::PATIENCE;
use super::words::{names, tolerance, voters};
use crate::commands::draft;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::{read_bounded, replace};
use crate::node_access::{Call, NodeAccess, NodeClient};
use crate::output::{Answer, Described, Output, Reader};

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 审批组, 以城市为名 (the group, named by its city)
    #[arg(value_name = "CITY")]
    group: CityCode,
    /// 投票成员, 3 或 5 个 (the voters, 3 or 5)
    #[arg(long, value_name = "NODES", value_delimiter = ',', required = true)]
    voters: Vec<NodeId>,
    /// 旁听副本 (learners)
    #[arg(long, value_name = "NODES", value_delimiter = ',')]
    learners: Vec<NodeId>,
    /// 为什么, 写入日志 (why, for those who read the log later)
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// 把未签署的部署令写到这里 (write the unsigned order here)
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    node: NodeAccess,
}

#[derive(Serialize, ToSchema)]
struct Planned {
    #[schema(value_type = Option<String>)]
    file: Option<PathBuf>,
    #[serde(flatten)]
    #[schema(value_type = PlanShape)]
    plan: Value,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Planned>("tongban group plan");

impl Answer for Planned {
    const SCHEMA: &'static str = "tongban.placement-plan/v1";

    fn to_text(&self, reader: Reader) -> String {
        let plan = &self.plan;
        let mut lines = vec![
            format!("{} v{}", reader.say("部署令", "order"), plan["version"]),
            format!(
                "{}  {}",
                reader.say("加入", "come in"),
                names(&plan["comes_in"])
            ),
            format!("{}  {}", reader.say("退出", "go"), names(&plan["goes"])),
        ];
        let steps = plan["steps"].as_array().map(Vec::as_slice);
        for (place, step) in steps.unwrap_or_default().iter().enumerate() {
            let (number, voters) = (place + 1, voters(step));
            lines.push(format!(
                "  {number}. {voters}  + {}",
                names(&step["learners"])
            ));
        }
        let figures = ["tolerates_now", "tolerates_meanwhile", "tolerates_then"]
            .map(|figure| tolerance(&plan[figure], reader));
        let [now, meanwhile, then] = figures;
        lines.push(reader.say(
            format!("可失去: 现在 {now}, 途中最少 {meanwhile}, 之后 {then}"),
            format!("can lose: now {now}, on the way at least {meanwhile}, then {then}"),
        ));
        let waits = names(&plan["waits_for"]);
        if waits != "-" {
            lines.push(reader.say(
                format!("注意: {waits} 连不上, 变更会停下等它"),
                format!("beware: {waits} is out of reach, and the change would wait for it"),
            ));
        }
        if let Some(file) = &self.file {
            let next = format!(
                "tongban group sign {} --key governance.key --trust registry.json",
                file.display()
            );
            lines.push(reader.next(&next));
        }
        lines.join("\n")
    }
}

/// Plans it: a plan with something to be done ends so.
pub(super) async fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    if let Some(out) = &arguments.out {
        // Which order is in force says whether the one there was handed in.
        let (group, node) = (arguments.group, arguments.node.words());
        check_only_draft(out, || format!("tongban group status {group}{node}"))?;
    }
    let mut client = arguments.node.open(PATIENCE)?;
    let file = next_order(arguments, &mut client).await?;
    let body: Value = serde_json::from_str(&file.encode_indented()).unwrap_or_default();
    let path = format!("/api/v1/groups/{}/plan", arguments.group);
    let Some(answer) = client.order(&Call::post(path, &body)).await? else {
        return Ok(Exit::Yes);
    };
    let plan = answer.json();
    if let Some(out) = &arguments.out {
        replace(out, file.encode_indented().as_bytes(), 0o644)?;
    }
    let has_steps = plan["steps"]
        .as_array()
        .is_some_and(|steps| !steps.is_empty());
    output.answer(&Planned {
        file: arguments.out.clone(),
        plan,
    });
    Ok(if has_steps { Exit::Changes } else { Exit::Yes })
}

/// An order names some nodes and bears a signature.
const ORDER_BYTES_MAX: usize = 64 * 1024;

/// A draft is made again as often as it takes. The signature of a city's governance is fetched from where its
/// key is kept: an order that bears one is never written over, nor a file that is no order.
fn check_only_draft(out: &Path, next: impl FnOnce() -> String) -> Result<(), Failure> {
    let is_draft =
        |bytes: &[u8]| PlacementFile::decode(bytes).is_ok_and(|file| file.signed().is_none());
    let read = read_bounded(out, ORDER_BYTES_MAX);
    draft::check_only_draft(out, read, is_draft, ("部署令", "order"), next)
}

async fn next_order(
    arguments: &Arguments,
    client: &mut NodeClient,
) -> Result<PlacementFile, Failure> {
    let group = client
        .read(&format!("/api/v1/groups/{}", arguments.group))
        .await?;
    let version = group["placement"]["version"].as_u64().unwrap_or(0);
    let sorted = |nodes: &[NodeId]| {
        let mut nodes = nodes.to_vec();
        nodes.sort_unstable();
        nodes
    };
    Ok(PlacementFile::new(PlacementOrder {
        group: GroupId(arguments.group),
        version: version + 1,
        voters: sorted(&arguments.voters),
        learners: sorted(&arguments.learners),
        reason: arguments.reason.clone(),
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tongban_trust::SigningKey;

    use super::*;
    use crate::output::Language;
    use tongban_types::Code;

    #[test]
    fn an_order_that_bears_a_signature_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("order.json");
        let write = |order: &PlacementFile| std::fs::write(&out, order.encode_indented()).unwrap();
        let check = |out: &Path| check_only_draft(out, || "tongban group status".to_owned());
        check(&out).unwrap();
        let mut order = PlacementFile::new(PlacementOrder {
            group: GroupId("350100".parse().unwrap()),
            version: 2,
            voters: vec!["350100-01".parse().unwrap()],
            learners: Vec::new(),
            reason: String::new(),
        });
        write(&order);
        check(&out).unwrap();
        order.sign(&SigningKey::from_seed(&[7; 32]));
        write(&order);
        let refused = check(&out).unwrap_err();
        assert_eq!(
            (refused.code, refused.exit),
            (Code::FILE_UNUSABLE, Exit::Conflict)
        );
        std::fs::write(&out, "notes").unwrap();
        assert_eq!(check(&out).unwrap_err().exit, Exit::Conflict);
        // What cannot be read is told as such, not as an order that is none.
        let unreadable = check(folder.path()).unwrap_err();
        assert_ne!(unreadable.exit, Exit::Conflict);
    }

    #[test]
    fn a_plan_says_what_is_lost_in_tolerance_on_the_way() {
        let planned = Planned {
            file: Some("order.json".into()),
            plan: json!({
                "version": 2, "comes_in": ["350700-01"], "goes": ["350300-01"],
                "steps": [{"voter_sets": [["350100-01"]], "learners": ["350700-01"]}],
                "tolerates_now": 1, "tolerates_meanwhile": 0, "tolerates_then": null,
                "waits_for": ["350700-01"],
            }),
        };
        let en = planned.to_text(Reader::plain(Language::En));
        assert!(
            en.contains("now 1, on the way at least 0, then cannot decide"),
            "{en}"
        );
        assert!(en.contains("350700-01 is out of reach"), "{en}");
        assert!(en.contains("1. 350100-01  + 350700-01"), "{en}");
        assert!(en.contains("tongban group sign order.json"), "{en}");
    }
}
