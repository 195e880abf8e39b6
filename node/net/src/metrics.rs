//! What the transport counts: connections and why they were denied, and traffic a lane.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use tongban_runtime::seams::Lane;
use tongban_types::Code;

use crate::carrier::Carrier;

/// Why a connection was denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Denial {
    /// The key is not that of an enrolled node.
    NotEnrolled,
    /// At a node's address another key answered.
    WrongKey,
    /// Too many connections were in handshake.
    Pending,
    /// Too many connections from one address were in handshake.
    PendingOfAddress,
    /// Too many connections were open.
    Established,
    /// Too many connections with this peer were open.
    EstablishedOfPeer,
}

impl Denial {
    /// All reasons.
    pub const ALL: [Self; 6] = [
        Self::NotEnrolled,
        Self::WrongKey,
        Self::Pending,
        Self::PendingOfAddress,
        Self::Established,
        Self::EstablishedOfPeer,
    ];

    /// Its name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotEnrolled => "not-enrolled",
            Self::WrongKey => "wrong-key",
            Self::Pending => "pending",
            Self::PendingOfAddress => "pending-of-address",
            Self::Established => "established",
            Self::EstablishedOfPeer => "established-of-peer",
        }
    }

    /// The code `explain` describes.
    pub const fn code(self) -> Code {
        match self {
            Self::NotEnrolled => Code::PEER_NOT_ENROLLED,
            Self::WrongKey => Code::PEER_KEY_WRONG,
            Self::Pending
            | Self::PendingOfAddress
            | Self::Established
            | Self::EstablishedOfPeer => Code::TOO_MANY_CONNECTIONS,
        }
    }
}

impl std::fmt::Display for Denial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::error::Error for Denial {}

/// Traffic of one lane with all peers, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneMetrics {
    /// Frames read: requests of peers and their answers.
    pub frames_in: u64,
    /// Frames written.
    pub frames_out: u64,
    /// Bytes of bodies read.
    pub bytes_in: u64,
    /// Bytes of bodies written.
    pub bytes_out: u64,
    /// Own requests refused because too many were under way.
    pub busy: u64,
    /// Own requests whose time ran out.
    pub timed_out: u64,
    /// Own requests refused by the peer with a code.
    pub refused: u64,
    /// Requests of peers dropped because their time had run out.
    pub expired: u64,
    /// Requests of peers refused because they asked for more than their share.
    pub over_quota: u64,
    /// Streams closed because of a frame no honest peer sends.
    pub malformed: u64,
}

/// A reading of all counters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetMetrics {
    /// Connections open now.
    pub connections: u64,
    /// Of these, by what they run on.
    pub connections_by_carrier: BTreeMap<Carrier, u64>,
    /// Connections opened since the start.
    pub connections_opened: u64,
    /// Of these, by what they run on.
    pub connections_opened_by_carrier: BTreeMap<Carrier, u64>,
    /// Own dials under way now.
    pub dialing: u64,
    /// Connections of others in handshake now.
    pub handshaking: u64,
    /// Connections closed because nothing was heard on them.
    pub connections_dead: u64,
    /// Older connections closed because the peer opened a newer one.
    pub connections_superseded: u64,
    /// Dials that brought no connection.
    pub dials_failed: u64,
    /// Inbound connections that ended before they showed who they are.
    pub handshakes_failed: u64,
    /// Connections denied, by reason.
    pub denied: BTreeMap<Denial, u64>,
    /// Traffic by lane.
    pub lanes: BTreeMap<Lane, LaneMetrics>,
}

