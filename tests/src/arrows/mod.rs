//! Who may know whom: the arrows between the rooms of the workspace, the rooms that own a foreign
//! crate, what pure code must not name, that no two records have one number, and that fuzz targets
//! decode them. The rules are tables here; what is checked comes from `cargo metadata` and from source
//! text.

mod foreign;
mod graph;
mod records;
mod rooms;
mod source;

pub use foreign::foreign_faults;
pub use graph::{Graph, Kind, Link, Room};
pub use records::{record_faults, unfuzzed};
pub use rooms::arrow_faults;
pub use source::{pure_sources, shipped_sources, source_faults};
