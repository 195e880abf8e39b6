//! What the machines show of the group meanwhile: who leads it, its members, its state, and whom they turn away.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tongban_tests::client::{Ask, Client};
use tongban_tests::federation::{FUZHOU, Federation, group_in};
use tongban_tests::process::{tongban, until};

use super::{GROUP, KEEPERS, LIMIT, Story};
use crate::text;

impl Story {
    /// Returns once a machine sees the group with these members.
    pub(super) fn until_members(&self, index: usize, expected: &Value) -> Result<()> {
        let mut operator = self.operator(index)?;
        let mut last = Value::Null;
        let reached = until(LIMIT, "the group has the members ordered", || {
            // One that is to join keeps no replica yet.
            let group = operator.read(&format!("/api/v1/groups/{GROUP}"));
            last = group.unwrap_or_default()["members"].take();
            Ok((last == *expected).then_some(()))
        });
        let node = &self.federation.places[index].node;
        reached.with_context(|| format!("{node} sees {last} instead of {expected}"))
    }

    /// The group goes on, so that a state is compared where another machine was seen at the same index.
    pub(super) fn compare_states(&self) -> Result<()> {
        let mut seen: BTreeMap<u64, BTreeMap<usize, String>> = BTreeMap::new();
        let mut tries = 0;
        until(LIMIT, "all are seen at an index they share", || {
            tries += 1;
            let states = std::thread::scope(|scope| {
                let ask = |index| scope.spawn(move || self.state_at(index, tries));
                let asked = KEEPERS.map(ask);
                asked.map(|asked| asked.join().map_err(|_| anyhow::anyhow!("a command")))
            });
            for (index, state) in KEEPERS.into_iter().zip(states) {
                let (at, hash) = state??;
                seen.entry(at).or_default().insert(index, hash);
            }
            let mut compared = BTreeSet::new();
            for hashes in seen.values() {
                let Some(newcomers) = hashes.get(&FUZHOU) else {
                    continue;
                };
                let are_equal = hashes.values().all(|hash| hash == newcomers);
                ensure!(are_equal, "{seen:?}");
                compared.extend(hashes.keys().copied());
            }
            Ok((compared.len() == KEEPERS.len()).then_some(()))
        })
    }

    /// Where Fuzhou's group stands at a machine, and the hash of its state there, as it signs in a backup.
    fn state_at(&self, index: usize, number: usize) -> Result<(u64, String)> {
        let place = &self.federation.places[index];
        let file = self.safe.path().join(format!("{}-{number}", place.node));
        let (data, out) = (text(&place.data)?, text(&file)?);
        let made = tongban(&["backup", "create", "--data", data, "--out", out])?;
        let state = group_in(&made, GROUP).context("its state")?;
        let hash = state["state_hash"].as_str().context("a hash")?;
        Ok((
            state["index"].as_u64().context("an index")?,
            hash.to_owned(),
        ))
    }
}

/// Returns once a machine hears the leader of Fuzhou's group; the name alone it remembers from before.
pub(super) fn until_led(federation: &Federation, index: usize) -> Result<()> {
    let mut operator = federation.person(index, "operator", "watch")?;
    let what = format!("{} hears a leader", federation.places[index].node);
    until(LIMIT, &what, || {
        let status = operator.read("/api/v1/status").unwrap_or_default();
        let group = group_in(&status, GROUP);
        let is_led = group.is_some_and(|group| group["has_quorum"] == true);
        Ok(is_led.then_some(()))
    })
}

/// Members of a group with one set of voters, as the API says them.
pub(super) fn members(voters: [&str; 3], learners: &[&str]) -> Value {
    json!({ "voter_sets": [voters], "learners": learners })
}

/// How often a node denied a connection to whoever holds no enrolled key.
pub(super) fn turned_away(operator: &mut Client) -> Result<u64> {
    let page = operator.ask(&Ask::get("/metrics"))?;
    let page = String::from_utf8_lossy(&page.body).into_owned();
    let name = "tongban_links_denied_total{reason=\"not-enrolled\"} ";
    let line = page.lines().find_map(|line| line.strip_prefix(name));
    Ok(line.context("the metric")?.trim().parse()?)
}
