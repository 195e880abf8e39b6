//! The whole cross-province story typed at a shell, against six real processes; and what an operator
//! types beside it: doctor, check, configuration read again while the node works.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tongban_tests::federation::{FUZHOU, Federation, Place, WEINAN};
use tongban_tests::forms::{Applicant, migration};
use tongban_tests::process::{Ended, by_its_schema, program, run, until};

/// A command waits for its node, which may wait for an election.
const COMMAND_LIMIT: Duration = Duration::from_mins(1);

/// A packet crosses, a document is signed: seconds, on a busy machine tens of them.
const STORY_LIMIT: Duration = Duration::from_mins(2);

/// Runs a command as it is typed.
fn typed(token: &str, words: &[&str]) -> Result<Ended> {
    let mut command = Command::new(program()?);
    command.args(words).env("TONGBAN_TOKEN", token);
    run(command, COMMAND_LIMIT)
}

/// A person at a city's node, by what they type.
struct Person<'a> {
    data: &'a str,
    token: String,
}

impl<'a> Person<'a> {
    fn at(federation: &'a Federation, city: usize, role: &str, name: &str) -> Result<Self> {
        let data = federation.places[city].data.to_str();
        Ok(Self {
            data: data.context("the folder of temporary files is UTF-8")?,
            token: federation.token(city, role, name)?,
        })
    }

    /// What it answers, which is by the schema it names.
    fn ask(&self, words: &[&str]) -> Result<Ended> {
        let ended = typed(
            &self.token,
            &[words, &["--data", self.data, "--json"]].concat(),
        )?;
        if let Ok(answer) = serde_json::from_str(&ended.stdout) {
            by_its_schema(&answer)?;
        }
        Ok(ended)
    }

    /// What a command answers that must succeed.
    fn does(&self, words: &[&str]) -> Result<Value> {
        let ended = self.ask(words)?;
        ensure!(ended.code == Some(0), "{words:?}: {ended:?}");
        Ok(serde_json::from_str(&ended.stdout)?)
    }

    /// The code and exit code of one that must not.
    fn is_refused(&self, words: &[&str]) -> Result<(i32, String)> {
        let ended = self.ask(words)?;
        let said: Value =
            serde_json::from_str(&ended.stdout).with_context(|| format!("{words:?}: {ended:?}"))?;
        let next = said["next"].as_str().unwrap_or_default();
        ensure!(next.starts_with("tongban "), "{said}");
        let code = said["code"].as_str().unwrap_or_default().to_owned();
        Ok((ended.code.unwrap_or(-1), code))
    }

    fn until_state(&self, case: &str, state: &str) -> Result<()> {
        until(STORY_LIMIT, &format!("{case} is {state}"), || {
            let ended = self.ask(&["case", "show", case])?;
            let shown: Value = serde_json::from_str(&ended.stdout)?;
            Ok((shown["case"]["state"] == state).then_some(()))
        })
    }
}

#[test]
fn the_story_and_the_care_of_a_node_by_commands_alone() {
    let mut federation = Federation::start("info").unwrap();
    let scratch = tempfile::tempdir().unwrap();
    tell(&federation, scratch.path()).unwrap();
    care(&federation.places[FUZHOU]).unwrap();
    reload(&federation.places[FUZHOU]).unwrap();
    federation.end().unwrap();
    rest(&federation.places[FUZHOU]).unwrap();
}

