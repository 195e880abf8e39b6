//! What users see: real processes, foreign verifiers. Here stands what several tests share.

pub mod arrows;
pub mod city;
pub mod client;
pub mod decision;
pub mod federation;
pub mod forms;
pub mod ledger;
pub mod load;
pub mod power_cut;
pub mod process;
pub mod receipt;
pub mod search;
pub mod tally;
pub mod tools;
