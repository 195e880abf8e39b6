//! What takes a group up that an order placed on this node while it runs.

use std::sync::Arc;

use async_trait::async_trait;
use tongban_trust::Registry;
use tongban_types::GroupId;

use crate::core::Hosted;
use crate::seams::Platform;

/// Opens a replica and its Raft side, as at a start of the node.
#[async_trait]
pub trait GroupOpener<P: Platform>: Send + Sync + 'static {
    /// Takes up a group this node was told to keep a replica of; the error says why it cannot.
    async fn open(&self, group: GroupId, registry: Arc<Registry>) -> Result<Hosted<P>, String>;
}
