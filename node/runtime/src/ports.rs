//! What the runtime asks of its sibling rooms, so that it need not know them: the node's own
//! records (`wal`) and a Raft group (`consensus`); and what a Raft group asks of the runtime: the
//! replicated state it drives.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use thiserror::Error;
use tongban_types::{Code, GroupId, NodeId};

pub use tongban_machine::{Members, NextStep, Placement, is_about_places};

use crate::seams::Lane;

/// Tables of the node's own records. Numbers are permanent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum LocalTable {
    /// Applications taken in at this desk and not yet known to be replicated.
    Desk = 0,
    /// Case keys.
    Vault = 1,
    /// Counters of the node: the day's case sequence.
    Counters = 2,
    /// Access tokens.
    Tokens = 3,
    /// What was drawn for applications that were proposed and not yet known to be in the group.
    Proposed = 4,
    /// What was settled when the node first started: the governance keys it began with.
    Founding = 5,
    /// Which cases name which files.
    Files = 6,
    /// Orders of placement this node was told of, by group, so that it takes a group up again after a
    /// restart that it did not begin with, and leaves one alone that it left.
    Placed = 7,
}

/// A change to one of the node's own records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalWrite {
    /// Which table.
    pub table: LocalTable,
    /// Its key, at most 256 bytes.
    pub key: Vec<u8>,
    /// Its value; `None` removes it.
    pub value: Option<Vec<u8>>,
}

/// The node can no longer write durably and must stop; a supervisor restarts it.
#[derive(Clone, Debug, Error)]
#[error("the log of this node failed and takes no more writes: {reason}")]
pub struct LogFailed {
    /// What the disk said.
    pub reason: String,
}

/// The node's own records: durable in the ordered log, kept in memory in key order.
#[async_trait]
pub trait LocalLog: Send + Sync + 'static {
    /// The value of a key.
    fn get(&self, table: LocalTable, key: &[u8]) -> Option<Vec<u8>>;

    /// Pairs with `key >= from` in key order, at most `limit`.
    fn scan(&self, table: LocalTable, from: &[u8], limit: usize) -> Vec<(Vec<u8>, Vec<u8>)>;

    /// How many pairs a table holds, without looking at them.
    fn count(&self, table: LocalTable) -> usize;

    /// Why the log takes no more writes, if so.
    fn failed(&self) -> Option<LogFailed>;

    /// Applies all writes, all or nothing, and returns once they are durable. Visible to `get` and
    /// `scan` only from then on.
    async fn write(&self, writes: Vec<LocalWrite>) -> Result<(), LogFailed>;
}

/// What one log entry carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryBody {
    /// A new leader's first entry, or a change of voters: moves the position, changes no state.
    Nothing,
    /// An entry proposed through [`Group::propose`].
    Proposal(Bytes),
}

/// One committed log entry, handed to the state in log order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedEntry {
    /// Raft log index.
    pub index: u64,
    /// The position the group is at after this entry, in the encoding of `consensus`; kept with
    /// the state and given back at restart.
    pub position: Vec<u8>,
    /// What to apply.
    pub body: EntryBody,
}

/// The bytes of a snapshot file, held open: they can be read even after a newer snapshot took the
/// place of the file, as long as this lives.
pub trait SnapshotBytes: Send + Sync + 'static {
    /// Reads a piece; shorter than `length` only at the file's end.
    fn read(&self, offset: u64, length: usize) -> Result<Bytes, StateFailed>;
}

/// A snapshot of a group's state in a file of our own, whole and synced.
#[derive(Clone)]
pub struct SnapshotFile {
    /// Its name on the `Disk`.
    pub name: String,
    /// Its length in bytes.
    pub length: u64,
    /// The Raft index of the state it holds.
    pub index: u64,
    /// The position of that state, in the encoding of `consensus`.
    pub position: Vec<u8>,
    /// What it holds.
    pub bytes: Arc<dyn SnapshotBytes>,
}

impl std::fmt::Debug for SnapshotFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} bytes)", self.name, self.length)
    }
}

