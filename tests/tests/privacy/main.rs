//! A city that only keeps a replica for others learns nothing of the people in it: neither its data
//! folder nor its logs nor its metrics hold a name, a number or a word about them, in any spelling. Nor
//! do logs and metrics of the parties, which go to whoever collects them.

mod cases;
mod people;

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use tongban_tests::client::{Ask, Client};
use tongban_tests::federation::{FUZHOU, Federation, WEINAN, group_in};
use tongban_tests::process::until;
use tongban_tests::search::Search;

use cases::{SETTLE_LIMIT, granted_case, refused_case, withdrawn_case};
use people::{OPINION, People};

/// Cities that read the cases: where they were taken in, and where they were decided.
const PARTIES: [usize; 2] = [FUZHOU, WEINAN];

/// Cities that keep a replica of a party's group, with the group and who acted in it.
const HOSTS: [(usize, usize, &str); 3] = [
    (1, FUZHOU, "fz-window-001"),
    (2, FUZHOU, "fz-window-001"),
    (5, WEINAN, "wn-office-102"),
];

#[test]
fn a_hosted_replica_holds_nothing_of_the_applicants() {
    let people = People::new();
    let search = Search::new(&people.all_texts()).unwrap();
    // The most that can be logged in operation.
    let mut federation = Federation::start("debug").unwrap();
    let cases = [
        granted_case(&federation, &people).unwrap(),
        refused_case(&federation, &people.refused).unwrap(),
        withdrawn_case(&federation, &people.withdrawn).unwrap(),
    ];
    let hosted = applied(&federation).unwrap();

    let mut shown = Vec::new();
    for party in PARTIES {
        let mut officer = federation.person(party, "officer", "reader").unwrap();
        for (case, mut texts) in cases.iter().zip(people.texts()) {
            // What its officers think is the authority's own.
            texts.retain(|text| party == WEINAN || *text != OPINION);
            shown = read_all(&mut officer, &search, case, &texts, shown).unwrap();
        }
    }
    for party in PARTIES {
        check_metrics(&federation, &search, party).unwrap();
    }
    for (host, group, _) in HOSTS {
        check_metrics(&federation, &search, host).unwrap();
        check_api(&federation, host, &cases).unwrap();
        assert!(
            hosted.contains(&(host, group)),
            "{} has the cases in its replica",
            federation.places[host].name
        );
    }
    // While it runs, and once everything it held in memory is written.
    check_hosts(&federation, &search).unwrap();
    federation.end().unwrap();
    check_hosts(&federation, &search).unwrap();
    check_logs_of_parties(&federation, &search).unwrap();
    check_search(&federation, &search, &people, &shown).unwrap();
}

/// What a party reads of a case, which must be all of it; added to what was shown before.
fn read_all(
    officer: &mut Client,
    search: &Search,
    case: &str,
    texts: &[&str],
    mut shown: Vec<u8>,
) -> Result<Vec<u8>> {
    let answer = officer.ask(&Ask::get(&format!("/api/v1/cases/{case}")))?;
    let found = search.in_bytes(&answer.body);
    for text in texts {
        let control = format!("{text} in utf-8");
        ensure!(
            found.contains(&control.as_str()),
            "a party reads {text}: {answer}"
        );
    }
    shown.extend_from_slice(&answer.body);
    Ok(shown)
}

/// What a city gives to whoever scrapes it.
fn check_metrics(federation: &Federation, search: &Search, city: usize) -> Result<()> {
    let name = federation.places[city].name;
    let mut auditor = federation.person(city, "auditor", "auditor")?;
    let metrics = auditor.ask(&Ask::get("/metrics"))?;
    ensure!(metrics.status == 200, "{metrics}");
    let found = search.in_bytes(&metrics.body);
    ensure!(found.is_empty(), "metrics of {name}: {found:?}");
    Ok(())
}

/// What a host shows to its own people.
fn check_api(federation: &Federation, host: usize, cases: &[String]) -> Result<()> {
    let name = federation.places[host].name;
    let mut auditor = federation.person(host, "auditor", "auditor")?;
    for case in cases {
        let foreign = auditor.ask(&Ask::get(&format!("/api/v1/cases/{case}")))?;
        let code = foreign.code();
        ensure!(
            code.as_deref() == Some("TB3011"),
            "{name} is no party: {foreign}"
        );
    }
    Ok(())
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

/// Their data folders hold what their people read, their logs none of it.
fn check_logs_of_parties(federation: &Federation, search: &Search) -> Result<()> {
    for party in PARTIES {
        let place = &federation.places[party];
        let found = search.below(&place.log)?;
        ensure!(found.is_empty(), "log of {}: {found:?}", place.name);
    }
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

/// The control: had a host written what a party reads, into any file or its log, it would be found.
fn check_search(
    federation: &Federation,
    search: &Search,
    people: &People,
    shown: &[u8],
) -> Result<()> {
    let copy = tempfile::tempdir()?;
    for (host, _, _) in HOSTS {
        let place = &federation.places[host];
        let (data, log) = (copy.path().join(place.code), copy.path().join("log"));
        copy_folder(&place.data, &data)?;
        fs::write(data.join("snapshots").join("leaked"), shown)?;
        fs::copy(&place.log, &log)?;
        let mut end = fs::OpenOptions::new().append(true).open(&log)?;
        end.write_all(shown)?;
        for path in [data, log] {
            let found = search.below(&path)?;
            for text in people.texts().concat() {
                let spelling = format!("{text} in utf-8");
                let is_found = found.iter().any(|found| found.spelling == spelling);
                ensure!(is_found, "{text} is not found in {}", path.display());
            }
        }
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy_folder(&from, &to)?;
        } else {
            fs::copy(&from, &to)?;
        }
    }
    Ok(())
}
