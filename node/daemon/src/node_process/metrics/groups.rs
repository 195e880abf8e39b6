//! The desk, the groups, and what waits in them.

use std::fmt;
use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use tongban_runtime::{GroupReport, NodeGauges, NodeReport};

use super::page::{Page, signed};

type GroupFigure = fn(&GroupReport) -> i64;

impl Page<'_> {
    pub(super) fn node(&mut self, report: &NodeReport) -> fmt::Result {
        let waiting = i64::try_from(report.desk_waiting).unwrap_or(i64::MAX);
        self.gauge(
            "tongban_desk_waiting",
            "Applications stored, not yet replicated",
            waiting,
        )?;
        let refused = i64::try_from(report.desk_refused).unwrap_or(i64::MAX);
        self.gauge(
            "tongban_desk_refused",
            "Applications stored that the group refused when they were tried last",
            refused,
        )?;
        let version = i64::try_from(report.registry).unwrap_or(i64::MAX);
        self.gauge(
            "tongban_registry_version",
            "Version of the registry in force",
            version,
        )?;
        let failed = i64::from(report.failed);
        self.gauge(
            "tongban_node_failed",
            "1 if the log, the store, a group or a task failed",
            failed,
        )?;
        self.counter(
            "tongban_deliveries_relayed",
            "Deliveries of parcels handed on for nodes that do not reach the receiver",
            report.relayed,
        )?;
        let to_peers = report.refused_to_peers.iter();
        let samples = to_peers.map(|((lane, code), count)| {
            let labels = [("lane", lane.name().to_owned()), ("code", code.to_string())];
            (labels, *count)
        });
        let help = "Requests of peers and parcels in them refused, by lane and code";
        self.counters("tongban_peer_requests_refused", help, samples)?;
        self.groups(&report.groups)
    }

    fn groups(&mut self, groups: &[GroupReport]) -> fmt::Result {
        let refused = groups.iter().flat_map(|report| {
            let group = report.group.to_string();
            report.refused.iter().map(move |(code, count)| {
                let labels = [("group", group.clone()), ("code", code.to_string())];
                (labels, *count)
            })
        });
        let help = "Commands and parcels refused when they were applied, by group and code";
        self.counters("tongban_group_refused", help, refused)?;
        let figures: [(&str, &str, GroupFigure); 14] = [
            ("tongban_group_term", "Raft term", |g| signed(g.status.term)),
            ("tongban_group_applied_index", "Last applied", |g| {
                signed(g.status.applied_index)
            }),
            (
                "tongban_group_last_index",
                "Last in this replica's log",
                |g| signed(g.status.last_index),
            ),
            ("tongban_group_purged_index", "Purged up to", |g| {
                signed(g.status.purged_index)
            }),
            (
                "tongban_group_snapshot_index",
                "Held by the current snapshot",
                |g| signed(g.status.snapshot_index),
            ),
            ("tongban_group_voters", "Voters", |g| {
                i64::try_from(g.status.voters.len()).unwrap_or(i64::MAX)
            }),
            (
                "tongban_group_has_leader",
                "1 if a leader is known here",
                |g| i64::from(g.status.leader.is_some()),
            ),
            ("tongban_group_cases", "Cases", |g| signed(g.cases)),
            (
                "tongban_group_unanswered",
                "Packets not answered yet",
                |g| i64::try_from(g.unanswered).unwrap_or(i64::MAX),
            ),
            (
                "tongban_group_evidence",
                "Proofs of equivocation kept",
                |g| signed(g.evidence),
            ),
            (
                "tongban_group_can_lose",
                "Voters that may be lost: on the leader by who answers it, elsewhere by the links",
                |g| i64::try_from(g.can_lose).unwrap_or(i64::MAX),
            ),
            ("tongban_group_in_touch", "Voters in touch", |g| {
                i64::try_from(g.in_touch).unwrap_or(i64::MAX)
            }),
            (
                "tongban_group_has_quorum",
                "1 if the group can decide, as far as is known here",
                |g| i64::from(g.has_quorum),
            ),
            (
                "tongban_group_stopped",
                "1 if the group has stopped on this node",
                |g| i64::from(g.status.stopped),
            ),
        ];
        for (name, help, figure) in figures {
            self.per_group(name, help, groups, figure)?;
        }
        Ok(())
    }

    pub(super) fn gauges(&mut self, seen: &NodeGauges, data: &Path) -> fmt::Result {
        self.gauge(
            "tongban_desk_oldest_waiting_timestamp_seconds",
            "When the first application that is not replicated yet was handed in; now if none waits",
            seen.desk_oldest.unwrap_or(seen.now).unix_seconds(),
        )?;
        self.counter(
            "tongban_desk_stored",
            "Applications stored by the desk before their group had them",
            seen.desk_stored,
        )?;
        self.counter(
            "tongban_desk_replicated",
            "Applications of the desk that became replicated",
            seen.desk_replicated,
        )?;
        let expires = seen.registry_expires.unix_seconds();
        self.gauge(
            "tongban_registry_expiry_timestamp_seconds",
            "When the registry in force expires",
            expires,
        )?;
        if let Some(until) = seen.keys_until {
            self.gauge(
                "tongban_keys_expiry_timestamp_seconds",
                "When the first of this node's own keys expires",
                until.unix_seconds(),
            )?;
        }
        let peers = seen.peers.iter();
        let samples =
            peers.map(|(peer, is_up)| ([("peer", peer.to_string())], f64::from(u8::from(*is_up))));
        self.gauges_of(
            "tongban_peer_connected",
            "1 with a live connection to a node that votes in a group kept here",
            samples,
        )?;
        self.group_times(seen)?;
        self.group_counts(seen)?;
        let ages = seen.groups.iter().filter_map(|seen| {
            let at = newest_snapshot(&data.join("snapshots"), &seen.group.to_string())?;
            Some(([("group", seen.group.to_string())], at))
        });
        self.gauges_of(
            "tongban_group_snapshot_timestamp_seconds",
            "When the current snapshot of a group was cut or received",
            ages,
        )
    }

    fn group_times(&mut self, seen: &NodeGauges) -> fmt::Result {
        let known = seen.groups.iter().filter(|group| group.time.unix_ms() > 0);
        let skews = known.map(|group| {
            let seconds = whole(seen.now.ms_since(group.time)) / 1_000.0;
            ([("group", group.group.to_string())], seconds)
        });
        self.gauges_of(
            "tongban_group_clock_skew_seconds",
            "This node's clock less group time; a few seconds are the rhythm of the reports",
            skews,
        )?;
        let deadlines = seen.groups.iter().filter_map(|group| {
            let at = group.next_deadline?.unix_seconds();
            Some(([("group", group.group.to_string())], whole(at)))
        });
        self.gauges_of(
            "tongban_group_next_deadline_timestamp_seconds",
            "When silence next counts as acceptance in a group, or a city is told again what it missed",
            deadlines,
        )?;
        let notices = seen.groups.iter().filter_map(|group| {
            let at = group.next_notice?.unix_seconds();
            Some(([("group", group.group.to_string())], whole(at)))
        });
        self.gauges_of(
            "tongban_cases_next_notice_timestamp_seconds",
            "When silence next counts as acceptance of a case that this city is to answer",
            notices,
        )
    }

    fn group_counts(&mut self, seen: &NodeGauges) -> fmt::Result {
        let waiting = seen.groups.iter().flat_map(|group| {
            group.waiting.iter().map(|(state, count)| {
                let labels = [
                    ("group", group.group.to_string()),
                    ("state", state.name().to_owned()),
                ];
                (labels, figure(*count))
            })
        });
        self.gauges_of(
            "tongban_cases_waiting",
            "Cases of this city that wait for somebody, by state; counted up to 10000",
            waiting,
        )?;
        let queues = seen.groups.iter().flat_map(|group| {
            group.unanswered_to.iter().map(|(to, count)| {
                let labels = [("group", group.group.to_string()), ("to", to.to_string())];
                (labels, figure(*count))
            })
        });
        self.gauges_of(
            "tongban_group_queue",
            "Packets not answered yet, by the group they are for; counted up to 10000",
            queues,
        )?;
        let sent = seen.groups.iter().map(|group| {
            let labels = [("group", group.group.to_string())];
            (labels, group.outbox_next)
        });
        self.counters(
            "tongban_group_parcels_sent",
            "Packets and answers entered for other groups, ever",
            sent,
        )?;
        let fates = seen.groups.iter().flat_map(|group| {
            group.applied.parcels.iter().map(|(fate, count)| {
                let labels = [
                    ("group", group.group.to_string()),
                    ("fate", (*fate).to_owned()),
                ];
                (labels, *count)
            })
        });
        self.counters(
            "tongban_group_parcels",
            "Packets and answers of other groups applied since start, by what became of them",
            fates,
        )?;
        let steps = seen.groups.iter().flat_map(|group| {
            group.applied.cases.iter().map(|(state, count)| {
                let labels = [
                    ("group", group.group.to_string()),
                    ("state", state.name().to_owned()),
                ];
                (labels, *count)
            })
        });
        self.counters(
            "tongban_group_steps",
            "Commands applied since start, by the state the case came to",
            steps,
        )
    }

    fn per_group(
        &mut self,
        name: &str,
        help: &str,
        groups: &[GroupReport],
        figure: GroupFigure,
    ) -> fmt::Result {
        let samples = groups.iter().map(|report| {
            let labels = [("group", report.group.to_string())];
            (labels, whole(figure(report)))
        });
        self.gauges_of(name, help, samples)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "seconds and milliseconds since 1970 fit in 53 bits"
)]
const fn whole(number: i64) -> f64 {
    number as f64
}

#[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
const fn figure(count: u64) -> f64 {
    count as f64
}

/// When the newest snapshot of a group was written, seconds since 1970.
fn newest_snapshot(folder: &Path, group: &str) -> Option<f64> {
    let prefix = format!("{group}-");
    let entries = fs::read_dir(folder).ok()?.flatten();
    let of_group = entries.filter(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with(&prefix) && name.ends_with(".snap")
    });
    let written = of_group.filter_map(|entry| entry.metadata().ok()?.modified().ok());
    let since = written.max()?.duration_since(UNIX_EPOCH).ok()?;
    Some(since.as_secs_f64())
}
