//! A city loses its only machine and has another in its place, step by step as `deploy/README.md` tells an
//! operator: backed up while its group works, restored under a number never given, enrolled by the next registry,
//! placed by an order of the city's governance, first as a learner. What a majority had is there, forms open by
//! the keys that came back, and under the old number nobody is heard any more.

mod looking;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use tongban_tests::city::DISTRICT;
use tongban_tests::client::{Ask, Client};
use tongban_tests::decision::{document, grant, verdict};
use tongban_tests::federation::{FUZHOU, Federation, Place};
use tongban_tests::forms::{Applicant, migration};
use tongban_tests::process::{NodeProcess, ask_tongban, tongban, until};

use self::looking::{members, turned_away, until_led};
use super::text;

/// Elections, a snapshot sent, a lease that runs out; on a busy machine.
const LIMIT: Duration = Duration::from_mins(2);

const GROUP: &str = "350100";
const PUTIAN: usize = 1;
const NINGDE: usize = 2;

/// The machines that keep Fuzhou's group: its own, and those of the next two cities. Nothing else runs.
const KEEPERS: [usize; 3] = [FUZHOU, PUTIAN, NINGDE];

/// Short logs, so that the newcomer gets a snapshot.
const SHORT_LOGS: &str = "\n[replication]\nsnapshot_every_entries = 20\n";

/// Where a case number says which node took the case in: behind city and day.
const DIGITS_OF_NODE: std::ops::Range<usize> = 14..16;

/// How `group plan` ends where there is something to be done.
const PLAN_WITH_STEPS: i32 = 10;

/// How `group status` ends where the group is not as it should be.
const GROUP_NOT_WELL: i32 = 3;

/// The machine that is lost, the one that takes its place, and what is kept away from both.
struct Story {
    federation: Federation,
    lost: Place,
    newcomer: Place,
    /// The recovery key and the backups.
    safe: TempDir,
}

/// Cases of the lost machine and what it showed of them.
struct Cases {
    granted: String,
    document: String,
    open: String,
    /// Taken in behind the backup.
    later: String,
    shown: BTreeMap<String, Value>,
}

#[test]
fn a_lost_machine_comes_back_as_another_node_of_its_group_and_is_heard_as_itself_no_more() {
    let mut story = Story::begin().unwrap();
    let cases = story.work().unwrap();
    story.lose_it_and_restore_another().unwrap();
    story.bring_the_next_registry().unwrap();
    story.place_it_as_a_learner().unwrap();
    story.let_it_in_as_a_voter().unwrap();
    story.compare_states().unwrap();
    story.serve(&cases).unwrap();
    story.turn_the_lost_one_away().unwrap();
    story.federation.end().unwrap();
}

impl Story {
    fn begin() -> Result<Self> {
        let safe = tempfile::tempdir()?;
        let key = safe.path().join("recovery.key");
        let made = tongban(&["key", "make", "--recovery", text(&key)?])?;
        let recovery = made["public"].as_str().context("a public key")?;
        let added = format!("{SHORT_LOGS}[backup]\nrecovery_key = \"{recovery}\"\n");
        let mut federation = Federation::prepare("info", &added)?;
        for index in KEEPERS {
            federation.start_one(index)?;
        }
        for index in KEEPERS {
            until_led(&federation, index)?;
        }
        Ok(Self {
            lost: federation.places[FUZHOU].clone(),
            newcomer: federation.another_machine(FUZHOU, 2)?,
            federation,
            safe,
        })
    }

    /// One case is granted and one open when the machine is backed up, and one more comes in behind that.
    fn work(&self) -> Result<Cases> {
        let mut clerk = self.person("clerk")?;
        let (granted, open) = (taken_in(&mut clerk, 1)?, taken_in(&mut clerk, 2)?);
        let document = self.granted(&granted)?;
        let (data, file) = (text(&self.lost.data)?, self.backup());
        let words = ["backup", "create", "--data", data, "--out", text(&file)?];
        let made = tongban(&words)?;
        ensure!(made["caught_up"] == true, "{made}");
        self.verify_the_backup()?;
        let later = taken_in(&mut clerk, 3)?;
        let mut shown = BTreeMap::new();
        for case in [&granted, &open, &later] {
            shown.insert(case.clone(), clerk.read(&address(case))?);
        }
        Ok(Cases {
            granted,
            document,
            open,
            later,
            shown,
        })
    }

