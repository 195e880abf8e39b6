//! The seams between a node and the world, and no more than these. The daemon fills them with tokio,
//! the file system, libp2p and sled; the simulator fills them with a seeded world. Nothing above a
//! seam may name what stands below it.

mod clock;
mod disk;
mod entropy;
mod signer;
mod store;
mod transport;

pub use clock::WallClock;
pub use disk::{Disk, DiskFile};
pub use entropy::Entropy;
pub use openraft_rt::AsyncRuntime;
pub use signer::Signer;
pub use store::{Pair, StateStore, StoreError, Write, WriteSet};
pub use transport::{Lane, Service, Transport, TransportError};

/// The set of seams one node is built on: one type parameter instead of seven.
pub trait Platform: Sized + Send + Sync + 'static {
    /// Tasks, timers and channels.
    type Runtime: AsyncRuntime + Send + Sync;
    /// Civil time of this machine.
    type Clock: WallClock;
    /// Randomness for keys, salts and jitter.
    type Entropy: Entropy;
    /// Requests to other nodes.
    type Transport: Transport;
    /// Files of the log and of snapshots.
    type Disk: Disk;
    /// Applied state.
    type Store: StateStore;
    /// Private keys of this node.
    type Signer: Signer;
}
