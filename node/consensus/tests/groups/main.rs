//! Whole groups: what a city may rely on when replicas stop, lag, restart or are cut off.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[path = "../support/mod.rs"]
mod support;

mod cluster;
mod network;

mod catching_up;
mod forged;
mod leading;
mod placing;
mod reading;
mod refusing;
mod restarting;
