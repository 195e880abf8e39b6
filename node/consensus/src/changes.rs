//! Which changes of members may enter this replica's log: the one a group begins with, and steps
//! toward the placement that the last order before them in the log names. A leader that lies about who
//! votes is refused before anything is appended, for Raft goes by what stands in the log, committed or
//! not; and for the same reason the order is looked for in the log, committed or not.

#[cfg(test)]
mod moving;

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use tongban_runtime::ports::{Members, Placement, ReplicatedState, is_about_places};
use tongban_runtime::seams::Disk;
use tongban_types::Code;

use openraft::AsyncRuntime;

use crate::config::GroupConfig;
use crate::formats::{AppendRequest, Position};
use crate::members::members_of;
use crate::raft_types::{Entry, LogId, Membership, Payload, Proposal};
use crate::storage::LogStore;

/// Entries of the log that are looked through at once, in bytes.
const RUN_BYTES_MAX: u64 = 4 << 20;

/// A request is judged again at most so often for a state that moved: a busy group's moves on all the
/// time, and the leader sends what was refused again.
const JUDGED_MAX: u32 = 3;

/// What of a log is needed to judge a change: entries by index.
pub(crate) trait Entries: Send + Sync + 'static {
    /// The first entries of a range, none if the log does not hold its beginning.
    fn entries(&self, range: Range<u64>) -> io::Result<Vec<Entry>>;
}

impl<R: AsyncRuntime + Send + Sync, D: Disk> Entries for LogStore<R, D> {
    fn entries(&self, range: Range<u64>) -> io::Result<Vec<Entry>> {
        self.run(range, RUN_BYTES_MAX)
    }
}

/// The judge of one group's changes.
pub(crate) struct Changes {
    founding: Members,
    log: Box<dyn Entries>,
    state: Arc<dyn ReplicatedState>,
}

/// What the log says about members and places up to some entry.
struct Known {
    members: Members,
    /// Entries behind the applied state that may hold an order.
    orders: Vec<Bytes>,
}

impl Known {
    fn learn(&mut self, entry: &Entry) {
        match &entry.payload {
            Payload::Membership(membership) => self.members = members_of(membership),
            Payload::Normal(Proposal(bytes)) if is_about_places(bytes) => {
                self.orders.push(bytes.clone());
            }
            Payload::Normal(_) | Payload::Blank => {}
        }
    }
}

/// What became of a request that changes the members.
enum Judged {
    /// So many of its entries may be appended.
    Admissible(usize),
    Unordered(Unordered),
}

/// A change that nothing authorises.
struct Unordered {
    /// Its place in the request.
    place: usize,
    before: Members,
    after: Members,
    placement: Option<Placement>,
}

impl Unordered {
    fn tell(&self) {
        let Self {
            before,
            after,
            placement,
            ..
        } = self;
        let code = Code::MEMBERSHIP_NOT_ORDERED;
        tracing::warn!(%code, ?before, ?after, ?placement, "a change nobody ordered");
    }
}

impl Changes {
    pub(crate) fn new(
        config: &GroupConfig,
        log: Box<dyn Entries>,
        state: Arc<dyn ReplicatedState>,
    ) -> Self {
        let founding = Members {
            voter_sets: vec![config.voters.iter().copied().collect()],
            replicas: config.replicas(),
        };
        Self {
            founding,
            log,
            state,
        }
    }

    /// How many of the entries of a request may be appended: those before the first change that
    /// nothing authorises. An error says that the state or the log cannot be read.
    pub(crate) fn admissible(&self, request: &AppendRequest) -> io::Result<usize> {
        let is_change = |entry: &Entry| matches!(entry.payload, Payload::Membership(_));
        let Some(first) = request.entries.iter().position(is_change) else {
            return Ok(request.entries.len());
        };
        let mut position = self.position()?;
        let mut judged = 1;
        loop {
            let change = match self.judge(request, first, &position)? {
                Judged::Admissible(count) => return Ok(count),
                Judged::Unordered(change) => change,
            };
            // The order it was judged by is as new as the state, which may have moved meanwhile: past
            // this change too, where an honest leader sent it again.
            let now = self.position()?;
            if now.applied == position.applied || judged >= JUDGED_MAX {
                change.tell();
                return Ok(change.place);
            }
            position = now;
            judged += 1;
        }
    }

    /// Judges a request, whose first change of members stands at `first`, by the log behind `position`.
    fn judge(
        &self,
        request: &AppendRequest,
        first: usize,
        position: &Position,
    ) -> io::Result<Judged> {
        let Some(mut known) = self.known_up_to(position, request.previous)? else {
            // The request does not follow on what is here, or on what is still being written.
            return Ok(Judged::Admissible(first));
        };
        let applied = position.applied.map(|id| id.index());
        for (place, entry) in request.entries.iter().enumerate() {
            if Some(entry.log_id.index()) <= applied {
                continue;
            }
            if let Payload::Membership(membership) = &entry.payload
                && let Some(unordered) = self.find_unordered(&known, place, entry, membership)?
            {
                return Ok(Judged::Unordered(unordered));
            }
            known.learn(entry);
        }
        Ok(Judged::Admissible(request.entries.len()))
    }

    /// How far the state is applied, and the members as of there.
    fn position(&self) -> io::Result<Position> {
        match self.state.position().map_err(io::Error::other)? {
            Some(bytes) if !bytes.is_empty() => Position::decode(&bytes).map_err(io::Error::other),
            _ => Ok(Position::default()),
        }
    }

    /// What is said up to `previous`, read from the applied state and the log behind it; `None` if the
    /// log does not reach so far.
    fn known_up_to(
        &self,
        position: &Position,
        previous: Option<LogId>,
    ) -> io::Result<Option<Known>> {
        let mut known = Known {
            members: members_of(position.membership.membership()),
            orders: Vec::new(),
        };
        let mut next = position.applied.map_or(0, |id| id.index() + 1);
        let end = previous.map_or(0, |id| id.index() + 1);
        while next < end {
            let run = self.log.entries(next..end)?;
            if run.first().is_none_or(|entry| entry.log_id.index() != next) {
                return Ok(None);
            }
            for entry in &run {
                known.learn(entry);
            }
            next += run.len() as u64;
        }
        Ok(Some(known))
    }

    /// The change of an entry if nothing authorises it.
    fn find_unordered(
        &self,
        known: &Known,
        place: usize,
        entry: &Entry,
        membership: &Membership,
    ) -> io::Result<Option<Unordered>> {
        let after = members_of(membership);
        let (is_allowed, placement) = if entry.log_id.index() == 0 {
            (after == self.founding, None)
        } else {
            let placement = self.state.placement_behind(&known.orders);
            let placement = placement.map_err(io::Error::other)?;
            let allows = |placement: &Placement| placement.allows(&known.members, &after);
            (placement.as_ref().is_some_and(allows), placement)
        };
        Ok((!is_allowed).then(|| Unordered {
            place,
            before: known.members.clone(),
            after,
            placement,
        }))
    }
}
