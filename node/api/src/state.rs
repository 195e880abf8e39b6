//! What the router is given.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc::Receiver;
use tongban_runtime::NodeHandle;
use tongban_runtime::seams::WallClock;
use tongban_types::Code;

use crate::authorization::TokenBook;
use crate::catalogue::Catalogue;
use crate::links::PeerLinks;
use crate::metrics::RequestMetrics;
use crate::rates::RatesInForce;
use crate::trace::TakeUpTrace;

/// A backup as it is made, piece by piece; an error breaks it off.
pub type BackupPieces = Receiver<io::Result<Bytes>>;

/// Begins a backup of the node, or says by its code why not.
pub type BeginBackup = dyn Fn() -> Result<BackupPieces, Code> + Send + Sync;

/// Everything the operations work with.
#[derive(Clone)]
pub struct ApiState {
    /// The running node.
    pub node: Arc<dyn NodeHandle>,
    /// Its links to other nodes.
    pub links: Arc<dyn PeerLinks>,
    /// Items and their forms.
    pub catalogue: Arc<Catalogue>,
    /// Access tokens.
    pub tokens: Arc<dyn TokenBook>,
    /// Judges whether a token has expired.
    pub clock: Arc<dyn WallClock>,
    /// How often one caller may ask.
    pub rates: RatesInForce,
    /// What the API counts; registered with the registry that `metrics` encodes.
    pub requests: RequestMetrics,
    /// Begins a backup of the node.
    pub backup: Arc<BeginBackup>,
    /// Everything the process counts, in the text that `prometheus-client` encodes.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// Takes up the traces that askers send, where somebody collects them.
    pub traces: Arc<TakeUpTrace>,
}

impl std::fmt::Debug for ApiState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ApiState({})", self.node.node())
    }
}

/// The state as handlers share it.
pub(crate) type Shared = Arc<ApiState>;
