//! `[data]`: where everything a node writes goes.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DataSection {
    /// The folder of `keys/ wal/ state/ snapshots/ blobs/`.
    pub(super) folder: PathBuf,
}
