//! The store as its users see it: through its seam, its folder and its log lines.

mod bounds;
mod compaction;
mod conformance;
mod model;
mod opening;
mod promises;
mod quiet;
mod renewal;
mod sinking;
mod support;
mod unsynced;
