//! Over answers as the API makes them of a report, in which one thing each is changed.

use std::collections::BTreeMap;

use tongban_api::status_json;
use tongban_runtime::ports::GroupStatus;
use tongban_runtime::{GroupReport, NodeReport};
use tongban_types::{Code, GroupId, NodeId, Timestamp};

use super::*;
use crate::output::Language;

fn node(text: &str) -> NodeId {
    text.parse().unwrap()
}

/// A follower of its own group, all well.
fn report() -> NodeReport {
    let voters = ["350100-01", "350300-01", "350900-01"].map(node).to_vec();
    let group = GroupReport {
        group: GroupId("350100".parse().unwrap()),
        status: GroupStatus {
            leader: Some(voters[1]),
            voters: voters.clone(),
            ..GroupStatus::default()
        },
        time: Timestamp::default(),
        cases: 7,
        unanswered: 0,
        refused: BTreeMap::new(),
        evidence: 0,
        in_touch: 3,
        has_quorum: true,
        can_lose: 1,
        diverged: false,
    };
    NodeReport {
        node: voters[0],
        groups: vec![group],
        connected: voters[1..].to_vec(),
        desk_waiting: 0,
        desk_refused: 0,
        case_keys: 0,
        registry: 1,
        refused_to_peers: BTreeMap::new(),
        relayed: 0,
        draining: false,
        failed: false,
    }
}

fn peers() -> Value {
    serde_json::json!({"this_node": "350100-01", "peers": [
        {"city": "350300", "city_name": "莆田市", "state": "connected", "round_trip_us": 12_345},
        {"city": "610500", "city_name": "渭南市", "state": "waiting", "next_dial_ms": 19_100},
    ]})
}

/// The status the API gives of a report in which something is changed.
fn status(change: impl FnOnce(&mut NodeReport)) -> Status {
    let mut report = report();
    change(&mut report);
    Status::of(status_json(&report), &peers())
}

#[test]
fn the_first_line_says_how_many_more_can_be_lost() {
    let well = status(|_| {});
    let shown = well.to_text(Reader::default());
    assert!(well.is_healthy());
    assert!(
        shown.starts_with(
            "可再失去节点: 1 (3 个投票成员, 本机所见 3 个在线; 以主副本 350300-01 所见为准)\n"
        ),
        "{shown}"
    );
    assert!(
        shown.contains("福州市") && shown.contains("正常"),
        "{shown}"
    );
    assert!(!shown.contains("下一步"), "{shown}");
    assert!(
        shown.contains("伙伴城市: 莆田市 正常 12.3 ms · 渭南市 断开 (20 秒后重试)"),
        "{shown}"
    );
    let rows: Vec<Vec<&str>> = shown
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert!(
        rows.contains(&vec!["350300-01", "莆田市", "主", "已连接"]),
        "{shown}"
    );
    assert!(
        rows.contains(&vec!["350100-01", "福州市", "从", "本机"]),
        "{shown}"
    );
    let english = well.to_text(Reader::plain(Language::En));
    let first = "nodes that can be lost: 1 (3 voters, 3 in touch as seen from here; 350300-01 leads and knows)";
    assert_eq!(english.lines().next(), Some(first));
    let leads = status(|node| node.groups[0].status.leader = Some(node.node));
    let shown = leads.to_text(Reader::default());
    assert!(
        shown.starts_with("可再失去节点: 1 (3 个投票成员, 3 个在线)\n"),
        "{shown}"
    );
}

#[test]
fn the_group_of_another_city_is_shown_and_not_taken_for_the_own_one() {
    let foreign = |node: &mut NodeReport| {
        node.groups[0].group = GroupId("350300".parse().unwrap());
    };
    let found = status(foreign);
    let shown = found.to_text(Reader::default());
    assert!(!found.is_healthy());
    assert!(
        shown.starts_with("可再失去节点: 0 (未知: 没有本市的审批组)\n"),
        "{shown}"
    );
    assert!(!shown.contains("成员"), "{shown}");
    assert!(shown.contains("莆田市"), "{shown}");
    assert!(
        shown.ends_with(&format!("tongban explain {}", Code::NOT_HOSTED)),
        "{shown}"
    );
}

#[test]
fn a_node_that_takes_no_new_case_is_not_said_to_be_well() {
    let drained = status(|node| node.draining = true);
    let shown = drained.to_text(Reader::default());
    assert!(drained.is_healthy());
    assert!(
        shown.contains("停用维护") && shown.ends_with("下一步: tongban node resume"),
        "{shown}"
    );
}

