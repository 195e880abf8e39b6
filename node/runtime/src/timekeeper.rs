//! A voter reports its time and its state hash to each group it votes in, now and then; and whoever
//! leads a group sees to it that the registry is in its log.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use openraft_rt::AsyncRuntime;
use tongban_machine::{ground, last_hash_point, registry_bytes};
use tongban_types::{Entry, GroupId, KeyRole, Purpose, Signed, VoterReport, encode, limits};

use crate::core::Core;
use crate::seams::{Entropy, Platform, Signer, Transport};

/// Runs for one hosted group until the node stops.
pub(crate) async fn run_timekeeper<P: Platform>(core: Arc<Core<P>>, group: GroupId) {
    while !core.is_stopping() {
        let is_voter = core.registry().voters(group).contains(&core.me);
        if leads(&core, group) {
            bring_registry(&core, group).await;
            give_lead_home(&core, group).await;
        }
        // Before the registry is in the log no report can be believed.
        if is_voter && core.ground(group).is_some_and(|ground| ground.registry > 0) {
            report(&core, group).await;
        }
        let lag = core
            .ground(group)
            .map_or(i64::MAX, |ground| core.now().ms_since(ground.time));
        let tempo = core.tempo();
        let pause = if lag.abs() > limits::SKEW_MS_MAX / 3 {
            tempo.report_soon
        } else {
            tempo.report_every
        };
        // Jitter keeps voters from reporting in step.
        let spread = pause.mul_f64(0.2);
        let jitter = Duration::from_millis(
            core.entropy.next_u64() % u64::try_from(spread.as_millis()).unwrap_or(1).max(1),
        );
        P::Runtime::sleep(pause + jitter).await;
    }
}

fn leads<P: Platform>(core: &Core<P>, group: GroupId) -> bool {
    core.group(group)
        .is_some_and(|hosted| hosted.group.status().leader == Some(core.me))
}

/// A group without a registry, or with an older one, gets the newest this node knows.
async fn bring_registry<P: Platform>(core: &Core<P>, group: GroupId) {
    let Some(here) = core.ground(group) else {
        return;
    };
    let newest = core.registry();
    if here.registry >= newest.version() {
        return;
    }
    let file = newest_file(core, newest.version());
    let entry = Bytes::from(encode(&Entry::Registry(file)));
    match core
        .submit(group, entry, core.tempo().propose_timeout)
        .await
    {
        Ok(reply) => tracing::info!(%group, ?reply.results, "registry proposed"),
        Err(error) => tracing::debug!(%group, %error, "registry not proposed yet"),
    }
}

/// A group is led best from its own city: there its people act and its effects are carried out. Who
/// leads it elsewhere hands over to a node of the city that is connected; if it lags, nothing happens.
async fn give_lead_home<P: Platform>(core: &Core<P>, group: GroupId) {
    if group.city() == core.city() {
        return;
    }
    let connected = core.transport.connected();
    let registry = core.registry();
    let home = registry
        .voters(group)
        .iter()
        .find(|voter| voter.city() == group.city() && connected.contains(voter));
    if let (Some(home), Some(hosted)) = (home, core.group(group)) {
        match hosted.group.transfer_leader(*home).await {
            Ok(()) => tracing::info!(%group, to = %home, "handing the lead to the city's own node"),
            Err(error) => tracing::debug!(%group, %error, "the lead stays here for now"),
        }
    }
}

fn newest_file<P: Platform>(core: &Core<P>, version: u64) -> Vec<u8> {
    let in_log = core.groups().find_map(|(_, hosted)| {
        hosted
            .replica
            .read(|view| {
                (ground(view).registry == version)
                    .then(|| registry_bytes(view))
                    .flatten()
            })
            .ok()
            .flatten()
    });
    in_log.unwrap_or_else(|| core.settings.registry_file.clone())
}

async fn report<P: Platform>(core: &Core<P>, group: GroupId) {
    let Some(hosted) = core.group(group) else {
        return;
    };
    let known = hosted.replica.read(last_hash_point).ok().flatten();
    let report = VoterReport {
        group,
        voter: core.me,
        time: core.now(),
        index: known.map_or(0, |(index, _)| index),
        state: known.map(|(_, hash)| hash).unwrap_or_default(),
    };
    let bytes = encode(&report);
    let signature = core
        .signer
        .sign(KeyRole::Voter, &Purpose::VoterReport.message(&bytes));
    let (Some(signer), Some(signature)) = (core.signer.public(KeyRole::Voter), signature) else {
        return;
    };
    let entry = Entry::Report(Signed {
        signer,
        signature,
        bytes,
    });
    let submitted = core.submit(
        group,
        Bytes::from(encode(&entry)),
        core.tempo().report_every,
    );
    if let Err(error) = submitted.await {
        tracing::debug!(%group, %error, "report of time not committed");
    }
}
