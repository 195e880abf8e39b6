//! `tongban group transfer`: hands the lead of a group from the node to another voter, and looks until that
//! one leads.

use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;
use serde_json::json;
use tongban_types::{CityCode, NodeId};
use utoipa::ToSchema;

use super::PATIENCE;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::node_access::{Call, NodeAccess};
use crate::output::{Answer, Described, Output, Reader};

/// Between two looks at the group.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The successor stands at once; one that does not within this time lost the election, and another stands.
const LEADS_WITHIN: Duration = Duration::from_secs(10);

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 审批组, 以城市为名 (the group, named by its city)
    #[arg(value_name = "CITY")]
    group: CityCode,
    /// 接任主持的投票成员 (the voter that is to lead)
    #[arg(long, value_name = "NODE")]
    to: NodeId,
    #[command(flatten)]
    node: NodeAccess,
}

#[derive(Serialize, ToSchema)]
struct HandedOver {
    group: String,
    to: String,
    /// The successor was seen to lead.
    leads: bool,
    /// It is of another city: the lead goes back by itself once a node of the group's own city can take it.
    comes_home: bool,
    /// How the node was named.
    #[serde(skip)]
    at: String,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<HandedOver>("tongban group transfer");

impl Answer for HandedOver {
    const SCHEMA: &'static str = "tongban.lead-handed-over/v1";

    fn to_text(&self, reader: Reader) -> String {
        let (group, to) = (&self.group, &self.to);
        let look = reader.next(&format!("tongban group status {group}{}", self.at));
        if !self.leads {
            let said = reader.say(
                format!("已要求 {to} 接任 {group} 的主持, 还没有看到它主持"),
                format!("{to} was asked to take the lead of {group} and is not seen to lead yet"),
            );
            return format!("{said}\n{look}");
        }
        let said = reader.say(
            format!("{group} 的主持已移交 {to}"),
            format!("the lead of {group} was handed to {to}"),
        );
        if !self.comes_home {
            return format!("{said}\n{look}");
        }
        let home = reader.say(
            "它不是本市节点: 本市有节点可接任时, 主持会自动交回; 要让主持留在外市, 停用本市节点",
            "it is of another city: the lead comes home by itself once a node of the city can take \
             it; drain that node to keep it away",
        );
        format!("{said}\n{home}\n{look}")
    }
}

/// Hands it over: seen to lead is a yes.
pub(super) async fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let mut client = arguments.node.open(PATIENCE)?;
    let group = format!("/api/v1/groups/{}", arguments.group);
    let to = arguments.to.to_string();
    let order = Call::post(format!("{group}/lead"), &json!({"to": to}));
    if client.order(&order).await?.is_none() {
        return Ok(Exit::Yes);
    }
    let until = Instant::now() + LEADS_WITHIN;
    let leads = loop {
        let leads = client.read(&group).await?["leader"] == to;
        if leads || Instant::now() >= until {
            break leads;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    };
    output.answer(&HandedOver {
        group: arguments.group.to_string(),
        to,
        leads,
        comes_home: arguments.to.city() != arguments.group,
        at: arguments.node.words(),
    });
    Ok(if leads { Exit::Yes } else { Exit::TimedOut })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Language;

    fn said(to: &str, leads: bool, comes_home: bool, language: Language) -> String {
        let handed_over = HandedOver {
            group: "610500".to_owned(),
            to: to.to_owned(),
            leads,
            comes_home,
            at: String::new(),
        };
        handed_over.to_text(Reader::plain(language))
    }

    #[test]
    fn a_lead_is_said_to_be_handed_over_once_the_successor_is_seen_to_lead() {
        assert_eq!(
            said("610500-02", true, false, Language::Zh),
            "610500 的主持已移交 610500-02\n下一步: tongban group status 610500"
        );
        let waits = said("610500-02", false, false, Language::En);
        assert!(waits.contains("is not seen to lead yet\n"), "{waits}");
        assert!(!waits.contains("was handed"), "{waits}");
    }

    #[test]
    fn a_lead_in_another_city_is_said_to_come_home_by_itself() {
        let away = said("350300-01", true, true, Language::En);
        assert!(away.contains("comes home by itself"), "{away}");
        assert!(away.contains("drain that node"), "{away}");
        let next = "next: tongban group status 610500";
        assert!(away.ends_with(next), "{away}");
        let away = said("350300-01", true, true, Language::Zh);
        assert!(away.contains("主持会自动交回"), "{away}");
    }
}
