//! A city with several nodes of its own: whichever of them is killed, the others go on taking in, deciding
//! and issuing, and a document is issued once.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tongban_tests::city::{City, DISTRICT};
use tongban_tests::client::{Ask, Client};
use tongban_tests::forms::{Applicant, migration};
use tongban_tests::process::{tongban, until};

/// A lease of thirty seconds runs out, another node takes it, prepares and signs; on a busy machine.
const LIMIT: Duration = Duration::from_mins(2);

#[test]
fn whichever_node_of_a_city_is_killed_at_a_decision_another_issues_its_document_once() {
    let folder = tempfile::tempdir().unwrap();
    let out = tempfile::tempdir().unwrap();
    let mut city = City::prepare(folder, "").unwrap();
    for index in 0..city.machines.len() {
        city.start(index).unwrap();
    }
    for index in 0..city.machines.len() {
        let mut operator = city.person(index, "operator", "watch").unwrap();
        city.until_answering(index, &mut operator, true).unwrap();
    }
    let mut issued = BTreeSet::new();
    // Whoever holds the lease on the city's effects, it is killed in one of the rounds.
    for victim in 0..city.machines.len() {
        let others = [(victim + 1) % 3, (victim + 2) % 3];
        let case = taken_in(&city, victim, &others).unwrap();
        decided(&city, others[0], &case).unwrap();
        city.kill(victim).unwrap();
        let texts = others.map(|other| document(&city, other, &case).unwrap());
        assert_eq!(texts[0], texts[1], "one document, whoever is asked");
        assert_eq!(verdict(&city, out.path(), &texts[0]).unwrap(), "valid");
        city.start(victim).unwrap();
        let back = document(&city, victim, &case).unwrap();
        assert_eq!(back, texts[0], "and the one that was away follows");
        assert!(issued.insert(back));
    }
    for index in 0..city.machines.len() {
        city.end(index).unwrap();
    }
}

/// A case collected at one node, whose form the other nodes of the city can read.
fn taken_in(city: &City, desk: usize, others: &[usize]) -> Result<String> {
    let mut clerk = city.person(desk, "clerk", "window")?;
    let body = migration(&Applicant::numbered(desk), DISTRICT)?;
    let ask = Ask::post("/api/v1/cases", &body).key(&format!("application-{desk}"));
    let ask = ask.replicated();
    let case = until(LIMIT, "the case is taken in", || {
        let Ok(answer) = clerk.ask(&ask) else {
            return Ok(None);
        };
        let taken = answer.json()?;
        let is_safe = taken["receipt"]["safety"] == "replicated";
        Ok(taken["case"]
            .as_str()
            .filter(|_| is_safe)
            .map(str::to_owned))
    })?;
    for other in others {
        let mut officer = city.person(*other, "officer", "reader")?;
        until(LIMIT, "another node opens the form", || {
            let shown = officer.read(&format!("/api/v1/cases/{case}"));
            Ok(shown
                .ok()
                .filter(|shown| shown["form"].is_object())
                .map(drop))
        })?;
    }
    Ok(case)
}

/// Two officers at one node bring the case to its decision.
fn decided(city: &City, node: usize, case: &str) -> Result<()> {
    let mut reviewer = city.person(node, "officer", "first")?;
    let mut decider = city.person(node, "officer", "second")?;
    act(&mut reviewer, case, "accept", &json!({}))?;
    let opinion = json!({ "recommend": "grant", "opinion": "材料齐全" });
    act(&mut reviewer, case, "review", &opinion)?;
    act(
        &mut decider,
        case,
        "decide",
        &json!({ "decision": "grant" }),
    )
}

/// Acts as soon as the node's replica shows the case as far.
fn act(person: &mut Client, case: &str, name: &str, words: &Value) -> Result<()> {
    let path = format!("/api/v1/cases/{case}");
    let mut tries = 0;
    until(LIMIT, name, || {
        tries += 1;
        let mut order = words.clone();
        order["expected_version"] = person.read(&path)?["case"]["version"].clone();
        let ask = Ask::post(&format!("{path}/{name}"), &order).key(&format!("{name}-{tries}"));
        let done = person.ask(&ask)?;
        ensure!([200, 409].contains(&done.status), "{name}: {done}");
        Ok((done.status == 200).then_some(()))
    })
}

fn document(city: &City, node: usize, case: &str) -> Result<String> {
    let mut officer = city.person(node, "officer", "reader")?;
    until(LIMIT, "the document is there", || {
        let Ok(answer) = officer.ask(&Ask::get(&format!("/api/v1/cases/{case}/document"))) else {
            return Ok(None);
        };
        if answer.status != 200 {
            return Ok(None);
        }
        let text = String::from_utf8(answer.body.clone())?;
        ensure!(!text.is_empty());
        Ok(Some(text))
    })
}

/// What a verifier without a network says.
fn verdict(city: &City, folder: &Path, text: &str) -> Result<String> {
    let file = folder.join("document.sdjwt");
    fs::write(&file, text)?;
    let file = file.to_str().context("UTF-8")?;
    let registry = city.registry.to_str().context("UTF-8")?;
    let said = tongban(&["doc", "verify", file, "--trust", registry])?;
    Ok(said["verdict"].as_str().context("a verdict")?.to_owned())
}
