//! A request repeated under its `Idempotency-Key` gets the answer of its first try, whatever became of
//! the connection or the process between: clients need not know whether they were heard.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use tongban_tests::client::{Ask, Client};
use tongban_tests::federation::{Federation, WEINAN};
use tongban_tests::forms::{Applicant, migration};
use tongban_tests::process::until;

const CASES: &str = "/api/v1/cases";
const MOVE_TO_WEINAN: &str = "610502";
const SETTLE_LIMIT: Duration = Duration::from_mins(1);

#[test]
fn a_repeat_gets_the_answer_of_its_first_try_also_across_a_kill() {
    let mut federation = Federation::start("warn").unwrap();
    let mut clerk = federation.person(WEINAN, "clerk", "wn-001").unwrap();
    let mut officer = federation.person(WEINAN, "officer", "wn-101").unwrap();

    let body = migration(&Applicant::numbered(1), MOVE_TO_WEINAN).unwrap();
    let collect = Ask::post(CASES, &body).key("collect").replicated();
    let collected = answer_of(&mut clerk, &collect).unwrap();
    let case = collected["case"].as_str().unwrap().to_owned();
    let path = format!("{CASES}/{case}");
    // Where the answer said replicated, this is the first look.
    let version = until(SETTLE_LIMIT, "the case is in the group", || {
        let version = officer.read(&path)?["case"]["version"].clone();
        Ok(version.is_u64().then_some(version))
    });
    let version = version.unwrap();

    let accept = |version: &Value| {
        let body = json!({ "expected_version": version });
        Ask::post(&format!("{path}/accept"), &body).key("accept")
    };
    let first = officer.ask(&accept(&version)).unwrap();
    assert_eq!(first.status, 200, "{first}");
    assert_eq!(first.header("idempotency-replayed"), None, "{first}");
    let again = officer.ask(&accept(&version)).unwrap();
    assert_eq!((again.status, &again.body), (200, &first.body), "{again}");
    assert_eq!(
        again.header("idempotency-replayed"),
        Some("true"),
        "{again}"
    );

    let otherwise = json!({ "expected_version": version, "reason": "另一请求" });
    let path_refuse = format!("{path}/refuse-to-accept");
    let refused = officer
        .ask(&Ask::post(&path_refuse, &otherwise).key("accept"))
        .unwrap();
    assert_eq!(refused.status, 422, "{refused}");
    assert_eq!(refused.json().unwrap()["code"], "TB3008", "{refused}");

    federation.kill(WEINAN).unwrap();
    federation.start_one(WEINAN).unwrap();
    federation.until_leading(WEINAN).unwrap();
    let after = until(SETTLE_LIMIT, "the repeat is answered", || {
        let answer = officer.ask(&accept(&version)).ok();
        Ok(answer.filter(|answer| answer.status != 503))
    });
    let after = after.unwrap();
    assert_eq!((after.status, &after.body), (200, &first.body), "{after}");
    let number = answer_of(&mut clerk, &collect).unwrap()["case"].clone();
    assert_eq!(number, case, "one application is one case");
    let shown = officer.read(&format!("{path}?fresh=true")).unwrap();
    let accepted = shown["history"].as_array().unwrap().iter();
    let accepted = accepted.filter(|step| step["state"] == "accepted").count();
    assert_eq!(accepted, 1, "{shown}");
    federation.end().unwrap();
}

/// The answer to an application, tried until it is one.
fn answer_of(clerk: &mut Client, ask: &Ask) -> Result<Value> {
    let answered = until(SETTLE_LIMIT, "the application is taken in", || {
        let answer = clerk.ask(ask).ok();
        Ok(answer.filter(|answer| [201, 202].contains(&answer.status)))
    });
    answered?.json()
}