#[test]
fn a_group_that_could_lose_no_more_is_not_said_to_be_well() {
    let spent = status(|node| {
        node.groups[0].status.leader = Some(node.node);
        node.groups[0].can_lose = 0;
        node.groups[0].in_touch = 2;
        node.connected.pop();
    });
    assert!(spent.is_healthy());
    let shown = spent.to_text(Reader::default());
    assert!(shown.contains("没有余量"), "{shown}");
    let next = "下一步: tongban peer ping 350900-01";
    assert!(shown.ends_with(next), "{shown}");
    let english = spent.to_text(Reader::plain(Language::En));
    assert!(english.contains("no reserve"), "{english}");
}

#[test]
fn a_follower_that_wanted_nothing_of_a_voter_does_not_say_that_it_is_away() {
    let mut report = report();
    report.groups[0].can_lose = 0;
    report.groups[0].in_touch = 2;
    report.connected.pop();
    let shown = |state: &str| {
        let mut peers = peers();
        let third = serde_json::json!({"node": "350900-01", "city": "350900", "state": state});
        peers["peers"].as_array_mut().unwrap().push(third);
        let status = Status::of(status_json(&report), &peers);
        status.to_text(Reader::plain(Language::En))
    };
    let idle = shown("idle");
    assert!(
        !idle.contains("reserve") && !idle.contains("away !"),
        "{idle}"
    );
    let least = "nodes that can be lost: at least 0 (3 voters, 2 in touch as seen from here;";
    assert!(idle.starts_with(least), "{idle}");
    let waiting = shown("waiting");
    assert!(waiting.contains("no reserve"), "{waiting}");
    assert!(
        waiting.starts_with("nodes that can be lost: 0 ("),
        "{waiting}"
    );
    assert!(waiting.contains("away !"), "{waiting}");
    assert!(
        waiting.ends_with("next: tongban peer ping 350900-01"),
        "{waiting}"
    );
}

#[test]
fn a_voter_that_is_away_is_said_though_another_may_be_lost() {
    let reduced = status(|seen| {
        seen.groups[0].status.leader = Some(seen.node);
        let more = ["350700-01", "610500-01"].map(node);
        seen.groups[0].status.voters.extend(more);
        seen.connected.extend(more);
        seen.groups[0].in_touch = 4;
    });
    let shown = reduced.to_text(Reader::plain(Language::En));
    assert!(shown.contains("less reserve"), "{shown}");
    // Whoever leads does not hear a voter that is connected.
    assert!(shown.ends_with("next: tongban group status"), "{shown}");
}

#[test]
fn a_group_of_a_single_voter_has_no_reserve_to_lose() {
    let single = status(|node| {
        node.groups[0].status.voters.truncate(1);
        node.groups[0].in_touch = 1;
        node.groups[0].can_lose = 0;
    });
    let shown = single.to_text(Reader::plain(Language::En));
    assert!(shown.contains("· well ·"), "{shown}");
    assert!(!shown.contains("reserve"), "{shown}");
}

#[test]
fn a_member_out_of_touch_is_seen_at_a_glance() {
    let found = status(|node| node.connected.clear());
    let shown = found.to_text(Reader::default());
    assert_eq!(shown.matches("断开 !").count(), 2, "{shown}");
}

#[test]
fn whatever_is_wrong_is_said_and_is_a_no() {
    type Change = fn(&mut NodeReport);
    let cases: [(Change, &str, &str); 7] = [
        (|node| node.failed = true, "故障", "NODE_FAILED"),
        (
            |node| node.groups[0].status.stopped = true,
            "未知: 本市审批组已停止",
            "GROUP_STOPPED",
        ),
        (
            |node| {
                node.groups[0].status.stopped = true;
                node.groups[0].diverged = true;
            },
            "不一致",
            "GROUP_STOPPED",
        ),
        (
            |node| node.groups[0].has_quorum = false,
            "未知: 审批组没有主副本或多数",
            "NO_QUORUM",
        ),
        (|node| node.groups[0].evidence = 1, "证据", "EQUIVOCATION"),
        (|node| node.groups.clear(), "没有本市的审批组", "NOT_HOSTED"),
        (|node| node.desk_refused = 2, "拒绝 2: GET", "DESK_REFUSED"),
    ];
    for (change, said, code) in cases {
        let found = status(change);
        let shown = found.to_text(Reader::default());
        assert!(!found.is_healthy(), "{shown}");
        assert!(shown.contains(said), "{said}: {shown}");
        let standing = shown.lines().nth(1).unwrap_or_default();
        assert!(!standing.contains("正常"), "{shown}");
        let next = shown.lines().next_back().unwrap_or_default();
        let named = next.rsplit(' ').next().and_then(|code| code.parse().ok());
        let entry = named.and_then(Code::entry).unwrap();
        let name = code.to_lowercase().replace('_', "-");
        assert_eq!(entry.name, name, "{shown}");
        assert_eq!(serde_json::to_value(&found).unwrap()["healthy"], false);
    }
}