fn tell(federation: &Federation, scratch: &Path) -> Result<()> {
    let clerk = Person::at(federation, FUZHOU, "clerk", "fz-001")?;
    let officer = Person::at(federation, WEINAN, "officer", "wn-201")?;
    let head = Person::at(federation, WEINAN, "officer", "wn-202")?;
    let form = scratch.join("form.json");
    let application = migration(&Applicant::numbered(1), "610502")?;
    fs::write(&form, application["form"].to_string())?;
    let form = form.to_str().context("UTF-8")?;

    let preview = typed("", &["item", "preview", "0001", "--form", form])?;
    ensure!(preview.code == Some(0), "{preview:?}");
    let new = [
        "case",
        "new",
        "--item",
        "000109900001",
        "--form",
        form,
        "--wait",
    ];
    // The items enter the group's log a moment after its first leader.
    let collected = until(STORY_LIMIT, "the case is replicated", || {
        let ended = clerk.ask(&[&new[..], &["--key", "story-1"]].concat())?;
        let answer: Value = serde_json::from_str(&ended.stdout)?;
        Ok((answer["receipt"]["safety"] == "replicated").then_some(answer))
    })?;
    let case = collected["case"].as_str().context("a number")?.to_owned();
    officer.until_state(&case, "received")?;

    let act = |step: &'static [&'static str]| [&["case", "act", case.as_str()][..], step].concat();
    ensure!(clerk.is_refused(&act(&["accept"]))?.0 == 7);
    ensure!(officer.is_refused(&act(&["accept", "--expect", "77"]))? == (6, "TB3012".to_owned()));
    let usage = officer.is_refused(&act(&["review", "--recommend", "grant"]))?;
    ensure!(usage == (2, "TB8005".to_owned()), "{usage:?}");
    let stranger = "999999999999";
    ensure!(officer.is_refused(&["case", "show", stranger])?.0 == 5);

    officer.does(&act(&["accept"]))?;
    let reviewed = act(&["review", "--recommend", "grant", "--words", "材料齐全"]);
    officer.does(&reviewed)?;
    let decide = act(&["decide", "--decision", "grant"]);
    // Who reviewed may not decide.
    ensure!(officer.ask(&decide)?.code != Some(0));
    let shown = head.ask(&[&decide[..], &["--curl"]].concat())?;
    ensure!(shown.stdout.starts_with("curl -sS -X POST "), "{shown:?}");
    ensure!(!shown.stdout.contains(&head.token), "{shown:?}");
    head.does(&decide)?;
    clerk.until_state(&case, "granted")?;

    let folder = scratch.join("out");
    let folder = folder.to_str().context("UTF-8")?;
    let document = until(STORY_LIMIT, "the document is back", || {
        let exported = clerk.does(&["case", "export", &case, "--dir", folder])?;
        let files = exported["files"].as_array().context("files")?;
        let mut names = files.iter().filter_map(Value::as_str);
        Ok(names
            .find(|name| {
                Path::new(name)
                    .extension()
                    .is_some_and(|ending| ending == "sdjwt")
            })
            .map(ToOwned::to_owned))
    })?;
    let registry = federation.registry.to_str().context("UTF-8")?;
    let verified = typed(
        "",
        &["doc", "verify", &document, "--trust", registry, "--json"],
    )?;
    by_its_schema(&serde_json::from_str(&verified.stdout)?)?;
    let verified = typed(
        "",
        &[
            "doc", "verify", &document, "--trust", registry, "--lang", "en",
        ],
    )?;
    ensure!(verified.code == Some(0), "{verified:?}");
    ensure!(
        verified.stdout.starts_with("verdict: valid"),
        "{verified:?}"
    );
    for person in [&clerk, &head] {
        let listed = person.does(&["doc", "ls", "--case", &case])?;
        let listed = &listed["documents"][0];
        ensure!(
            listed["stage"] == "issued" && listed["sha256"] == digest_of(&document)?,
            "{listed}"
        );
        let all = person.does(&["doc", "ls", "--state", "issued"])?;
        ensure!(all["documents"][0] == *listed, "{all}");
    }
    clerk.does(&act(&["deliver"]))?;

    let listed = typed(
        &clerk.token,
        &["case", "ls", "--data", clerk.data, "-o", "csv"],
    )?;
    ensure!(listed.stdout.contains(&case), "{listed:?}");
    let shown = typed(
        &clerk.token,
        &[
            "case",
            "show",
            &case[..case.len() - 1],
            "--data",
            clerk.data,
        ],
    )?;
    ensure!(
        shown.code == Some(0) && shown.stdout.contains("已送达"),
        "{shown:?}"
    );
    ensure!(
        shown.stdout.contains("承诺时限") && shown.stdout.contains("告知时限"),
        "{shown:?}"
    );
    // An opinion stays in the city that has it.
    let opinions = |person: &Person| {
        Ok::<_, anyhow::Error>(
            person
                .does(&["case", "show", &case])?
                .to_string()
                .contains("材料齐全"),
        )
    };
    ensure!(opinions(&officer)? && !opinions(&clerk)?);
    Ok(())
}

/// SHA-256 of a document in compact form.
fn digest_of(document: &str) -> Result<String> {
    let bytes = fs::read(document)?;
    Ok(tongban_types::sha256(bytes.trim_ascii_end()).to_string())
}

