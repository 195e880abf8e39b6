//! The one place that fixes openraft's type parameters: opaque entries, opaque replies, node ids as
//! numbers, at most one leader a term (Raft §5.2), and the runtime of the node.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;
use openraft::errors::MembershipError;
use openraft::vote::leader_id_std::{CommittedLeaderId, LeaderId};
use openraft::{AsyncRuntime, EmptyNode, OptionalSend, RaftTypeConfig};

/// The type configuration of every group of this node.
pub(crate) struct Types<R>(PhantomData<fn() -> R>);

pub(crate) type Vote = openraft::impls::Vote<LeaderId<u64, u64>>;
pub(crate) type LogId = openraft::LogId<CommittedLeaderId<u64>>;
pub(crate) type Membership = openraft::Membership<u64, EmptyNode>;
pub(crate) type StoredMembership =
    openraft::StoredMembership<CommittedLeaderId<u64>, u64, EmptyNode>;
pub(crate) type SnapshotMeta = openraft::SnapshotMeta<CommittedLeaderId<u64>, u64, EmptyNode>;
pub(crate) type Payload = openraft::EntryPayload<Proposal, u64, EmptyNode>;
pub(crate) type Entry = openraft::impls::Entry<CommittedLeaderId<u64>, Payload>;

/// The log id of an index in a term.
pub(crate) fn log_id(term: u64, index: u64) -> LogId {
    LogId::new(CommittedLeaderId::new(term), index)
}

/// The term of a log id.
pub(crate) fn term_of(id: &LogId) -> u64 {
    id.committed_leader_id().term
}

/// A membership of these sets of voters, joint if there are two, and all replicas.
#[expect(
    clippy::zero_sized_map_values,
    reason = "openraft maps nodes to their addresses, which are the transport's affair here"
)]
pub(crate) fn membership(
    voters: Vec<BTreeSet<u64>>,
    replicas: impl IntoIterator<Item = u64>,
) -> Result<Membership, MembershipError<u64>> {
    let nodes: BTreeMap<u64, EmptyNode> = replicas
        .into_iter()
        .map(|node| (node, EmptyNode::new()))
        .collect();
    Membership::new(voters, nodes)
}

/// The bytes of a proposed entry, which Raft carries and never reads.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Proposal(pub(crate) Bytes);

impl fmt::Debug for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl fmt::Display for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl<R: AsyncRuntime> RaftTypeConfig for Types<R> {
    type D = Proposal;
    type R = Bytes;
    type NodeId = u64;
    type Node = EmptyNode;
    type Term = u64;
    type LeaderId = LeaderId<u64, u64>;
    type Vote = Vote;
    type Payload = Payload;
    type Entry = Entry;
    type AsyncRuntime = R;
    type Responder<T>
        = openraft::impls::OneshotResponder<Self, T>
    where
        T: OptionalSend + 'static;
    type Batch<T>
        = openraft::impls::InlineBatch<T>
    where
        T: OptionalSend + 'static;
    type ErrorSource = openraft::impls::BoxedErrorSource;
}

// Derives would ask the runtime for what only the phantom needs.
impl<R> fmt::Debug for Types<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Types")
    }
}

impl<R> Clone for Types<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Types<R> {}

impl<R> Default for Types<R> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<R> PartialEq for Types<R> {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl<R> Eq for Types<R> {}

impl<R> PartialOrd for Types<R> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<R> Ord for Types<R> {
    fn cmp(&self, _other: &Self) -> Ordering {
        Ordering::Equal
    }
}
