//! What running nodes say of themselves: metrics that Prometheus takes, that the dashboard and the
//! alerts find, and logs by which a request is followed and nobody is known.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tongban_tests::client::{Ask, Client};
use tongban_tests::federation::{FUZHOU, Federation, WEINAN};
use tongban_tests::forms::{Applicant, migration};
use tongban_tests::process::until;
use tongban_tests::tools::{root, tool};

/// A case crosses the country on a busy machine.
const SETTLE_LIMIT: Duration = Duration::from_mins(1);

/// Samples of one node of six: each of its three groups has some dozens. Beyond this something grows
/// with what people do.
const SAMPLES_MAX: usize = 1_500;

/// These cities serve in the clear and have no certificate to tell of; `tls` looks at one that has.
const OF_A_CERTIFICATE: &str = "tongban_tls_certificate_expiry_timestamp_seconds";

/// The trace of the request that collects.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[test]
fn metrics_and_logs_of_a_story_are_what_operators_are_promised() {
    let mut federation = Federation::start("debug").unwrap();
    let case = story(&federation).unwrap();
    let mut texts = Vec::new();
    for place in 0..federation.places.len() {
        let mut operator = federation.person(place, "operator", "prometheus").unwrap();
        let answer = operator.ask(&Ask::get("/metrics")).unwrap();
        assert_eq!(answer.status, 200, "{answer}");
        texts.push(String::from_utf8(answer.body).unwrap());
    }
    for text in &texts {
        check_metrics(text).unwrap();
    }
    let named = families(&texts[FUZHOU]);
    for file in ["grafana/tongban.json", "prometheus/alerts.yml"] {
        let sought = metrics_in(file).unwrap();
        assert!(sought.len() > 10, "{file}: {sought:?}");
        let missing: Vec<_> = sought
            .iter()
            .filter(|name| !named.contains(*name) && name.as_str() != OF_A_CERTIFICATE)
            .collect();
        assert!(missing.is_empty(), "{file} asks for {missing:?}");
    }
    counted(&texts).unwrap();
    federation.end().unwrap();
    check_logs(&federation, &case).unwrap();
}

/// A case of Fuzhou that Weinan accepts, and one it has not looked at: silence would accept it.
fn story(federation: &Federation) -> Result<String> {
    let mut clerk = federation.person(FUZHOU, "clerk", "fz-window-001")?;
    let body = migration(&Applicant::numbered(7), "610502")?;
    let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let ask = Ask::post("/api/v1/cases", &body).key("story").replicated();
    let collected = clerk.ask(&ask.header("traceparent", &parent))?;
    ensure!([201, 202].contains(&collected.status), "{collected}");
    let case = collected.json()?["case"]
        .as_str()
        .context("a number")?
        .to_owned();
    let path = format!("/api/v1/cases/{case}");
    let mut officer = federation.person(WEINAN, "officer", "wn-office-101")?;
    let seen = until(SETTLE_LIMIT, "Weinan reads the form", || {
        let seen = officer.ask(&Ask::get(&path))?;
        Ok((seen.status == 200 && seen.json()?["form"].is_object()).then_some(seen))
    })?;
    let order = json!({ "expected_version": seen.json()?["case"]["version"] });
    let accept = Ask::post(&format!("{path}/accept"), &order);
    let accepted = officer.ask(&accept.key("accept"))?;
    ensure!(accepted.status == 200, "{accepted}");
    let unseen = migration(&Applicant::numbered(8), "610502")?;
    let ask = Ask::post("/api/v1/cases", &unseen).key("unseen");
    let unseen = clerk.ask(&ask.replicated())?.json()?["case"].clone();
    let unseen = format!("/api/v1/cases/{}", unseen.as_str().context("a number")?);
    until(SETTLE_LIMIT, "Weinan has the other one", || {
        let seen = officer.ask(&Ask::get(&unseen))?;
        Ok((seen.status == 200).then_some(()))
    })?;
    // A refusal has its counter too.
    let unknown = clerk.ask(&Ask::get("/api/v1/cases/none"))?;
    ensure!(unknown.status >= 400, "{unknown}");
    until(SETTLE_LIMIT, "Fuzhou is answered", || {
        let mut reader: Client = federation.person(FUZHOU, "clerk", "reader")?;
        let seen = reader.read(&path)?;
        Ok((seen["case"]["state"] == "accepted").then_some(()))
    })?;
    Ok(case)
}

