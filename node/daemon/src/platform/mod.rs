//! The world as a real node sees it: tokio, files, the machine's clock and randomness, sled, libp2p
//! and keys in memory. Each fills one seam of the runtime.

mod clock;
mod disk;
mod entropy;

use openraft_rt_tokio::TokioRuntime;
use tongban_net::Libp2pTransport;
use tongban_runtime::KeyRing;
use tongban_runtime::seams::Platform;
use tongban_store::SledStore;

pub(crate) use clock::SystemClock;
pub(crate) use disk::FileDisk;
pub(crate) use entropy::OsEntropy;

/// The seams of a real node.
#[derive(Debug)]
pub(crate) struct DaemonPlatform;

impl Platform for DaemonPlatform {
    type Runtime = TokioRuntime;
    type Clock = SystemClock;
    type Entropy = OsEntropy;
    type Transport = Libp2pTransport;
    type Disk = FileDisk;
    type Store = SledStore;
    type Signer = KeyRing;
}
