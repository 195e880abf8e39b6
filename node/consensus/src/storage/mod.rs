//! openraft's storage over the node's ordered log and the replicated state of the runtime.

mod durable;
mod log_store;
mod pace;
mod snapshot_source;
mod state_machine;
#[cfg(test)]
mod suite;

pub(crate) use durable::DurableLog;
pub(crate) use log_store::{LogStore, stored};
pub(crate) use snapshot_source::{Received, SnapshotSource};
pub(crate) use state_machine::StateMachine;
