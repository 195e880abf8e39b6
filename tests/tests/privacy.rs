//! A city that only keeps a replica for others learns nothing of the people in it: neither its data
//! folder nor its logs nor its metrics hold a name or a number, in any spelling.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tongban_tests::client::{Ask, Client};
use tongban_tests::federation::{FUZHOU, Federation, WEINAN, group_in};
use tongban_tests::forms::{Applicant, migration, resident_number};
use tongban_tests::process::until;
use tongban_tests::search::Search;

const SETTLE_LIMIT: Duration = Duration::from_mins(1);

/// Cities that keep a replica of a party's group, with the group and who acted in it.
const HOSTS: [(usize, usize, &str); 3] = [
    (1, FUZHOU, "fz-window-001"),
    (2, FUZHOU, "fz-window-001"),
    (5, WEINAN, "wn-office-102"),
];

const OPINION: &str = "欧阳靖雯的材料齐全，同意迁入";

fn applicant() -> Applicant {
    Applicant {
        name: "欧阳靖雯".to_owned(),
        id_number: resident_number("35010319870315000"),
        phone: "13905917788".to_owned(),
        street: "鼓浪翠屏里七十七号楼".to_owned(),
    }
}

#[test]
fn a_hosted_replica_holds_nothing_of_the_applicant() {
    let person = applicant();
    let texts = [
        &person.name,
        &person.id_number,
        &person.phone,
        &person.street,
    ];
    let search = Search::new(&texts.map(String::as_str)).unwrap();
    // The most that can be logged in operation.
    let mut federation = Federation::start("debug").unwrap();
    let case = decided_case(&federation, &person).unwrap();
    let hosted = applied(&federation).unwrap();

    for party in [FUZHOU, WEINAN] {
        let mut officer = federation.person(party, "officer", "reader").unwrap();
        let shown = officer
            .ask(&Ask::get(&format!("/api/v1/cases/{case}")))
            .unwrap();
        for text in texts {
            let control = format!("{text} in utf-8");
            let found = search.in_bytes(&shown.body);
            assert!(
                found.contains(&control.as_str()),
                "a party reads {text}: {found:?}"
            );
        }
    }
    for (host, group, _) in HOSTS {
        let place = &federation.places[host];
        let mut auditor = federation.person(host, "auditor", "auditor").unwrap();
        let metrics = auditor.ask(&Ask::get("/metrics")).unwrap();
        assert_eq!(metrics.status, 200);
        assert_eq!(
            search.in_bytes(&metrics.body),
            Vec::<&str>::new(),
            "{}",
            place.name
        );
        let foreign = auditor
            .ask(&Ask::get(&format!("/api/v1/cases/{case}")))
            .unwrap();
        assert_eq!(
            foreign.code().as_deref(),
            Some("TB3011"),
            "{} is no party",
            place.name
        );
        assert!(
            hosted.contains(&(host, group)),
            "{} has the case in its replica",
            place.name
        );
    }
    // While it runs, and once everything it held in memory is written.
    check_hosts(&federation, &search).unwrap();
    federation.end().unwrap();
    check_hosts(&federation, &search).unwrap();
}

fn check_hosts(federation: &Federation, search: &Search) -> Result<()> {
    for (host, _, actor) in HOSTS {
        let place = &federation.places[host];
        for path in [&place.data, &place.log] {
            let found = search.below(path)?;
            ensure!(found.is_empty(), "{}: {found:?}", place.name);
        }
        // The control: what the case says in the clear, who acted in it, is found in that folder.
        let found = Search::new(&[actor])?.below(&place.data)?;
        ensure!(
            !found.is_empty(),
            "{}: {actor} acted in the case it keeps",
            place.name
        );
    }
    Ok(())
}

/// A case collected in Fuzhou and granted in Weinan, with its document.
fn decided_case(federation: &Federation, person: &Applicant) -> Result<String> {
    let mut clerk = federation.person(FUZHOU, "clerk", "fz-window-001")?;
    let body = migration(person, "610502")?;
    let collected = clerk.ask(&Ask::post("/api/v1/cases", &body).key("one").replicated())?;
    ensure!([201, 202].contains(&collected.status), "{collected}");
    let case = collected.json()?["case"]
        .as_str()
        .context("a case number")?
        .to_owned();
    let path = format!("/api/v1/cases/{case}");
    let mut reviewer = federation.person(WEINAN, "officer", "wn-office-101")?;
    let mut decider = federation.person(WEINAN, "officer", "wn-office-102")?;
    until(SETTLE_LIMIT, "Weinan reads the form", || {
        let seen = reviewer.ask(&Ask::get(&path))?;
        Ok((seen.status == 200 && seen.json()?["form"].is_object()).then_some(()))
    })?;
    act(&mut reviewer, &path, "accept", json!({}))?;
    act(
        &mut reviewer,
        &path,
        "review",
        json!({ "recommend": "grant", "opinion": OPINION }),
    )?;
    act(
        &mut decider,
        &path,
        "decide",
        json!({ "decision": "grant" }),
    )?;
    let document = format!("{path}/document");
    for reader in [&mut decider, &mut clerk] {
        until(SETTLE_LIMIT, "the document is there", || {
            Ok((reader.ask(&Ask::get(&document))?.status == 200).then_some(()))
        })?;
    }
    Ok(case)
}

fn act(officer: &mut Client, path: &str, name: &str, mut words: Value) -> Result<()> {
    words["expected_version"] = officer.read(path)?["case"]["version"].clone();
    let done = officer.ask(&Ask::post(&format!("{path}/{name}"), &words).key(name))?;
    ensure!(done.status == 200, "{name}: {done}");
    Ok(())
}

/// Hosts whose replica of a group has applied as much as the group's own city's node has now.
fn applied(federation: &Federation) -> Result<Vec<(usize, usize)>> {
    let mut hosted = Vec::new();
    for (host, group, _) in HOSTS {
        let code = federation.places[group].code;
        let index = |at: usize| -> Result<(u64, u64)> {
            let status = federation
                .person(at, "operator", "watch")?
                .read("/api/v1/status")?;
            let report = group_in(&status, code).context("it hosts the group")?;
            let figure = |name: &str| report[name].as_u64().context("a figure");
            Ok((figure("applied_index")?, figure("cases")?))
        };
        let (needed, cases) = index(group)?;
        ensure!(cases > 0, "{code} has no case");
        until(SETTLE_LIMIT, "the replica follows", || {
            let (applied, cases) = index(host)?;
            Ok((applied >= needed && cases > 0).then_some(()))
        })?;
        hosted.push((host, group));
    }
    Ok(hosted)
}
