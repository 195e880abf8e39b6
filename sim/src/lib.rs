//! What may go wrong, on purpose and by seed: a deterministic runtime on virtual time and simulated
//! seams (network, disk, store, clocks, randomness) that lose, tear, delay and lie as the real ones
//! may. The same seed gives the same run, event for event, on any machine.

pub mod clock;
pub mod disk;
pub mod entropy;
pub mod net;
pub mod runtime;
pub mod signer;
pub mod store;