/// One number that only grows, or goes both ways where it says how many there are now.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    pub(crate) fn one(&self) {
        self.add(1);
    }

    pub(crate) fn one_less(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, count: usize) {
        self.0.store(count as u64, Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counters behind [`NetMetrics`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    connections: [Counter; Carrier::ALL.len()],
    connections_opened: [Counter; Carrier::ALL.len()],
    pub(crate) dialing: Counter,
    pub(crate) handshaking: Counter,
    pub(crate) connections_dead: Counter,
    pub(crate) connections_superseded: Counter,
    pub(crate) dials_failed: Counter,
    pub(crate) handshakes_failed: Counter,
    denied: [Counter; Denial::ALL.len()],
    lanes: [LaneCounters; Lane::ALL.len()],
}

/// The counters behind [`LaneMetrics`].
#[derive(Debug, Default)]
pub(crate) struct LaneCounters {
    frames_in: Counter,
    frames_out: Counter,
    bytes_in: Counter,
    bytes_out: Counter,
    pub(crate) busy: Counter,
    pub(crate) timed_out: Counter,
    pub(crate) refused: Counter,
    pub(crate) expired: Counter,
    pub(crate) over_quota: Counter,
    pub(crate) malformed: Counter,
}

impl Counters {
    pub(crate) fn connected(&self, carrier: Carrier) {
        self.connections[carrier as usize].one();
        self.connections_opened[carrier as usize].one();
    }

    pub(crate) fn disconnected(&self, carrier: Carrier) {
        self.connections[carrier as usize].one_less();
    }

    pub(crate) fn denied(&self, denial: Denial) {
        self.denied[denial as usize].one();
    }

    pub(crate) fn lane(&self, lane: Lane) -> &LaneCounters {
        &self.lanes[lane as usize]
    }

    pub(crate) fn read(&self) -> NetMetrics {
        let by_carrier = |counters: &[Counter; Carrier::ALL.len()]| -> BTreeMap<Carrier, u64> {
            let carriers = Carrier::ALL.into_iter();
            carriers
                .map(|carrier| (carrier, counters[carrier as usize].read()))
                .collect()
        };
        let connections_by_carrier = by_carrier(&self.connections);
        let connections_opened_by_carrier = by_carrier(&self.connections_opened);
        NetMetrics {
            connections: connections_by_carrier.values().sum(),
            connections_opened: connections_opened_by_carrier.values().sum(),
            connections_by_carrier,
            connections_opened_by_carrier,
            dialing: self.dialing.read(),
            handshaking: self.handshaking.read(),
            connections_dead: self.connections_dead.read(),
            connections_superseded: self.connections_superseded.read(),
            dials_failed: self.dials_failed.read(),
            handshakes_failed: self.handshakes_failed.read(),
            denied: Denial::ALL
                .into_iter()
                .map(|denial| (denial, self.denied[denial as usize].read()))
                .collect(),
            lanes: Lane::ALL
                .into_iter()
                .map(|lane| (lane, self.lane(lane).read()))
                .collect(),
        }
    }
}

impl LaneCounters {
    pub(crate) fn frame_in(&self, body_bytes: usize) {
        self.frames_in.one();
        self.bytes_in.add(body_bytes as u64);
    }

    pub(crate) fn frame_out(&self, body_bytes: usize) {
        self.frames_out.one();
        self.bytes_out.add(body_bytes as u64);
    }

    fn read(&self) -> LaneMetrics {
        LaneMetrics {
            frames_in: self.frames_in.read(),
            frames_out: self.frames_out.read(),
            bytes_in: self.bytes_in.read(),
            bytes_out: self.bytes_out.read(),
            busy: self.busy.read(),
            timed_out: self.timed_out.read(),
            refused: self.refused.read(),
            expired: self.expired.read(),
            over_quota: self.over_quota.read(),
            malformed: self.malformed.read(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_and_lane_has_its_own_counter() {
        let counters = Counters::default();
        for denial in Denial::ALL {
            counters.denied(denial);
        }
        for lane in Lane::ALL {
            counters.lane(lane).frame_in(10);
        }
        let metrics = counters.read();
        assert!(metrics.denied.values().all(|count| *count == 1));
        assert_eq!(metrics.lanes.len(), Lane::ALL.len());
        assert!(metrics.lanes.values().all(|lane| lane.bytes_in == 10));
    }
}