fn care(place: &Place) -> Result<()> {
    let config = place.config.to_str().context("UTF-8")?;
    let doctor = typed("", &["doctor", "--config", config, "--json"])?;
    let found: Value = serde_json::from_str(&doctor.stdout)?;
    by_its_schema(&found)?;
    ensure!(
        doctor.code == Some(0) && found["healthy"] == true,
        "{doctor:?}"
    );
    for (subject, state) in [("raft", "OK"), ("clock", "OK"), ("queue", "OK")] {
        let checked = typed(
            "",
            &["check", subject, "--config", config, "--format", "nagios"],
        )?;
        let begin = format!("TONGBAN {} {state}", subject.to_uppercase());
        ensure!(
            checked.code == Some(0) && checked.stdout.starts_with(&begin),
            "{checked:?}"
        );
    }
    let judge = ["check", "backup", "--config", config, "--format", "nagios"];
    let never = typed("", &judge)?;
    ensure!(
        never.code == Some(2) && never.stdout.starts_with("TONGBAN BACKUP CRITICAL"),
        "{never:?}"
    );
    // Weinan took a packet, so that it is connected; whom nobody wanted anything of is idle, not away.
    let peers = typed("", &["peer", "ls", "--config", config, "--json"])?;
    let listed: Value = serde_json::from_str(&peers.stdout)?;
    by_its_schema(&listed)?;
    let peers = listed["peers"].as_array().context("peers")?;
    ensure!(peers.len() == 5, "{listed}");
    let weinan = peers.iter().find(|peer| peer["city"] == "610500");
    let weinan = weinan.context("Weinan")?;
    ensure!(
        weinan["state"] == "connected" && weinan["way"] == "direct",
        "{weinan}"
    );
    let node = weinan["node"].as_str().context("a node")?;
    let pinged = typed(
        "",
        &["peer", "ping", node, "--count", "2", "--config", config],
    )?;
    ensure!(
        pinged.code == Some(0) && pinged.stdout.contains("2/2"),
        "{pinged:?}"
    );
    let nobody = typed(
        "",
        &["peer", "ping", "110000-01", "--config", config, "--json"],
    )?;
    ensure!(
        nobody.code == Some(5) && nobody.stdout.contains("TB6010"),
        "{nobody:?}"
    );
    for of_node in [&["status"][..], &["peer", "ping", node, "--count", "1"]] {
        let said = typed("", &[of_node, &["--config", config, "--json"]].concat())?;
        by_its_schema(&serde_json::from_str(&said.stdout)?)?;
    }
    let status = typed("", &["status", "--config", config])?;
    ensure!(
        status.code == Some(0) && status.stdout.contains("伙伴城市: "),
        "{status:?}"
    );
    Ok(())
}

/// While the node works: a mistake changes nothing, a level changes at once, an address waits.
fn reload(place: &Place) -> Result<()> {
    let config = place.config.to_str().context("UTF-8")?;
    let told = |verb: &str| typed("", &["config", verb, "--config", config, "--json"]);
    let text = fs::read_to_string(&place.config)?;
    ensure!(told("diff")?.code == Some(0));

    fs::write(
        &place.config,
        text.replace("level = \"info\"", "level = \"loud\""),
    )?;
    let refused = told("reload")?;
    let said: Value = serde_json::from_str(&refused.stdout)?;
    ensure!(
        refused.code == Some(78) && said["code"] == "TB8011",
        "{refused:?}"
    );
    fs::write(
        &place.config,
        text.replace("level = \"info\"", "level = \"debug\""),
    )?;
    ensure!(told("diff")?.code == Some(10));
    let reloaded = told("reload")?;
    let said: Value = serde_json::from_str(&reloaded.stdout)?;
    by_its_schema(&said)?;
    ensure!(
        reloaded.code == Some(0) && said["changed"][0] == "log.level",
        "{reloaded:?}"
    );
    let debugging = || {
        // An answer is logged at that level.
        typed("", &["status", "--config", config])?;
        Ok(fs::read_to_string(&place.log)?
            .contains("\"DEBUG\"")
            .then_some(()))
    };
    until(COMMAND_LIMIT, "the log is more talkative", debugging)?;

    fs::write(
        &place.config,
        format!("{text}\n[replication]\nsnapshot_every_entries = 999\n"),
    )?;
    let reloaded = told("reload")?;
    let said: Value = serde_json::from_str(&reloaded.stdout)?;
    by_its_schema(&said)?;
    let waits = "replication.snapshot_every_entries";
    ensure!(
        reloaded.code == Some(10) && said["pending"][0] == waits,
        "{reloaded:?}"
    );
    fs::write(&place.config, &text)?;
    Ok(())
}

/// The same node, down: the doctor opens its log, and finds what is wrong with its keys or that the log is gone.
fn rest(place: &Place) -> Result<()> {
    let config = place.config.to_str().context("UTF-8")?;
    let examine = || {
        typed(
            "",
            &["doctor", "--offline", "--config", config, "-o", "csv"],
        )
    };
    let well = examine()?;
    ensure!(
        well.code == Some(0) && well.stdout.contains("可以打开"),
        "{well:?}"
    );
    let before = fs::read_dir(place.data.join("wal"))?.count();
    let key = place.data.join("keys/voter.key");
    fs::rename(&key, place.data.join("keys/away"))?;
    let ill = examine()?;
    ensure!(
        ill.code == Some(3) && ill.stdout.contains("voter.key"),
        "{ill:?}"
    );
    ensure!(fs::read_dir(place.data.join("wal"))?.count() == before);
    // A node whose log is gone is not one that never started.
    let (wal, away) = (place.data.join("wal"), place.data.join("wal-away"));
    fs::rename(&wal, &away)?;
    let lost = examine()?;
    ensure!(
        lost.code == Some(3) && lost.stdout.contains("TB8043"),
        "{lost:?}"
    );
    fs::rename(&away, &wal)?;
    let nobody = typed("", &["status", "--config", config, "--json"])?;
    ensure!(nobody.code == Some(8), "{nobody:?}");
    Ok(())
}
