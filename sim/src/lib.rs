//! What may go wrong, on purpose and by seed: a deterministic runtime on virtual time, simulated
//! seams (network, disk, store, clocks, randomness) that lose, tear, delay and lie as the real ones
//! may, and a world of six cities on them with the node the daemon runs. The same seed gives the
//! same run, event for event, on any machine.

pub mod clock;
pub mod disk;
pub mod entropy;
pub mod invariants;
pub mod net;
pub mod output;
pub mod platform;
pub mod runtime;
pub mod signer;
pub mod store;
pub mod world;
