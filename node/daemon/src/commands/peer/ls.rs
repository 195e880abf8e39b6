//! `tongban peer ls`: every enrolled peer and how the link to it stands.

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use tongban_api::PeerShape;
use utoipa::ToSchema;

use super::{PATIENCE, milliseconds};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::node_access::{Call, NodeAccess};
use crate::output::{Answer, Described, Output, Reader};

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    node: NodeAccess,
}

#[derive(Serialize, ToSchema)]
struct Listed {
    #[schema(value_type = String)]
    this_node: Value,
    #[schema(value_type = Vec<PeerShape>)]
    peers: Vec<Value>,
    /// How the node was named.
    #[serde(skip)]
    at: String,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Listed>("tongban peer ls");

impl Answer for Listed {
    const SCHEMA: &'static str = "tongban.peers/v1";
    const ROWS: &'static str = "peers";

    fn to_text(&self, reader: Reader) -> String {
        if self.peers.is_empty() {
            let none = reader.say("名册上没有别的节点", "the registry names no other node");
            return format!("{none}\n{}", reader.next("tongban registry check FILE"));
        }
        let mut table = reader.table(&[
            ("城市", "CITY"),
            ("节点", "NODE"),
            ("身份", "PEER ID"),
            ("状态", "STATE"),
            ("往返", "RTT"),
            ("路径", "WAY"),
            ("待发", "QUEUE"),
            ("超额", "OVER QUOTA"),
            ("协议", "PROTOCOL"),
            ("上次的错误", "LAST ERROR"),
        ]);
        for peer in &self.peers {
            table.row([
                text(&peer["city_name"]).to_owned(),
                text(&peer["node"]).to_owned(),
                tail(text(&peer["peer_id"])),
                state(peer, reader),
                peer["round_trip_us"]
                    .as_u64()
                    .map_or("-".to_owned(), milliseconds),
                way(peer, reader),
                peer["queue"].to_string(),
                peer["over_quota"].to_string(),
                version(&peer["protocols"]),
                error(&peer["last_error"], reader),
            ]);
        }
        let ill = self.peers.iter().find(|peer| is_ill(peer));
        match ill {
            Some(peer) => {
                let next = format!("tongban peer ping {}{}", text(&peer["node"]), self.at);
                format!("{}\n{}", table.text(), reader.next(&next))
            }
            None => table.text(),
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

/// The end of a libp2p name: the beginnings are all alike.
fn tail(peer_id: &str) -> String {
    let skipped = peer_id.chars().count().saturating_sub(8);
    format!("…{}", peer_id.chars().skip(skipped).collect::<String>())
}

fn state(peer: &Value, reader: Reader) -> String {
    match text(&peer["state"]) {
        "connected" => {
            let by = text(&peer["carrier"]).to_uppercase();
            // Date and time without the zone.
            let since: String = text(&peer["since"])
                .replace('T', " ")
                .chars()
                .take(19)
                .collect();
            format!("{by} {} {since}", reader.say("自", "since"))
        }
        "waiting" => {
            let ms = peer["next_dial_ms"].as_u64().unwrap_or(0);
            let seconds = ms.div_ceil(1_000);
            match reader.say("zh", "en") {
                "zh" => format!("未连, {seconds} 秒后再拨"),
                _ => format!("down, next dial in {seconds} s"),
            }
        }
        "dialing" => reader.say("正在拨", "dialing").to_owned(),
        _ => reader.say("未用过", "idle").to_owned(),
    }
}

/// The version all protocols of a link have; one row says no more.
fn version(protocols: &Value) -> String {
    let names = protocols.as_array().map(Vec::as_slice).unwrap_or_default();
    let version = names.first().and_then(|name| text(name).rsplit('/').next());
    version.map_or("-".to_owned(), |version| format!("tongban/{version}"))
}

fn way(peer: &Value, reader: Reader) -> String {
    match text(&peer["way"]) {
        "direct" => reader.say("直连", "direct").to_owned(),
        "relayed" => {
            let relays = peer["relays"]
                .as_array()
                .map(Vec::as_slice)
                .unwrap_or_default();
            let through: Vec<&str> = relays.iter().map(text).collect();
            // Whether they reach it is not known before they are asked.
            let may = reader.say("可经", "may go through");
            format!("{may} {}", through.join(" "))
        }
        _ if text(&peer["state"]) == "idle" => "-".to_owned(),
        _ => reader.say("无", "none").to_owned(),
    }
}

fn error(error: &Value, reader: Reader) -> String {
    if error.is_null() {
        return "-".to_owned();
    }
    let what = text(&error[reader.say("zh", "en")]);
    let cure = text(&error[reader.say("cure_zh", "cure_en")]);
    format!(
        "{} {}; {cure}",
        text(&error["code"]),
        what.trim_end_matches('.')
    )
}

/// Whether a person should look: not connected, and something went wrong.
fn is_ill(peer: &Value) -> bool {
    text(&peer["state"]) != "connected" && !peer["last_error"].is_null()
}

/// Lists them.
pub(super) async fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let mut client = arguments.node.open(PATIENCE)?;
    let Some(answer) = client.order(&Call::get("/api/v1/peers")).await? else {
        return Ok(Exit::Yes);
    };
    let mut page = answer.json();
    let peers = match page["peers"].take() {
        Value::Array(peers) => peers,
        _ => Vec::new(),
    };
    output.answer(&Listed {
        this_node: page["this_node"].take(),
        peers,
        at: arguments.node.words(),
    });
    Ok(Exit::Yes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::output::Language;

    fn peer(state: &str) -> Value {
        json!({
            "city": "610500", "city_name": "渭南市", "node": "610500-01",
            "peer_id": "12D3KooWabcdefghijklmnop", "state": state, "carrier": "quic",
            "since": "2026-03-02T09:30:00.000+08:00", "next_dial_ms": 2_400,
            "round_trip_us": 41_234, "queue": 3, "way": "direct", "relays": [], "over_quota": 0, "protocols": ["/tongban/0/1"],
            "last_error": null,
        })
    }

    #[test]
    fn a_peer_nobody_wanted_anything_of_has_no_way_and_lacks_none() {
        let mut idle = peer("idle");
        idle["way"] = "none".into();
        assert_eq!(way(&idle, Reader::plain(Language::En)), "-");
        let mut alone = peer("waiting");
        alone["way"] = "none".into();
        assert_eq!(way(&alone, Reader::plain(Language::En)), "none");
    }

    #[test]
    fn a_row_says_how_a_peer_is_linked_and_an_ill_one_comes_with_its_cure() {
        let mut down = peer("waiting");
        down["last_error"] = json!({
            "code": "TB6020", "zh": "暂时连不上", "en": "cannot be reached", "cure_zh": "检查网络",
            "cure_en": "check the line",
        });
        down["round_trip_us"] = Value::Null;
        down["way"] = "relayed".into();
        down["relays"] = json!(["350300-01"]);
        let listed = Listed {
            this_node: json!("350100-01"),
            peers: vec![peer("connected"), down],
            at: String::new(),
        };
        let zh = listed.to_text(Reader::plain(Language::Zh));
        assert!(zh.contains("QUIC 自 2026-03-02 09:30:00  41.23 ms"), "{zh}");
        assert!(zh.contains("未连, 3 秒后再拨"), "{zh}");
        assert!(zh.contains("可经 350300-01"), "{zh}");
        assert!(zh.contains("TB6020 暂时连不上; 检查网络"), "{zh}");
        assert!(zh.ends_with("tongban peer ping 610500-01"), "{zh}");
        let en = listed.to_text(Reader::plain(Language::En));
        assert!(en.contains("next dial in 3 s"), "{en}");
        assert!(en.contains("may go through 350300-01"), "{en}");
        assert!(en.contains("…ijklmnop"), "{en}");
        // It is the same node that is asked.
        let listed = Listed {
            at: " --data /d".to_owned(),
            ..listed
        };
        let zh = listed.to_text(Reader::plain(Language::Zh));
        let next = "tongban peer ping 610500-01 --data /d";
        assert!(zh.ends_with(next), "{zh}");
    }
}
