//! What came of one seed.

use std::collections::BTreeMap;
use std::time::Duration;

use super::scene::Scene;
use crate::invariants::Violation;
use crate::runtime::{TraceHash, World, lock};

/// What came of one seed.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// Hash of everything that happened.
    pub trace: TraceHash,
    /// Simulated time.
    pub simulated: Duration,
    /// The first broken invariant, if any.
    pub violation: Option<Violation>,
    /// How often each kind of fault and act happened.
    pub counts: BTreeMap<&'static str, u64>,
}

impl Outcome {
    /// Reads the world of this thread after its run.
    pub(crate) fn of(scene: &Scene, violation: Option<Violation>) -> Self {
        count_faults(scene);
        Self {
            seed: World::seed(),
            trace: World::trace(),
            simulated: World::now(),
            violation,
            counts: scene.events.counts(),
        }
    }

    /// How often a kind happened.
    pub fn count(&self, kind: &str) -> u64 {
        self.counts.get(kind).copied().unwrap_or(0)
    }
}

/// Enters what network, disks and stores counted, each kind also if it never happened.
fn count_faults(scene: &Scene) {
    let events = &scene.events;
    let net = scene.net.faults();
    events.add("messages delivered", net.delivered);
    events.add("request lost", net.requests_lost);
    events.add("answer lost", net.answers_lost);
    events.add("request duplicated", net.duplicated);
    events.add("message delayed", net.spiked);
    events.add("message overtook", net.overtaken);
    events.add("message at a cut", net.cut);
    events.add("request to a machine that is down", net.down);
    events.add("handler killed", net.handlers_killed);
    for machine in &scene.machines {
        let disk = machine.disk().faults();
        events.add("file lost all unsynced", disk.lost_all);
        events.add("file kept a first part", disk.kept_prefix);
        events.add("file lost sectors", disk.lost_sectors);
        events.add("write torn", disk.torn);
        events.add("names lost", disk.names_lost);
        events.add("slow sync", disk.slow_syncs);
        events.add("answered before sync", disk.answered_before_sync);
        let store = machine.store().faults();
        events.add("store lost commits", store.commits_lost);
        events.add("store lost whole", store.lost_whole);
        events.add("clear torn", store.clear_torn);
    }
    events.add("entries compared", lock(&scene.applied).hashes.len() as u64);
}
