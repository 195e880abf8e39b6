//! Backups of real nodes: what was taken in is in them, nobody can alter or open one unnoticed, what comes
//! back is another node, and a rehearsal finds what would not come back.

mod interrupting;
mod left_behind;
mod rejoin;
mod restoring;
mod under_way;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tongban_tests::city::{City, DISTRICT};
use tongban_tests::client::{Ask, Client};
use tongban_tests::federation::{FUZHOU, Federation, WEINAN};
use tongban_tests::forms::{Applicant, migration};
use tongban_tests::process::{ask_tongban, tongban, until};

/// A group elects a leader and takes in what waits within seconds.
const SETTLE_LIMIT: Duration = Duration::from_mins(1);

/// The desk, and the two machines that are a majority without it.
const DESK: usize = 0;
const OTHERS: [usize; 2] = [1, 2];

/// Cases the group has when the desk is backed up.
const REPLICATED: usize = 6;

/// Starts all machines of a city, until its group took the first case in; a clerk and an operator of it.
fn open_for_work(city: &mut City) -> Result<(Client, Client)> {
    let mut clerk = city.person(DESK, "clerk", "window")?;
    let mut operator = city.person(DESK, "operator", "watch")?;
    for index in 0..city.machines.len() {
        city.start(index)?;
    }
    city.until_answering(DESK, &mut operator, true)?;
    until(SETTLE_LIMIT, "the group takes a case in", || {
        Ok((collect(&mut clerk, 0, true)? == "replicated").then_some(()))
    })?;
    Ok((clerk, operator))
}

/// A desk that has a recovery key and runs without the other machines of its city: each backup of it waits seconds
/// for the word of its group, and none comes.
fn desk_alone(folder: &Path) -> Result<City> {
    let key = folder.join("recovery.key");
    let made = tongban(&["key", "make", "--recovery", text(&key)?])?;
    let recovery = made["public"].as_str().context("a public key")?;
    let added = format!("\n[backup]\nrecovery_key = \"{recovery}\"\n");
    let mut city = City::prepare(tempfile::tempdir()?, &added)?;
    city.start(DESK)?;
    let mut operator = city.person(DESK, "operator", "watch")?;
    city.until_answering(DESK, &mut operator, false)?;
    Ok(city)
}

/// Backs the node up whose data these are.
fn back_up(data: &str, out: &Path) -> Result<(Option<i32>, Value)> {
    ask_tongban(&["backup", "create", "--data", data, "--out", text(out)?])
}

#[test]
fn a_running_node_is_backed_up_while_it_takes_cases_in() {
    let folder = tempfile::tempdir().unwrap();
    back_up_running(folder.path()).unwrap();
}

fn back_up_running(folder: &Path) -> Result<()> {
    let at = |name: &str| folder.join(name);
    let key = at("recovery.key");
    let made = tongban(&["key", "make", "--recovery", text(&key)?])?;
    let recovery = made["public"].as_str().context("a public key")?;
    let added = format!("\n[backup]\nrecovery_key = \"{recovery}\"\n");
    let mut city = City::prepare(tempfile::tempdir()?, &added)?;
    city.rewrite(OTHERS[0], &added, "")?;
    let (mut clerk, mut operator) = open_for_work(&mut city)?;
    for number in 1..REPLICATED {
        ensure!(collect(&mut clerk, number, false)? != "");
    }
    ensure!(
        age_of_backup(&mut operator)?.is_none(),
        "it was never backed up"
    );
    let data = text(&city.machines[DESK].data)?.to_owned();
    let (file, is_done) = (at("desk.backup"), AtomicBool::new(false));
    let out = text(&file)?;
    let made = std::thread::scope(|scope| {
        let desk = scope.spawn(|| {
            let mut number = REPLICATED;
            while !is_done.load(Ordering::Acquire) && number < REPLICATED + 40 {
                collect(&mut clerk, number, false)?;
                number += 1;
            }
            anyhow::Ok(number)
        });
        let made = tongban(&["backup", "create", "--data", &data, "--out", out]);
        is_done.store(true, Ordering::Release);
        let taken_in = desk.join().map_err(|_| anyhow::anyhow!("the desk"))??;
        ensure!(taken_in > REPLICATED, "cases came in meanwhile");
        made
    })?;
    ensure!(made["caught_up"] == true, "{made}");
    let registry = text(&city.registry)?;
    let words = [
        "backup",
        "drill",
        out,
        "--trust",
        registry,
        "--key",
        text(&key)?,
    ];
    let (exit, drill) = ask_tongban(&words)?;
    ensure!(exit == Some(0) && drill["verdict"] == "passed", "{drill}");
    // Each case acknowledged before stands in the group's state or waits at the desk, and has its key.
    let waiting = made["records"]["desk"].as_u64().unwrap_or(0);
    let cases = drill["cases"]["opened"].as_u64().unwrap_or(0);
    ensure!(cases + waiting >= REPLICATED as u64, "{drill} {made}");
    ensure!(drill["cases"]["without_key"] == 0, "{drill}");
    ensure!(age_of_backup(&mut operator)?.is_some_and(|age| age < 60.0));

    // Whoever may not is refused, and a node without a recovery key makes none.
    let answer = clerk.ask(&Ask::get("/api/v1/backup"))?;
    ensure!(answer.status == 403, "{answer}");
    let other = text(&city.machines[OTHERS[0]].data)?;
    let none = at("none.backup");
    let words = ["backup", "create", "--data", other, "--out", text(&none)?];
    let (exit, said) = ask_tongban(&words)?;
    ensure!(exit == Some(6) && said["code"] == "TB4024", "{said}");
    ensure!(
        fs::read_dir(folder)?.count() == 2,
        "nothing is left of what failed"
    );
    for index in 0..city.machines.len() {
        city.end(index)?;
    }
    Ok(())
}