/// What `promtool check metrics` and the bounds say of one node's page.
fn check_metrics(text: &str) -> Result<()> {
    let mut command = tool("promtool")?;
    command.args(["check", "metrics"]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn()?;
    child
        .stdin
        .take()
        .context("a pipe")?
        .write_all(text.as_bytes())?;
    let ended = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    ensure!(
        ended.status.success() && said.is_empty(),
        "promtool: {said}"
    );
    let samples: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    ensure!(samples.len() < SAMPLES_MAX, "{} samples", samples.len());
    ensure!(samples.len() > 100, "{} samples", samples.len());
    Ok(())
}

/// The names a query may use: of samples, and of families that have no sample yet.
fn families(text: &str) -> BTreeSet<String> {
    let names = text
        .lines()
        .filter_map(|line| match line.strip_prefix("# ") {
            Some(about) => about.strip_prefix("TYPE ")?.split(' ').next(),
            None => line.split(['{', ' ']).next(),
        });
    names.map(str::to_owned).collect()
}

/// Every metric a file under deploy/ names in a query.
fn metrics_in(file: &str) -> Result<BTreeSet<String>> {
    let text = fs::read_to_string(root()?.join("deploy").join(file))?;
    let is_dashboard = Path::new(file)
        .extension()
        .is_some_and(|ending| ending == "json");
    let queries: Vec<String> = if is_dashboard {
        let dashboard: Value = serde_json::from_str(&text)?;
        let panels = dashboard["panels"].as_array().context("panels")?;
        let targets = panels
            .iter()
            .filter_map(|panel| panel["targets"].as_array());
        let queries = targets
            .flatten()
            .filter_map(|target| target["expr"].as_str());
        queries.map(str::to_owned).collect()
    } else {
        let lines = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("expr: "));
        lines.map(str::to_owned).collect()
    };
    ensure!(queries.len() > 10, "{file} has {} queries", queries.len());
    let words = queries.iter().flat_map(|query| {
        query.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
    });
    let ours = words.filter(|word| word.starts_with("tongban_") || word.starts_with("process_"));
    Ok(ours.map(str::to_owned).collect())
}

/// The value of a sample.
fn sample(text: &str, name: &str) -> Result<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let value = line.with_context(|| format!("no {name} in\n{text}"))?;
    Ok(value.trim().parse()?)
}

/// What happened is what was counted.
fn counted(texts: &[String]) -> Result<()> {
    let (fuzhou, weinan) = (&texts[FUZHOU], &texts[WEINAN]);
    let collected = "tongban_group_steps_total{group=\"350100\",state=\"collected\"}";
    let transit = "tongban_group_steps_total{group=\"350100\",state=\"in-transit\"}";
    let taken = sample(fuzhou, collected).unwrap_or(0.0) + sample(fuzhou, transit).unwrap_or(0.0);
    ensure!(taken >= 1.0, "Fuzhou took a case in");
    let accepted = "tongban_group_steps_total{group=\"610500\",state=\"accepted\"}";
    ensure!(sample(weinan, accepted)? >= 1.0, "Weinan accepted it");
    let received = "tongban_group_parcels_total{group=\"610500\",fate=\"received\"}";
    ensure!(sample(weinan, received)? >= 1.0, "as a packet");
    let acknowledged = "tongban_group_parcels_total{group=\"350100\",fate=\"acknowledged\"}";
    ensure!(
        sample(fuzhou, acknowledged)? >= 1.0,
        "which it acknowledged"
    );
    ensure!(
        sample(fuzhou, "tongban_desk_replicated_total ")? >= 1.0,
        "the desk"
    );
    let waiting = "tongban_cases_waiting{group=\"610500\",state=\"accepted\"}";
    ensure!(
        (sample(weinan, waiting)? - 1.0).abs() < 0.1,
        "one case waits"
    );
    let deadline = "tongban_group_next_deadline_timestamp_seconds{group=\"610500\"}";
    ensure!(
        sample(weinan, deadline)? > 1_700_000_000.0,
        "its time limit"
    );
    let notice = "tongban_cases_next_notice_timestamp_seconds{group=\"610500\"}";
    ensure!(sample(weinan, notice)? > 1_700_000_000.0, "and its notice");
    let told = texts.iter().filter(|text| text.contains(notice)).count();
    ensure!(
        told == 1,
        "{told} nodes tell of a notice that one city can give"
    );
    let peer = "tongban_peer_connected{peer=\"350300-01\"}";
    ensure!(sample(fuzhou, peer)? > 0.5, "a neighbour");
    let syncs = "tongban_disk_sync_duration_seconds_count";
    ensure!(sample(fuzhou, syncs)? > 1.0, "syncs");
    ensure!(
        sample(fuzhou, "tongban_backup_last_timestamp_seconds")? < 1.0,
        "never"
    );
    Ok(())
}

/// Each line is one JSON object; a request is followed by its trace; nobody is named.
fn check_logs(federation: &Federation, case: &str) -> Result<()> {
    let mut followed = 0;
    for place in &federation.places {
        let said = fs::read_to_string(&place.log)?;
        for line in said.lines() {
            let event: Value = serde_json::from_str(line)
                .with_context(|| format!("{} says {line}", place.name))?;
            if event["span"]["trace"] == TRACE && event["span"]["name"] == "request" {
                followed += 1;
            }
        }
        let applicant = Applicant::numbered(7);
        for text in [&applicant.name, &applicant.id_number, &applicant.phone] {
            ensure!(!said.contains(text.as_str()), "{} logs {text}", place.name);
        }
    }
    ensure!(followed > 0, "the request is found by its trace");
    let fuzhou = fs::read_to_string(&federation.places[FUZHOU].log)?;
    ensure!(fuzhou.contains(case), "and the case by its number");
    // As the pages for whoever is woken look for it in the journal.
    ensure!(
        fuzhou.contains(r#""level":"INFO""#),
        "and a level by its name"
    );
    Ok(())
}
