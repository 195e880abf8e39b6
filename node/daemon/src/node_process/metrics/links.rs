//! Links to other nodes.

use std::fmt;

use tongban_net::LaneMetrics;

use super::page::Page;

type LaneFigure = fn(&LaneMetrics) -> u64;

impl Page<'_> {
    pub(super) fn links(&mut self, links: &tongban_net::NetMetrics) -> fmt::Result {
        let open = i64::try_from(links.connections).unwrap_or(i64::MAX);
        self.gauge("tongban_links", "Open connections to other nodes", open)?;
        let dialing = i64::try_from(links.dialing).unwrap_or(i64::MAX);
        self.gauge("tongban_links_dialing", "Own dials under way", dialing)?;
        let handshaking = i64::try_from(links.handshaking).unwrap_or(i64::MAX);
        self.gauge(
            "tongban_links_handshaking",
            "Connections of others in handshake",
            handshaking,
        )?;
        self.counter(
            "tongban_links_opened",
            "Connections opened",
            links.connections_opened,
        )?;
        self.counter(
            "tongban_dials_failed",
            "Dials that failed",
            links.dials_failed,
        )?;
        self.counter(
            "tongban_handshakes_failed",
            "Handshakes that failed",
            links.handshakes_failed,
        )?;
        self.counter(
            "tongban_links_dead",
            "Connections closed because nothing was heard on them",
            links.connections_dead,
        )?;
        let by_carrier = links.connections_opened_by_carrier.iter();
        self.counters(
            "tongban_links_opened_by_carrier",
            "Connections opened, by what they run on",
            by_carrier.map(|(carrier, count)| ([("carrier", carrier.name().to_owned())], *count)),
        )?;
        let denied = links.denied.iter();
        self.counters(
            "tongban_links_denied",
            "Connections denied, by reason",
            denied.map(|(reason, count)| ([("reason", reason.name().to_owned())], *count)),
        )?;
        let figures: [(&str, &str, LaneFigure); 9] = [
            (
                "tongban_links_received_bytes",
                "Bytes of requests and answers read, by lane",
                |lane| lane.bytes_in,
            ),
            (
                "tongban_links_sent_bytes",
                "Bytes of requests and answers sent, by lane",
                |lane| lane.bytes_out,
            ),
            (
                "tongban_frames_malformed",
                "Frames not well formed, by lane",
                |lane| lane.malformed,
            ),
            (
                "tongban_requests_busy",
                "Requests not sent because too many were under way, by lane",
                |lane| lane.busy,
            ),
            (
                "tongban_requests_timed_out",
                "Requests whose time ran out, by lane",
                |lane| lane.timed_out,
            ),
            (
                "tongban_requests_refused",
                "Requests refused by peers, by lane",
                |lane| lane.refused,
            ),
            (
                "tongban_requests_expired",
                "Requests of peers dropped because their time had run out, by lane",
                |lane| lane.expired,
            ),
            (
                "tongban_requests_over_quota",
                "Requests of peers refused because they asked for more than their share, by lane",
                |lane| lane.over_quota,
            ),
            (
                "tongban_frames_read",
                "Requests of peers and their answers read, by lane",
                |lane| lane.frames_in,
            ),
        ];
        for (name, help, figure) in figures {
            let lanes = links.lanes.iter();
            let samples =
                lanes.map(|(lane, seen)| ([("lane", lane.name().to_owned())], figure(seen)));
            self.counters(name, help, samples)?;
        }
        Ok(())
    }
}