/// The replicated state of one group on this node, driven by `consensus`: `apply` and `install` come
/// from a single task and never overlap; `cut_snapshot` may run beside `apply`, and reading and
/// receiving of snapshot files beside anything.
#[async_trait]
pub trait ReplicatedState: Send + Sync + 'static {
    /// The position of the last applied entry; `None` for an empty state.
    fn position(&self) -> Result<Option<Vec<u8>>, StateFailed>;

    /// Where the group's replicas are to stand by the newest order that is applied or stands among
    /// these entries, which follow what is applied; `None` before any order. Of the entries only those
    /// that [`is_about_places`] picks are needed.
    fn placement_behind(&self, entries: &[Bytes]) -> Result<Option<Placement>, StateFailed>;

    /// Applies entries in order and returns one reply an entry (empty for `Nothing`).
    async fn apply(&self, entries: Vec<CommittedEntry>) -> Result<Vec<Bytes>, StateFailed>;

    /// Writes the state as of now into a new file, synced, and removes older files. Waits for an
    /// `install` under way.
    async fn cut_snapshot(&self) -> Result<SnapshotFile, StateFailed>;

    /// The newest whole snapshot file, if any; reads nothing.
    fn current_snapshot(&self) -> Option<SnapshotFile>;

    /// Whether this disk has room for another replica's snapshot of `length` bytes, of which `left` are
    /// yet to come, and for the state filled from it. One that has no room here is an error `Rejected`.
    fn check_room(&self, length: u64, left: u64) -> Result<(), StateFailed>;

    /// Starts a file to receive another replica's snapshot into.
    fn begin_receive(&self) -> Result<String, StateFailed>;

    /// Writes a received piece at `offset`.
    fn receive(&self, name: &str, offset: u64, piece: &[u8]) -> Result<(), StateFailed>;

    /// Checks a received file whole and makes it durable; changes nothing else. A file that is not
    /// a whole snapshot of this group is an error `Rejected`.
    async fn check_received(&self, name: &str) -> Result<SnapshotFile, StateFailed>;

    /// Forgets a received file; one that was installed meanwhile, or was never there, stays as it is.
    fn discard(&self, name: &str);

    /// Makes a checked file the current snapshot and replaces the state by it. Waits for a
    /// `cut_snapshot` under way. At a start with a state older than the current snapshot, the
    /// current snapshot is installed.
    async fn install(&self, file: &SnapshotFile) -> Result<(), StateFailed>;
}

/// Why the replicated state cannot go on.
#[derive(Clone, Debug, Error)]
pub enum StateFailed {
    /// The store or the disk failed: the node stops.
    #[error("replicated state of this node: {reason}")]
    Broken {
        /// What failed.
        reason: String,
    },
    /// The state is being filled from a snapshot: what is there of it now is no answer.
    #[error("replicated state of this node is being filled from a snapshot")]
    Filling,
    /// A received snapshot is not whole or not of this group: it is discarded.
    #[error("a received snapshot is refused: {reason}")]
    Rejected {
        /// What is wrong with it.
        reason: String,
    },
}

/// Why an entry was not proposed, or is not known to be committed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ProposeError {
    /// This replica does not lead; nothing was proposed.
    #[error("this replica does not lead the group")]
    NotLeader {
        /// Who does, as far as known.
        leader: Option<NodeId>,
    },
    /// The entry is larger than a frame between nodes takes; nothing was proposed.
    #[error("an entry of {bytes} bytes, {bytes_max} are allowed")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The bound.
        bytes_max: usize,
    },
    /// No answer in time: it may still be committed.
    #[error("the group did not commit the entry in time")]
    TimedOut,
    /// The group has stopped on this node.
    #[error("the group has stopped on this node")]
    Stopped,
}

/// Why a leader does not hand over.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum HandOverError {
    /// This replica does not lead.
    #[error("this replica does not lead the group")]
    NotLeader {
        /// Who does, as far as known.
        leader: Option<NodeId>,
    },
    /// The successor is no voter of the group.
    #[error("{to} is no voter of the group")]
    NoVoter {
        /// Who was to lead.
        to: NodeId,
    },
    /// The successor did not acknowledge a heartbeat lately.
    #[error("{to} does not answer")]
    Silent {
        /// Who was to lead.
        to: NodeId,
    },
    /// The successor lacks too much of the log.
    #[error("{to} is {entries} entries behind")]
    Behind {
        /// Who was to lead.
        to: NodeId,
        /// How many entries it lacks.
        entries: u64,
    },
    /// The successor is being drained: it would give the lead away again at once.
    #[error("{to} is being drained")]
    Drained {
        /// Who was to lead.
        to: NodeId,
    },
    /// The group has stopped on this node.
    #[error("the group has stopped on this node")]
    Stopped,
}

