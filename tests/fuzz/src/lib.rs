//! What the fuzz targets share: the federation of the machine's tests, the disk of the log's tests,
//! and how one input is cut into turns. The catalogue, the frames and the proofs are taken as files
//! out of their rooms, whose servers and networks a target does not need and would build for minutes.

#[path = "../../../node/api/src/catalogue/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    reason = "a target reads forms and nothing else"
)]
mod catalogue;
#[path = "../../../protocol/machine/tests/common/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    reason = "told for stories, of which a target needs a part"
)]
mod common;
#[path = "../../../node/wal/tests/wal/common/mod.rs"]
#[expect(dead_code, reason = "a target takes the disk and cuts no power")]
mod disk;
pub mod document;
pub mod forms;
#[path = "../../../node/net/src/frame.rs"]
#[expect(dead_code, reason = "a target needs heads and nothing else of it")]
mod frame;
pub mod frames;
pub mod log;
#[path = "../../../node/blobs/src/proof.rs"]
mod proof;
pub mod proofs;
#[path = "../../../node/net/src/reader.rs"]
#[expect(dead_code, reason = "a target feeds the decoder by itself")]
mod reader;
#[path = "../../../node/api/src/said.rs"]
#[expect(
    dead_code,
    reason = "a target reads forms, whose faults are told of their place alone"
)]
mod said;
pub mod town;
pub mod turns;

use tongban_trust::Registry;
use tongban_types::Hash;

/// The registry of the federation that targets play in.
pub fn registry() -> &'static Registry {
    &common::federation::Federation::get().registry
}

/// The same as a signed file.
pub fn registry_file() -> &'static [u8] {
    &common::federation::Federation::get().file
}

/// The hash of governance keys that file is pinned by.
pub fn genesis() -> Hash {
    common::federation::Federation::get().genesis
}