/// Seconds since a node was backed up, as it measures itself; `None` if it never was.
fn age_of_backup(operator: &mut Client) -> Result<Option<f64>> {
    let answer = operator.ask(&Ask::get("/metrics"))?;
    let page = String::from_utf8_lossy(&answer.body).into_owned();
    let name = "tongban_backup_last_timestamp_seconds ";
    let line = page.lines().find_map(|line| line.strip_prefix(name));
    let at: f64 = line.context("the metric")?.trim().parse()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok((at > 0.0).then_some(now.as_secs_f64() - at))
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("the folder is UTF-8")
}

/// Takes an application in under its own key; how safe it is.
fn collect(clerk: &mut Client, number: usize, replicated: bool) -> Result<String> {
    let body = migration(&Applicant::numbered(number), DISTRICT)?;
    let mut ask = Ask::post("/api/v1/cases", &body).key(&format!("application-{number}"));
    if replicated {
        ask = ask.replicated();
    }
    let answer = clerk.ask(&ask)?;
    ensure!([200, 201, 202].contains(&answer.status), "{answer}");
    let receipt = answer.json()?["receipt"].take();
    Ok(receipt["safety"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn the_state_of_every_group_a_node_keeps_comes_back_equal() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("recovery.key");
    let made = tongban(&["key", "make", "--recovery", text(&key).unwrap()]).unwrap();
    let recovery = made["public"].as_str().unwrap();
    let added = format!("\n[backup]\nrecovery_key = \"{recovery}\"\n");
    let mut federation = Federation::start_with("info", &added).unwrap();
    drill_cities(&federation, folder.path(), &key).unwrap();
    federation.end().unwrap();
}

/// A case goes from one city to another; then both are backed up.
fn drill_cities(federation: &Federation, folder: &Path, key: &Path) -> Result<()> {
    let mut clerk = federation.person(FUZHOU, "clerk", "window")?;
    let mut officer = federation.person(WEINAN, "officer", "desk")?;
    let body = migration(&Applicant::numbered(1), "610502")?;
    let ask = Ask::post("/api/v1/cases", &body).key("across").replicated();
    let case = until(SETTLE_LIMIT, "the group takes a case in", || {
        let answer = clerk.ask(&ask)?.json()?;
        let is_in = answer["receipt"]["safety"] == "replicated";
        Ok(is_in.then(|| answer["case"].as_str().unwrap_or_default().to_owned()))
    })?;
    until(SETTLE_LIMIT, "the form is at the authority", || {
        let shown = officer.ask(&Ask::get(&format!("/api/v1/cases/{case}")))?;
        Ok(shown.json()?["form"].is_object().then_some(()))
    })?;
    for index in [FUZHOU, WEINAN] {
        let place = &federation.places[index];
        let mut tries = 0;
        // A key that came is used a moment before it is kept.
        until(SETTLE_LIMIT, "both parties keep the key", || {
            tries += 1;
            let file = folder.join(format!("{}-{tries}", place.code));
            let (data, out) = (text(&place.data)?, text(&file)?);
            tongban(&["backup", "create", "--data", data, "--out", out])?;
            let registry = text(&federation.registry)?;
            let words = ["backup", "drill", out, "--trust", registry];
            let drill = tongban(&[&words[..], &["--key", text(key)?]].concat())?;
            let groups = drill["groups"].as_array().context("groups")?;
            ensure!(groups.len() == 3, "{drill}");
            for group in groups {
                ensure!(group["equal"] == true, "{drill}");
                ensure!(group["promised"] == group["restored"], "{drill}");
            }
            Ok((drill["cases"]["opened"] == 1).then_some(()))
        })?;
    }
    Ok(())
}
