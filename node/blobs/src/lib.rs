//! Large files: each lies once under the BLAKE3 hash of its bytes, in a folder or an S3 store, comes in
//! resumably from clients and in verified ranges from other nodes. Which case names a file and who
//! may see it is the runtime's to know.

mod files;
mod hashing;
mod limits;
mod listing;
mod offsets;
mod part;
mod proof;
mod receiving;
mod shelf;
mod space;
mod store;
mod uploads;

#[cfg(feature = "s3")]
pub use shelf::S3Settings;
pub use shelf::ShelfSettings;
pub use space::SpaceSettings;
pub use store::{Blobs, OpenError};
