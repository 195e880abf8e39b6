//! The one place where a node is put together: log, state, groups and runtime, over the seams of a
//! platform. The daemon and the simulator build the same `Node`, each over its own.

mod at_rest;
mod error;
mod founding;
mod hosting;
mod node;
mod set_aside;
mod tempo;

pub use at_rest::replicas_at_rest;
pub use error::StartError;
pub use node::{Node, NodeParts};
pub use tempo::RaftTempo;
/// Why one of its groups does not start, the source of [`StartError::Group`].
pub use tongban_consensus::StartError as GroupStartError;
