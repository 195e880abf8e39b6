//! The seams of a simulated machine as one type: the node built on it is the one the daemon runs.

use tongban_runtime::seams::Platform;

use crate::clock::SkewedClock;
use crate::disk::SimDisk;
use crate::entropy::SeededEntropy;
use crate::net::SimTransport;
use crate::runtime::SimRuntime;
use crate::signer::SimSigner;
use crate::store::MemoryStore;

/// Simulated seams.
#[derive(Clone, Copy, Debug)]
pub enum SimPlatform {}

impl Platform for SimPlatform {
    type Runtime = SimRuntime;
    type Clock = SkewedClock;
    type Entropy = SeededEntropy;
    type Transport = SimTransport;
    type Disk = SimDisk;
    type Store = MemoryStore;
    type Signer = SimSigner;
}
