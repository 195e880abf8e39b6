//! A node that is drained, over real processes: what it lets go, what it refuses, and that it can then be
//! killed without anybody waiting for an election.

use std::time::Duration;

use tongban_tests::client::{Ask, Client};
use tongban_tests::federation::{CITIES, FUZHOU, Federation};
use tongban_tests::forms::{Applicant, migration};
use tongban_tests::process::{ask_tongban, until};

const CASES: &str = "/api/v1/cases";
const PUTIAN: usize = 1;
const MOVE_TO_WEINAN: &str = "610502";
const LIMIT: Duration = Duration::from_mins(1);

fn collect(clerk: &mut Client, number: usize) -> (u16, Option<String>) {
    let body = migration(&Applicant::numbered(number), MOVE_TO_WEINAN).unwrap();
    let key = format!("drain-{number}");
    let ask = Ask::post(CASES, &body).key(&key).replicated();
    let answer = clerk.ask(&ask).unwrap();
    (answer.status, answer.code())
}

/// Whoever leads a city's group does not hand it to the city's node, as that is drained.
fn refuses_to_hand_over_to(drained: usize, federation: &Federation, operator: &mut Client) {
    let (group, to) = (CITIES[drained].0, federation.places[drained].node.as_str());
    let refused = until(LIMIT, "another node leads and refuses", || {
        let status = operator.read("/api/v1/status")?;
        let leader = &status["groups"][0]["leader"];
        let mut places = federation.places.iter();
        let Some(place) = places.find(|place| *leader == place.node) else {
            return Ok(None);
        };
        let config = place.config.to_str().unwrap();
        let transfer = ["group", "transfer", group, "--to", to, "--config", config];
        let (code, answer) = ask_tongban(&transfer)?;
        Ok((code == Some(6) && answer["code"] == "TB4017").then_some(answer))
    });
    let causes = refused.unwrap()["causes_en"].to_string();
    let why = format!("{to} is being drained");
    assert!(causes.contains(&why), "{causes}");
}

#[test]
fn a_node_that_drained_leads_nothing_and_takes_no_new_case_until_it_resumes() {
    let mut federation = Federation::start("warn").unwrap();
    let config = federation.places[FUZHOU].config.clone();
    let config = config.to_str().unwrap();
    let mut clerk = federation.person(FUZHOU, "clerk", "fz-001").unwrap();
    let taken = until(LIMIT, "a case is taken in", || {
        Ok((collect(&mut clerk, 1).0 == 201).then_some(()))
    });
    taken.unwrap();

    let (code, drained) = ask_tongban(&["node", "drain", "--config", config]).unwrap();
    assert_eq!(code, Some(0), "{drained}");
    assert_eq!(drained["safe_to_stop"], true, "{drained}");
    assert_eq!(collect(&mut clerk, 2), (503, Some("TB4018".to_owned())));
    let (again, _) = collect(&mut clerk, 1);
    assert_eq!(again, 201, "what was taken in before is answered as it was");
    let mut operator = federation.person(FUZHOU, "operator", "operator").unwrap();
    let status = operator.read("/api/v1/status").unwrap();
    let groups = status["groups"].as_array().unwrap();
    assert!(
        groups.iter().all(|group| group["leader"] != status["node"]),
        "{status}"
    );
    refuses_to_hand_over_to(FUZHOU, &federation, &mut operator);

    let (code, back) = ask_tongban(&["node", "resume", "--config", config]).unwrap();
    assert_eq!((code, &back["draining"]), (Some(0), &false.into()));
    assert_eq!(collect(&mut clerk, 3).0, 201);

    let (code, _) = ask_tongban(&["node", "drain", "--config", config]).unwrap();
    assert_eq!(code, Some(0));
    federation.kill(FUZHOU).unwrap();
    let mut neighbour = federation.person(PUTIAN, "clerk", "pt-001").unwrap();
    assert_eq!(
        collect(&mut neighbour, 4).0,
        201,
        "nobody waits for an election"
    );
    federation.start_one(FUZHOU).unwrap();
    federation.until_leading(FUZHOU).unwrap();
    let served = until(LIMIT, "a restart takes it back into service", || {
        Ok((collect(&mut clerk, 5).0 == 201).then_some(()))
    });
    served.unwrap_or_else(|error| panic!("{}: {error}", CITIES[FUZHOU].1));
    federation.end().unwrap();
}
