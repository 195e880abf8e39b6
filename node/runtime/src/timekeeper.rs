//! A voter reports its time and its state hash to each group it votes in, now and then; and whoever
//! leads a group sees to it that the registry is in its log.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use openraft_rt::AsyncRuntime;
use tongban_machine::{last_hash_point, registry_bytes_of};
use tongban_types::{
    Entry, GroupId, KeyRole, NodeId, Purpose, Signed, VoterReport, encode, limits,
};

use crate::core::Core;
use crate::rests::Rests;
use crate::seams::{Entropy, Platform, Signer, Transport};

/// Runs for one hosted group until the node stops.
pub(crate) async fn run_timekeeper<P: Platform>(core: Arc<Core<P>>, group: GroupId) {
    let mut hand_overs = Rests::none();
    while !core.is_stopping() {
        let is_voter = core.placement(group).voters.contains(&core.me);
        match leader(&core, group) {
            Some(me) if me == core.me => {
                bring_registry(&core, group).await;
                if core.is_draining() {
                    give_lead_away(&core, group).await;
                } else {
                    give_lead_home(&core, group, &mut hand_overs).await;
                }
            }
            Some(home) if home.city() == group.city() => hand_overs = Rests::none(),
            _ => {}
        }
        // Before the registry is in the log no report can be believed; and a replica that stopped has
        // nothing to say to those that go on.
        if is_voter
            && !has_stopped(&core, group)
            && core.ground(group).is_some_and(|ground| ground.registry > 0)
        {
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

fn leader<P: Platform>(core: &Core<P>, group: GroupId) -> Option<NodeId> {
    core.group(group)?.group.status().leader
}

fn has_stopped<P: Platform>(core: &Core<P>, group: GroupId) -> bool {
    core.group(group)
        .is_some_and(|hosted| hosted.group.status().stopped)
}

/// A group without a registry, or with an older one, gets those it misses, in order.
async fn bring_registry<P: Platform>(core: &Core<P>, group: GroupId) {
    let Some(here) = core.ground(group) else {
        return;
    };
    let newest = core.registry().version();
    if here.registry >= newest {
        return;
    }
    let mut files = registries_after(|version| file_of(core, version), here.registry, newest);
    let entry = match files.len() {
        0 => return,
        1 => Entry::Registry(files.remove(0)),
        _ => Entry::Registries(files),
    };
    match core
        .submit(
            group,
            Bytes::from(encode(&entry)),
            core.tempo().propose_timeout,
        )
        .await
    {
        Ok(reply) => tracing::info!(%group, ?reply.results, "registry proposed"),
        Err(error) => tracing::debug!(%group, %error, "registry not proposed yet"),
    }
}

/// The registries behind a version up to another, as far as one entry holds them. Without one between
/// nothing can be entered; a group that has none begins with the oldest known.
fn registries_after(
    file_of: impl Fn(u64) -> Option<Vec<u8>>,
    version: u64,
    newest: u64,
) -> Vec<Vec<u8>> {
    let known = (version + 1..=newest).rev().map_while(file_of);
    let mut files: Vec<Vec<u8>> = known.take(limits::REGISTRIES_KEPT_MAX).collect();
    let reached = newest - files.len() as u64;
    if version > 0 && reached > version {
        let missing = reached;
        tracing::debug!(version, missing, "a registry between is not known here");
        return Vec::new();
    }
    files.reverse();
    let mut bytes = 0;
    let fit = files.iter().take_while(|file| {
        bytes += file.len();
        bytes <= limits::REGISTRY_BYTES_MAX
    });
    let fit = fit.count();
    files.truncate(fit);
    files
}

/// A registry file this node has: from any hosted group's log, or from its start.
fn file_of<P: Platform>(core: &Core<P>, version: u64) -> Option<Vec<u8>> {
    let in_log = core.groups().find_map(|(_, hosted)| {
        hosted
            .replica
            .read(|view| registry_bytes_of(view, version))
            .ok()
            .flatten()
    });
    let settings = &core.settings;
    let is_at_start = settings.registry.version() == version;
    in_log
        .or_else(|| is_at_start.then(|| settings.registry_file.clone()))
        .or_else(|| settings.older_registries.get(&version).cloned())
}

async fn give_lead_away<P: Platform>(core: &Arc<Core<P>>, group: GroupId) {
    if let Some(hosted) = core.group(group) {
        core.give_lead_away(group, &hosted).await;
    }
}

/// A group is led best from its own city: there its people act and its effects are carried out. Who
/// leads it elsewhere hands over to a node of the city that is connected; one that lags or does not
/// answer is refused by the group and asked again later.
async fn give_lead_home<P: Platform>(
    core: &Core<P>,
    group: GroupId,
    hand_overs: &mut Rests<P::Runtime>,
) {
    if group.city() == core.city() || !hand_overs.may_try() {
        return;
    }
    let connected = core.transport.connected();
    let placement = core.placement(group);
    let home = placement
        .voters
        .iter()
        .find(|voter| voter.city() == group.city() && connected.contains(voter));
    if let (Some(home), Some(hosted)) = (home, core.group(group)) {
        if !core.would_lead(group, *home).await {
            let tempo = core.tempo();
            hand_overs.tried(tempo.hand_over_min, tempo.hand_over_max);
            return;
        }
        match hosted.group.transfer_leader(*home).await {
            Ok(()) => {
                // In vain it costs the group an election.
                let tempo = core.tempo();
                hand_overs.tried(tempo.hand_over_min, tempo.hand_over_max);
                tracing::info!(%group, to = %home, "handing the lead to the city's own node");
            }
            Err(error) => tracing::debug!(%group, %error, "the lead stays here for now"),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn after(known: &[u8], version: u64, newest: u64) -> Vec<Vec<u8>> {
        let file_of = |version: u64| {
            let version = u8::try_from(version).unwrap();
            known.contains(&version).then(|| vec![version])
        };
        registries_after(file_of, version, newest)
    }

    #[test]
    fn a_group_gets_every_registry_it_misses_in_order_or_none() {
        assert_eq!(after(&[1, 2, 3, 4], 1, 4), [[2], [3], [4]]);
        assert_eq!(after(&[4], 3, 4), [[4]]);
        assert!(after(&[2, 4], 1, 4).is_empty(), "the third is missing");
        assert_eq!(after(&[1, 3, 4], 0, 4), [[3], [4]], "a new group has none");
    }

    #[test]
    fn an_entry_holds_what_fits_it_from_the_oldest_on() {
        let large = |version: u64| (version > 1).then(|| vec![0; limits::REGISTRY_BYTES_MAX / 2]);
        assert_eq!(registries_after(large, 1, 5).len(), 2);
        let many = u64::try_from(limits::REGISTRIES_KEPT_MAX).unwrap();
        let small = |version: u64| (version > 0).then(Vec::new);
        assert_eq!(registries_after(small, 0, many + 9).len() as u64, many);
    }
}
