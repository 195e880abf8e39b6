//! What may go wrong, on purpose and by seed: a deterministic runtime on virtual time, simulated
//! seams (network, disk, store, clocks, randomness) that lose, tear, delay and lie as the real ones
//! may, and a world of six cities on them with the node the daemon runs. The same seed gives the
//! same run, event for event, on any machine.

pub mod clock;
pub mod disk;
pub mod entropy;
pub mod net;
pub mod output;
pub mod platform;
pub mod runtime;
pub mod signer;
pub mod store;

// `world` puts the whole node together, which takes a compiler minutes: once is enough, so unit tests are
// built without it, and without the invariants that judge it. What the two promise is tested in `tests/`.
#[cfg(not(test))]
pub mod invariants;
#[cfg(not(test))]
pub mod world;
