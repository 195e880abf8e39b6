//! What is malformed, oversized, unsigned, replayed, stale or another's right is refused: with a
//! problem of a code that `tongban explain` describes, counted, and nothing changed by it.

mod peers;
mod requests;
mod uploads;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tongban_tests::client::{Answer, Ask, Client};
use tongban_tests::federation::{FUZHOU, Federation, WEINAN};
use tongban_tests::forms::{Applicant, migration};
use tongban_tests::process::{tongban, until};

use requests::{Bad, By, bad_requests};
use uploads::bad_uploads;

const CASES: &str = "/api/v1/cases";
const MOVE_TO_WEINAN: &str = "610502";
const SETTLE_LIMIT: Duration = Duration::from_mins(1);

struct Desks {
    clerk: Client,
    officer: Client,
    stranger: Client,
    clerk_at_weinan: Client,
    reviewer_at_weinan: Client,
}

impl Desks {
    fn open(federation: &Federation) -> Result<Self> {
        let fuzhou = federation.token(FUZHOU, "clerk", "fz-001")?;
        Ok(Self {
            clerk: Client::new(federation.places[FUZHOU].http, &fuzhou),
            officer: federation.person(FUZHOU, "officer", "fz-101")?,
            stranger: Client::new(federation.places[FUZHOU].http, "not-a-token"),
            clerk_at_weinan: Client::new(federation.places[WEINAN].http, &fuzhou),
            reviewer_at_weinan: federation.person(WEINAN, "officer", "wn-101")?,
        })
    }

    fn of(&mut self, by: By) -> &mut Client {
        match by {
            By::Clerk => &mut self.clerk,
            By::Officer => &mut self.officer,
            By::Stranger => &mut self.stranger,
            By::ClerkAtWeinan => &mut self.clerk_at_weinan,
            By::ReviewerAtWeinan => &mut self.reviewer_at_weinan,
        }
    }
}

#[test]
fn bad_input_is_refused_by_name_counted_and_changes_nothing() {
    let mut federation = Federation::start("info").unwrap();
    let mut desks = Desks::open(&federation).unwrap();
    let case = reviewed_case(&mut desks).unwrap();
    let mut auditors =
        [FUZHOU, WEINAN].map(|index| federation.person(index, "auditor", "auditor").unwrap());
    let upload = uploads::begin(&mut desks.clerk).unwrap();
    let before = state(&mut auditors).unwrap();
    let requests = bad_requests(&case).unwrap().into_iter();
    for bad in requests.chain(bad_uploads(&upload)) {
        let node = usize::from(matches!(bad.by, By::ClerkAtWeinan | By::ReviewerAtWeinan));
        let counted = count(&mut auditors[node], bad.code).unwrap();
        let answer = desks.of(bad.by).ask(&bad.ask).unwrap();
        check_problem(&bad, &answer).unwrap_or_else(|fault| panic!("{}: {fault:#}", bad.name));
        let now = count(&mut auditors[node], bad.code).unwrap();
        assert_eq!(now, counted + 1, "{}: {} is counted", bad.name, bad.code);
        assert_eq!(
            state(&mut auditors).unwrap(),
            before,
            "{}: state is unchanged",
            bad.name
        );
    }
    uploads::check_untouched(&mut desks.clerk, &upload).unwrap();
    federation.end().unwrap();
}

/// A case as both cities see it.
struct Reviewed {
    number: String,
    version_in_fuzhou: Value,
    version_in_weinan: Value,
}

/// A case collected in Fuzhou under the key `first`, accepted and reviewed in Weinan.
fn reviewed_case(desks: &mut Desks) -> Result<Reviewed> {
    let body = migration(&Applicant::numbered(1), MOVE_TO_WEINAN)?;
    let ask = Ask::post(CASES, &body).key("first").replicated();
    let collected = desks.clerk.ask(&ask)?;
    ensure!([201, 202].contains(&collected.status), "{collected}");
    let case = collected.json()?["case"]
        .as_str()
        .context("a case number")?
        .to_owned();
    let path = format!("{CASES}/{case}");
    let officer = &mut desks.reviewer_at_weinan;
    until(SETTLE_LIMIT, "Weinan has the case", || {
        Ok((officer.ask(&Ask::get(&path))?.status == 200).then_some(()))
    })?;
    for (act, words) in [
        ("accept", json!({})),
        (
            "review",
            json!({ "recommend": "grant", "opinion": "材料齐全" }),
        ),
    ] {
        let version = officer.read(&path)?["case"]["version"].clone();
        let mut body = words;
        body["expected_version"] = version;
        let done = officer.ask(&Ask::post(&format!("{path}/{act}"), &body).key(act))?;
        ensure!(done.status == 200, "{act}: {done}");
    }
    let there = desks.reviewer_at_weinan.read(&path)?;
    // What Weinan did has come back, so that nothing moves by itself any more.
    let here = until(SETTLE_LIMIT, "Fuzhou knows of the review", || {
        let here = desks.clerk.read(&path)?;
        Ok((here["case"]["state"] == there["case"]["state"]).then_some(here))
    })?;
    Ok(Reviewed {
        number: case,
        version_in_fuzhou: here["case"]["version"].clone(),
        version_in_weinan: there["case"]["version"].clone(),
    })
}

fn check_problem(bad: &Bad, answer: &Answer) -> Result<()> {
    ensure!(
        answer.code().as_deref() == Some(bad.code),
        "expected {}: {answer}",
        bad.code
    );
    ensure!(
        answer.status == bad.status,
        "expected {}: {answer}",
        bad.status
    );
    let kind = answer.header("content-type");
    ensure!(kind == Some("application/problem+json"), "{kind:?}");
    let problem = answer.json()?;
    ensure!(
        problem["type"] == format!("/problems/{}", bad.code),
        "{problem}"
    );
    ensure!(problem["status"] == bad.status, "{problem}");
    ensure!(
        problem.to_string().contains(bad.told),
        "does not say {}: {problem}",
        bad.told
    );
    let explained = tongban(&["explain", bad.code])?;
    let entry = &explained["codes"][0];
    ensure!(
        entry["code"] == bad.code && entry["what"]["zh"] == problem["title"],
        "{explained}"
    );
    ensure!(
        entry["cure"]["zh"]
            .as_str()
            .is_some_and(|cure| !cure.is_empty()),
        "{explained}"
    );
    Ok(())
}

/// How often a code was counted.
fn count(auditor: &mut Client, code: &str) -> Result<u64> {
    let metrics = auditor.ask(&Ask::get("/metrics"))?;
    ensure!(metrics.status == 200, "{metrics}");
    let text = String::from_utf8(metrics.body)?;
    let sample = format!("tongban_api_refusals_total{{code=\"{code}\"}} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&sample));
    line.map_or(Ok(0), |number| Ok(number.parse()?))
}

/// Every case of both cities, as an auditor sees it.
fn state(auditors: &mut [Client; 2]) -> Result<Vec<Value>> {
    let mut cases = Vec::new();
    for auditor in auditors {
        let page = auditor.read("/api/v1/cases?limit=100&fresh=true")?;
        ensure!(page["next"].is_null(), "few cases");
        for case in page["cases"].as_array().context("cases")? {
            let number = case["number"].as_str().context("a number")?;
            cases.push(auditor.read(&format!("{CASES}/{number}"))?);
        }
    }
    Ok(cases)
}
