//! Drives the replicated state with committed entries, in bounded batches, and moves its snapshots.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use openraft::storage::{ApplyResponder, EntryResponder, RaftStateMachine, Snapshot};
use openraft::{AsyncRuntime, OptionalSend, RaftSnapshotBuilder};
use tongban_runtime::ports::{CommittedEntry, EntryBody, ReplicatedState, SnapshotFile};

use super::durable::DurableLog;
use super::pace::Pace;
use super::snapshot_source::SnapshotSource;
use crate::formats::Position;
use crate::raft_types::{Entry, LogId, Payload, Proposal, SnapshotMeta, StoredMembership, Types};

/// Entries handed to the state at once. An entry is a batch of up to 256 commands already, so more
/// would only delay the replies to the first.
const BATCH_ENTRIES_MAX: usize = 32;

/// Bytes handed to the state at once, so that replaying a long log after a restart is bounded.
const BATCH_BYTES_MAX: usize = 8 << 20;

/// openraft's state machine over a [`ReplicatedState`].
pub(crate) struct StateMachine<R: AsyncRuntime> {
    state: Arc<dyn ReplicatedState>,
    position: Position,
    durable: DurableLog<R>,
    pace: Pace,
}

/// A snapshot as openraft sees it.
type RaftSnapshot = Snapshot<
    openraft::vote::leader_id_std::CommittedLeaderId<u64>,
    u64,
    openraft::EmptyNode,
    SnapshotSource,
>;

impl<R: AsyncRuntime> StateMachine<R> {
    /// Takes up a state where it stands; a snapshot is cut every so many entries, or later where
    /// that is not worth it.
    pub(crate) fn open(
        state: Arc<dyn ReplicatedState>,
        durable: DurableLog<R>,
        snapshot_every_entries: u64,
    ) -> io::Result<Self> {
        let position = match state.position().map_err(io::Error::other)? {
            Some(bytes) => decode_position(&bytes)?,
            None => Position::default(),
        };
        let last = state.current_snapshot();
        let last = last.map(|file| (file.index, file.length));
        Ok(Self {
            state,
            position,
            durable,
            pace: Pace::new(snapshot_every_entries, last),
        })
    }

    /// Whether anything was ever applied.
    pub(crate) fn has_applied(&self) -> bool {
        self.position.applied.is_some()
    }

    async fn apply_batch(&mut self, batch: &mut Batch<R>) -> io::Result<()> {
        let Some(last) = batch.entries.last().map(|entry| entry.index) else {
            return Ok(());
        };
        if !self.durable.reaches(last).await {
            return Err(io::Error::other(
                "the log failed before the entry was durable",
            ));
        }
        let entries = std::mem::take(&mut batch.entries);
        let responders = std::mem::take(&mut batch.responders);
        batch.bytes = 0;
        let replies = self.state.apply(entries).await.map_err(io::Error::other)?;
        if replies.len() != responders.len() {
            return Err(io::Error::other("the state did not reply to every entry"));
        }
        for (responder, reply) in responders.into_iter().zip(replies) {
            if let Some(responder) = responder {
                responder.send(reply);
            }
        }
        Ok(())
    }

    /// Moves the position behind `entry` and returns what the state is to apply.
    fn admit(&mut self, entry: Entry) -> CommittedEntry {
        self.position.applied = Some(entry.log_id);
        let body = match entry.payload {
            Payload::Blank => EntryBody::Nothing,
            Payload::Membership(membership) => {
                self.position.membership = StoredMembership::new(Some(entry.log_id), membership);
                EntryBody::Nothing
            }
            Payload::Normal(Proposal(bytes)) => {
                self.pace.grow(bytes.len());
                EntryBody::Proposal(bytes)
            }
        };
        CommittedEntry {
            index: entry.log_id.index(),
            position: self.position.encode(),
            body,
        }
    }
}

/// Entries on their way to the state, with those who wait for the replies.
struct Batch<R: AsyncRuntime> {
    entries: Vec<CommittedEntry>,
    responders: Vec<Option<ApplyResponder<Types<R>>>>,
    bytes: usize,
}