    /// Its folder is out of reach from now on; what stands in its place is no home for its number.
    fn lose_it_and_restore_another(&mut self) -> Result<()> {
        self.federation.kill(FUZHOU)?;
        fs::rename(&self.lost.data, self.out_of_reach())?;
        let (file, key) = (self.backup(), self.safe.path().join("recovery.key"));
        let (registry, data) = (text(&self.federation.registry)?, text(&self.newcomer.data)?);
        let from = ["backup", "restore", text(&file)?, "--trust", registry];
        let node = self.newcomer.node.as_str();
        let into = ["--key", text(&key)?, "--data", data, "--node", node];
        let words = [&from[..], &into].concat();
        let would = tongban(&[&words[..], &["--dry-run"]].concat())?;
        ensure!(!self.newcomer.data.exists(), "{would}");
        let done = tongban(&words)?;
        ensure!(done["restored"] == would["restored"], "{done}");
        ensure!(
            done["restored"]["vault"] == 3,
            "two cases' keys, and the pseudonyms': {done}"
        );
        does_not_start(&self.newcomer, "node.number=1", "TB8042")
    }

    /// Whoever takes it up judges the lost machine's backup by it as before.
    fn bring_the_next_registry(&mut self) -> Result<()> {
        self.federation.succeed(&self.lost, &self.newcomer)?;
        for index in [PUTIAN, NINGDE] {
            self.federation.end_one(index)?;
            self.federation.start_one(index)?;
            until_led(&self.federation, index)?;
        }
        self.verify_the_backup()
    }

    /// Ordered at a partner's machine while the new one is not even started, the group waits for it with the
    /// voters it has.
    fn place_it_as_a_learner(&self) -> Result<()> {
        let (order, key) = (
            self.safe.path().join("order.json"),
            self.federation.governance_key(FUZHOU),
        );
        let (order, config) = (text(&order)?, text(&self.federation.places[PUTIAN].config)?);
        let voters = "350100-02,350300-01,350900-01";
        let plan = ["group", "plan", GROUP, "--voters", voters, "--out", order];
        let (exit, plan) = ask_tongban(&[&plan[..], &["--config", config]].concat())?;
        ensure!(exit == Some(PLAN_WITH_STEPS), "{plan}");
        let (comes, goes) = (self.newcomer.node.as_str(), self.lost.node.as_str());
        ensure!(plan["comes_in"] == json!([comes]), "{plan}");
        ensure!(plan["goes"] == json!([goes]), "{plan}");
        ensure!(plan["waits_for"] == plan["comes_in"], "{plan}");
        tongban(&["group", "sign", order, "--key", text(&key)?])?;
        // It is refused until the registry that enrols the newcomer is in the group's log.
        until(LIMIT, "the order is in the log", || {
            let apply = ["group", "apply", order, "--wait", "0", "--config", config];
            let (exit, _) = ask_tongban(&apply)?;
            Ok((exit == Some(0)).then_some(()))
        })?;
        let before = members([goes, "350300-01", "350900-01"], &[comes]);
        ensure!(plan["steps"][0] == before, "{plan}");
        self.until_members(PUTIAN, &before)
    }

    /// It is started last, is sent the state, and votes in the lost one's place; then it leads, as the city's own.
    fn let_it_in_as_a_voter(&mut self) -> Result<()> {
        self.federation.places[FUZHOU] = self.newcomer.clone();
        self.federation.start_one(FUZHOU)?;
        let after = self.members_in_the_end();
        for index in KEEPERS {
            self.until_members(index, &after)?;
        }
        let mut operator = self.operator(FUZHOU)?;
        let path = format!("/api/v1/groups/{GROUP}");
        until(LIMIT, "the city's own node leads", || {
            let group = operator.read(&path).unwrap_or_default();
            let leads = group["leader"] == self.newcomer.node && group["has_quorum"] == true;
            Ok(leads.then_some(()))
        })
    }

