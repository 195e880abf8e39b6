//! What the desk stored becomes replicated by itself, whatever happened to the node meanwhile.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tongban_tests::city::{City, DISTRICT};
use tongban_tests::client::{Ask, Client};
use tongban_tests::forms::{Applicant, migration};
use tongban_tests::process::until;
use tongban_tests::receipt::verify_receipt;

/// A group whose voters come back elects a leader and takes in what waits within seconds.
const SETTLE_LIMIT: Duration = Duration::from_mins(1);

/// The desk, and the two machines that are a majority without it.
const DESK: usize = 0;
const OTHERS: [usize; 2] = [1, 2];

#[test]
fn a_stored_receipt_becomes_replicated_by_itself_after_a_restart_without_its_state() {
    let mut city = City::prepare(tempfile::tempdir().unwrap(), "").unwrap();
    let mut clerk = city.person(DESK, "clerk", "window").unwrap();
    let mut operator = city.person(DESK, "operator", "watch").unwrap();
    let registry = fs::read(&city.registry).unwrap();
    for index in 0..city.machines.len() {
        city.start(index).unwrap();
    }
    city.until_answering(DESK, &mut operator, true).unwrap();
    let known = until(SETTLE_LIMIT, "the group takes a case in", || {
        let receipt = collect(&mut clerk, 0)?;
        Ok((receipt["safety"] == "replicated").then_some(receipt))
    });
    let known = case_of(&known.unwrap());

    for index in OTHERS {
        city.kill(index).unwrap();
    }
    let stored = collect(&mut clerk, 1).unwrap();
    assert_eq!(stored["safety"], "stored", "{stored}");
    let given = verify_receipt(&stored, &registry).unwrap();
    let case = given.case.to_string();

    city.kill(DESK).unwrap();
    fs::remove_dir_all(city.machines[DESK].data.join("state")).unwrap();
    city.start(DESK).unwrap();
    city.until_answering(DESK, &mut operator, false).unwrap();
    let still = receipt_of(&mut clerk, &case).unwrap();
    assert_eq!(still["safety"], "stored", "{still}");
    assert_eq!(verify_receipt(&still, &registry).unwrap(), given);

    for index in OTHERS {
        city.start(index).unwrap();
    }
    let replicated = until(SETTLE_LIMIT, "the receipt becomes replicated", || {
        let receipt = receipt_of(&mut clerk, &case)?;
        Ok((receipt["safety"] == "replicated").then_some(receipt))
    });
    assert_eq!(
        verify_receipt(&replicated.unwrap(), &registry).unwrap(),
        given
    );
    let earlier = receipt_of(&mut clerk, &known).unwrap();
    assert_eq!(earlier["safety"], "replicated", "{earlier}");
    for index in 0..city.machines.len() {
        city.end(index).unwrap();
    }
}

/// Takes an application in under its own key and returns its receipt.
fn collect(clerk: &mut Client, number: usize) -> Result<Value> {
    let body = migration(&Applicant::numbered(number), DISTRICT)?;
    let mut ask = Ask::post("/api/v1/cases", &body).key(&format!("application-{number}"));
    if number == 0 {
        ask = ask.replicated();
    }
    let answer = clerk.ask(&ask)?;
    ensure!([200, 201, 202].contains(&answer.status), "{answer}");
    Ok(answer.json()?["receipt"].take())
}

fn receipt_of(clerk: &mut Client, case: &str) -> Result<Value> {
    clerk
        .read(&format!("/api/v1/cases/{case}/receipt"))
        .context("a receipt")
}

fn case_of(receipt: &Value) -> String {
    receipt["says"]["case"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}