impl<R: AsyncRuntime> Batch<R> {
    fn push(&mut self, entry: CommittedEntry, responder: Option<ApplyResponder<Types<R>>>) {
        if let EntryBody::Proposal(bytes) = &entry.body {
            self.bytes += Bytes::len(bytes);
        }
        self.entries.push(entry);
        self.responders.push(responder);
    }

    fn is_full(&self) -> bool {
        self.entries.len() >= BATCH_ENTRIES_MAX || self.bytes >= BATCH_BYTES_MAX
    }
}

impl<R: AsyncRuntime> RaftStateMachine<Types<R>> for StateMachine<R> {
    type SnapshotData = SnapshotSource;
    type SnapshotBuilder = SnapshotCutter;

    async fn applied_state(&mut self) -> io::Result<(Option<LogId>, StoredMembership)> {
        Ok((self.position.applied, self.position.membership.clone()))
    }

    async fn apply<S>(&mut self, mut entries: S) -> io::Result<()>
    where
        S: Stream<Item = io::Result<EntryResponder<Types<R>>>> + Unpin + OptionalSend,
    {
        let mut batch = Batch {
            entries: Vec::new(),
            responders: Vec::new(),
            bytes: 0,
        };
        while let Some((entry, responder)) = entries.try_next().await? {
            batch.push(self.admit(entry), responder);
            if batch.is_full() {
                self.apply_batch(&mut batch).await?;
            }
        }
        self.apply_batch(&mut batch).await
    }

    async fn try_create_snapshot_builder(&mut self, force: bool) -> Option<SnapshotCutter> {
        let may_cut = |applied: &LogId| self.pace.may_cut(applied.index());
        if !force && !self.position.applied.as_ref().is_some_and(may_cut) {
            return None;
        }
        Some(self.get_snapshot_builder().await)
    }

    async fn get_snapshot_builder(&mut self) -> SnapshotCutter {
        SnapshotCutter {
            state: Arc::clone(&self.state),
            pace: self.pace.clone(),
        }
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMeta,
        source: SnapshotSource,
    ) -> io::Result<()> {
        let source = if Arc::ptr_eq(&source.state, &self.state) {
            source
        } else {
            let copied = source.copy_into(&self.state).await;
            copied.map_err(io::Error::other)?
        };
        let position = decode_position(&source.file.position)?;
        if position != Position::from(meta) {
            return Err(io::Error::other(
                "the snapshot to install does not hold what its sender said",
            ));
        }
        let installed = self.state.install(&source.file).await;
        installed.map_err(io::Error::other)?;
        self.pace.restart(source.file.index, source.file.length);
        self.position = position;
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> io::Result<Option<RaftSnapshot>> {
        let held = || Some(self.pace.sending() as Arc<dyn Send + Sync>);
        let file = self.state.current_snapshot();
        file.map(|file| snapshot(&self.state, file, held()))
            .transpose()
    }
}

/// Cuts a snapshot beside the applying of entries.
pub(crate) struct SnapshotCutter {
    state: Arc<dyn ReplicatedState>,
    pace: Pace,
}

impl<R: AsyncRuntime> RaftSnapshotBuilder<Types<R>> for SnapshotCutter {
    type SnapshotData = SnapshotSource;

    async fn build_snapshot(&mut self) -> io::Result<RaftSnapshot> {
        let file = self.state.cut_snapshot().await.map_err(io::Error::other)?;
        self.pace.restart(file.index, file.length);
        snapshot(&self.state, file, None)
    }
}

fn snapshot(
    state: &Arc<dyn ReplicatedState>,
    file: SnapshotFile,
    held: Option<Arc<dyn Send + Sync>>,
) -> io::Result<RaftSnapshot> {
    Ok(Snapshot {
        meta: decode_position(&file.position)?.into(),
        snapshot: SnapshotSource::new(state, file, held),
    })
}

/// A state that has applied nothing has no position yet.
fn decode_position(bytes: &[u8]) -> io::Result<Position> {
    if bytes.is_empty() {
        return Ok(Position::default());
    }
    Position::decode(bytes).map_err(|reason| io::Error::new(io::ErrorKind::InvalidData, reason))
}