impl HandOverError {
    /// The code `explain` describes.
    pub const fn code(&self) -> Code {
        match self {
            Self::NotLeader { .. } => Code::NOT_LEADER,
            Self::NoVoter { .. }
            | Self::Silent { .. }
            | Self::Behind { .. }
            | Self::Drained { .. } => Code::SUCCESSOR_UNFIT,
            Self::Stopped => Code::GROUP_STOPPED,
        }
    }
}

/// What is known of a group here and now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupStatus {
    /// The replica believed to lead.
    pub leader: Option<NodeId>,
    /// On a follower: the leader spoke within the last election timeout. One that is not heard may have
    /// lost its majority, or stopped.
    pub hears_leader: bool,
    /// Raft term.
    pub term: u64,
    /// Index of the last entry in this replica's log.
    pub last_index: u64,
    /// Index of the last applied entry.
    pub applied_index: u64,
    /// Index up to which the log is purged.
    pub purged_index: u64,
    /// Index of the current snapshot.
    pub snapshot_index: u64,
    /// The voters, sorted.
    pub voters: Vec<NodeId>,
    /// The learners, sorted.
    pub learners: Vec<NodeId>,
    /// The members as the newest entry about them in this replica's log says, committed or not.
    pub members: Members,
    /// On the leader: how far each other replica is.
    pub progress: Vec<ReplicaProgress>,
    /// On the leader: voters that acknowledged within the last election timeout, itself included.
    pub voters_in_touch: usize,
    /// The replica has stopped after a failure.
    pub stopped: bool,
}

/// How far a replica is, as its leader knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplicaProgress {
    /// Which replica.
    pub node: NodeId,
    /// It acknowledged within the last election timeout.
    pub is_heard: bool,
    /// Index of the last entry it is known to hold.
    pub matching: u64,
}

/// What was done toward the placement that is ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arranged {
    /// Nothing is ordered, or the group stands as ordered.
    Stands,
    /// A step was made; there may be another.
    Stepped,
    /// A voter that comes in has not caught up yet, or nobody can take the lead over yet.
    Waits,
}

/// One Raft group as this node takes part in it.
#[async_trait]
pub trait Group: Send + Sync + 'static {
    /// Which group.
    fn id(&self) -> GroupId;

    /// What is known of it here and now.
    fn status(&self) -> GroupStatus;

    /// Appends an entry on the leader and returns the reply of its application here.
    async fn propose(&self, entry: Bytes, timeout: Duration) -> Result<Bytes, ProposeError>;

    /// As [`Group::propose`], for an order of placement: no change of members is begun on this leader
    /// until it is known what became of the order, so that every change in the log is one that the
    /// last order before it authorises.
    async fn propose_order(&self, entry: Bytes, timeout: Duration) -> Result<Bytes, ProposeError>;

    /// On the leader: makes the next step toward the placement that is ordered (Raft §6), one entry.
    /// Whoever leads next goes on from there.
    async fn arrange(&self, timeout: Duration) -> Result<Arranged, ProposeError>;

    /// These nodes may speak in the group as long as its own log does not say who may: a signed order
    /// names them. It takes the place of what was said before.
    fn admit(&self, replicas: BTreeSet<NodeId>);

    /// On the leader: an index that holds everything acknowledged before this call, confirmed by a
    /// majority (Raft §6.4).
    async fn read_index(&self, timeout: Duration) -> Result<u64, ProposeError>;

    /// Returns once this replica has applied `index`.
    async fn wait_applied(&self, index: u64, timeout: Duration) -> Result<(), ProposeError>;

    /// Returns at a change of leader, term or applied index, or after `timeout`.
    async fn changed(&self, timeout: Duration) -> GroupStatus;

    /// Returns once the group no longer runs on this node, with why.
    async fn stopped(&self) -> String;

    /// Answers a Raft request of a peer on one of the Raft lanes.
    async fn handle(&self, peer: NodeId, lane: Lane, body: Bytes) -> Result<Bytes, Code>;

    /// Cuts a snapshot soon and purges the log behind it.
    async fn trigger_snapshot(&self) -> Result<(), ProposeError>;

    /// On the leader: hands leadership to a voter that is up to date and answers. Any other is
    /// refused, and the leader goes on: once it named a successor it serves nobody until one stands.
    async fn transfer_leader(&self, to: NodeId) -> Result<(), HandOverError>;

    /// Stops taking part; in-flight proposals end with `Stopped`.
    async fn shut_down(&self);
}

/// Shared handle to a group.
pub type GroupHandle = Arc<dyn Group>;
