//! The transport over real loopback TCP and UDP. Every node takes port 0, every test owns its nodes.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests may fail like tests; clippy knows only functions marked as tests"
)]

mod bounds;
mod carriers;
mod enrolment;
mod exchange;
mod faults;
mod hostile;
mod line;
mod storm;
mod support;