    /// What came before the backup is whole, what came behind it has its state; and work goes on.
    fn serve(&self, cases: &Cases) -> Result<()> {
        let mut clerk = self.person("clerk")?;
        for case in [&cases.granted, &cases.open, &cases.later] {
            let (before, now) = (&cases.shown[case], clerk.read(&address(case))?);
            ensure!(now["case"] == before["case"], "{now} instead of {before}");
            let has_key = *case != cases.later;
            ensure!(now["form"].is_object() == has_key, "{now}");
            ensure!(!has_key || now["form"] == before["form"]);
        }
        ensure!(document(&mut clerk, &cases.granted)? == cases.document);
        let (current, known) = (&self.federation.registry, self.registry_before());
        let issued = self.granted(&cases.open)?;
        // Whoever finds the old disk could sign with its keys today and name any day.
        for (document, registry, expected) in [
            (&cases.document, &known, "valid"),
            (&cases.document, current, "indeterminate"),
            (&issued, current, "valid"),
        ] {
            let said = verdict(document, registry)?;
            ensure!(said == expected, "{said}: {document}");
        }
        let own = taken_in(&mut clerk, 4)?;
        let digits = own.get(DIGITS_OF_NODE);
        ensure!(digits == Some("02"), "{own} is numbered by another node");
        Ok(())
    }

    /// The old disk turns up. Started with the registry it knew it is heard by nobody, and with the one in force
    /// not at all.
    fn turn_the_lost_one_away(&self) -> Result<()> {
        fs::rename(self.out_of_reach(), &self.lost.data)?;
        let (current, known) = (&self.federation.registry, self.registry_before());
        let config = fs::read_to_string(&self.lost.config)?;
        let config = config.replace(text(current)?, text(&known)?);
        fs::write(&self.lost.config, config)?;
        let mut operator = self.operator(PUTIAN)?;
        let before = turned_away(&mut operator)?;
        let process = NodeProcess::start(&self.lost.config, &self.lost.log)?;
        until(LIMIT, "it is turned away", || {
            Ok((turned_away(&mut operator)? > before).then_some(()))
        })?;
        let words = ["group", "status", GROUP, "--data", text(&self.lost.data)?];
        let group = until(LIMIT, "it answers its operator", || {
            let (exit, group) = ask_tongban(&words)?;
            Ok((exit == Some(GROUP_NOT_WELL)).then_some(group))
        })?;
        ensure!(group["has_quorum"] == false, "{group}");
        process.kill()?;
        self.until_members(PUTIAN, &self.members_in_the_end())?;
        let current = format!("registry.file={}", text(current)?);
        does_not_start(&self.lost, &current, "TB8026")
    }

    fn backup(&self) -> PathBuf {
        self.safe.path().join("350100-01.backup")
    }

    /// The registry that knew the lost machine.
    fn registry_before(&self) -> PathBuf {
        self.federation.registry.with_extension("1.json")
    }

    fn out_of_reach(&self) -> PathBuf {
        self.lost.data.with_extension("lost")
    }

    fn verify_the_backup(&self) -> Result<()> {
        let (file, registry) = (self.backup(), text(&self.federation.registry)?);
        tongban(&["backup", "verify", text(&file)?, "--trust", registry])?;
        Ok(())
    }

    fn members_in_the_end(&self) -> Value {
        let own = self.newcomer.node.as_str();
        members([own, "350300-01", "350900-01"], &[])
    }

    fn operator(&self, index: usize) -> Result<Client> {
        self.federation.person(index, "operator", "watch")
    }

    /// Somebody of Fuzhou, at whichever machine it has now.
    fn person(&self, role: &str) -> Result<Client> {
        self.federation.person(FUZHOU, role, role)
    }

    /// Two officers grant a case there; its document.
    fn granted(&self, case: &str) -> Result<String> {
        let mut reviewer = self.federation.person(FUZHOU, "officer", "first")?;
        let mut decider = self.federation.person(FUZHOU, "officer", "second")?;
        grant(&mut reviewer, &mut decider, case)?;
        document(&mut reviewer, case)
    }
}

fn does_not_start(place: &Place, set: &str, code: &str) -> Result<()> {
    let config = text(&place.config)?;
    let (exit, said) = ask_tongban(&["up", "--config", config, "--set", set])?;
    ensure!(exit == Some(78) && said["code"] == code, "{exit:?} {said}");
    Ok(())
}

fn address(case: &str) -> String {
    format!("/api/v1/cases/{case}")
}

/// Takes an application for Fuzhou in until a majority has it; its case.
fn taken_in(clerk: &mut Client, number: usize) -> Result<String> {
    let body = migration(&Applicant::numbered(number), DISTRICT)?;
    let ask = Ask::post("/api/v1/cases", &body).key(&format!("application-{number}"));
    let ask = ask.replicated();
    until(LIMIT, "the group takes a case in", || {
        let answer = clerk.ask(&ask)?.json()?;
        let is_safe = answer["receipt"]["safety"] == "replicated";
        let case = answer["case"].as_str().filter(|_| is_safe);
        Ok(case.map(str::to_owned))
    })
}
