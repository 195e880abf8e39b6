//! One Raft group as this node takes part in it: openraft over the node's ordered log, the replicated
//! state of the runtime, and the lanes of the transport. Nothing else in the tree names openraft.

mod arranging;
mod bootstrap;
mod changes;
mod config;
mod error;
mod fitness;
mod formats;
#[cfg(fuzzing)]
pub mod fuzzing;
mod group;
mod members;
mod network;
mod raft_types;
mod refusal;
mod service;
mod status;
mod storage;
#[cfg(test)]
#[path = "../tests/support/mod.rs"]
#[expect(
    dead_code,
    reason = "the doubles are shared with the tests of whole groups, which use more of them"
)]
mod support;

pub use config::GroupConfig;
pub use error::StartError;
pub use formats::group_of;
pub use group::RaftGroup;
