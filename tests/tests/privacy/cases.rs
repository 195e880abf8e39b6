//! Cases played to their ends: one corrected and granted, one refused, one withdrawn.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tongban_tests::client::{Ask, Client};
use tongban_tests::federation::{FUZHOU, Federation, WEINAN};
use tongban_tests::forms::{Applicant, migration};
use tongban_tests::process::until;

use super::people::{NOTICE, OPINION, People, REFUSAL, WITHDRAWAL};

pub(crate) const SETTLE_LIMIT: Duration = Duration::from_mins(1);

/// An application collected in Fuzhou for Weinan, once Weinan reads it; its path.
fn collect(federation: &Federation, person: &Applicant, key: &str) -> Result<String> {
    let mut clerk = federation.person(FUZHOU, "clerk", "fz-window-001")?;
    let body = migration(person, "610502")?;
    let collected = clerk.ask(&Ask::post("/api/v1/cases", &body).key(key).replicated())?;
    ensure!([201, 202].contains(&collected.status), "{collected}");
    let case = collected.json()?["case"]
        .as_str()
        .context("a case number")?
        .to_owned();
    let mut reviewer = federation.person(WEINAN, "officer", "wn-office-101")?;
    let path = format!("/api/v1/cases/{case}");
    until(SETTLE_LIMIT, "Weinan reads the form", || {
        let seen = reviewer.ask(&Ask::get(&path))?;
        Ok((seen.status == 200 && seen.json()?["form"].is_object()).then_some(()))
    })?;
    Ok(case)
}

/// A case whose form is corrected, and that is granted in Weinan, with its document.
pub(crate) fn granted_case(federation: &Federation, people: &People) -> Result<String> {
    let case = collect(federation, &people.granted, "granted")?;
    let path = format!("/api/v1/cases/{case}");
    let mut clerk = federation.person(FUZHOU, "clerk", "fz-window-001")?;
    let mut reviewer = federation.person(WEINAN, "officer", "wn-office-101")?;
    let mut decider = federation.person(WEINAN, "officer", "wn-office-102")?;
    let form = migration(&people.corrected, "610502")?["form"].take();
    act(
        &mut reviewer,
        &path,
        "ask-correction",
        &json!({ "notice": NOTICE }),
    )?;
    act(&mut clerk, &path, "correct", &json!({ "form": form }))?;
    act(&mut reviewer, &path, "accept", &json!({}))?;
    act(
        &mut reviewer,
        &path,
        "review",
        &json!({ "recommend": "grant", "opinion": OPINION }),
    )?;
    act(
        &mut decider,
        &path,
        "decide",
        &json!({ "decision": "grant" }),
    )?;
    let document = format!("{path}/document");
    for reader in [&mut decider, &mut clerk] {
        until(SETTLE_LIMIT, "the document is there", || {
            Ok((reader.ask(&Ask::get(&document))?.status == 200).then_some(()))
        })?;
    }
    Ok(case)
}

pub(crate) fn refused_case(federation: &Federation, person: &Applicant) -> Result<String> {
    let case = collect(federation, person, "refused")?;
    let path = format!("/api/v1/cases/{case}");
    let mut decider = federation.person(WEINAN, "officer", "wn-office-102")?;
    act(
        &mut decider,
        &path,
        "refuse-to-accept",
        &json!({ "reason": REFUSAL }),
    )?;
    both_know(federation, &path, REFUSAL)?;
    Ok(case)
}

pub(crate) fn withdrawn_case(federation: &Federation, person: &Applicant) -> Result<String> {
    let case = collect(federation, person, "withdrawn")?;
    let path = format!("/api/v1/cases/{case}");
    let mut clerk = federation.person(FUZHOU, "clerk", "fz-window-001")?;
    act(
        &mut clerk,
        &path,
        "withdraw",
        &json!({ "reason": WITHDRAWAL }),
    )?;
    both_know(federation, &path, WITHDRAWAL)?;
    Ok(case)
}

/// Waits until both parties read some words about a case.
fn both_know(federation: &Federation, path: &str, words: &str) -> Result<()> {
    for party in [FUZHOU, WEINAN] {
        let mut officer = federation.person(party, "officer", "reader")?;
        until(SETTLE_LIMIT, "both parties know", || {
            let seen = String::from_utf8_lossy(&officer.ask(&Ask::get(path))?.body).into_owned();
            Ok(seen.contains(words).then_some(()))
        })?;
    }
    Ok(())
}

/// Acts as soon as the case allows it here: what the other city did comes a moment later.
fn act(person: &mut Client, path: &str, name: &str, words: &Value) -> Result<()> {
    let mut tries = 0;
    until(SETTLE_LIMIT, name, || {
        tries += 1;
        let mut order = words.clone();
        order["expected_version"] = person.read(path)?["case"]["version"].clone();
        let order = Ask::post(&format!("{path}/{name}"), &order);
        let done = person.ask(&order.key(&format!("{name}-{tries}")))?;
        ensure!([200, 409].contains(&done.status), "{name}: {done}");
        Ok((done.status == 200).then_some(()))
    })
}
