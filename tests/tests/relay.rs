//! Packets of a city whose own node is down: its partners hold its group, gather the group's
//! signatures and deliver.

use std::time::Duration;

use serde_json::Value;
use tongban_tests::client::Ask;
use tongban_tests::federation::{CITIES, FUZHOU, Federation, group_in};
use tongban_tests::forms::{Applicant, migration};
use tongban_tests::process::until;

const CASES: &str = "/api/v1/cases";
/// No node of its group is a node of Fuzhou's.
const NANPING: usize = 3;
const MOVE_TO_NANPING: &str = "350702";
const NANPINGS: [usize; 3] = [3, 4, 5];
const SETTLE_LIMIT: Duration = Duration::from_mins(1);

#[test]
fn partners_deliver_what_a_city_sent_while_its_own_node_is_down() {
    let mut federation = Federation::start("warn").unwrap();
    for city in NANPINGS {
        federation.kill(city).unwrap();
    }
    let mut clerk = federation.person(FUZHOU, "clerk", "fz-001").unwrap();
    let body = migration(&Applicant::numbered(1), MOVE_TO_NANPING).unwrap();
    let collect = Ask::post(CASES, &body).key("collect").replicated();
    let collected = until(SETTLE_LIMIT, "the case is replicated", || {
        let answer = clerk.ask(&collect).ok();
        Ok(answer.filter(|answer| answer.status == 201))
    });
    let case = collected.unwrap().json().unwrap()["case"].clone();
    let path = format!("{CASES}/{}", case.as_str().unwrap());
    federation.kill(FUZHOU).unwrap();

    for city in NANPINGS {
        federation.start_one(city).unwrap();
    }
    federation.until_leading(NANPING).unwrap();
    let mut officer = federation.person(NANPING, "officer", "np-101").unwrap();
    until(SETTLE_LIMIT, "Nanping has the case", || {
        let answer = officer.ask(&Ask::get(&path)).ok();
        Ok(answer.filter(|answer| answer.status == 200).map(drop))
    })
    .unwrap();
    // The answer came back to Fuzhou's group while Fuzhou is still down.
    let mut partner = federation.person(1, "operator", "operator").unwrap();
    until(SETTLE_LIMIT, "Fuzhou's group has the answer", || {
        let status = partner.read("/api/v1/status")?;
        let group = group_in(&status, CITIES[FUZHOU].0).map(|group| group["unanswered"].clone());
        Ok((group == Some(Value::from(0))).then_some(()))
    })
    .unwrap();
    federation.end().unwrap();
}
