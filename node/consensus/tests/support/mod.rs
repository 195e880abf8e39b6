//! Doubles of what stands on the other side of this room's borders: a disk and a replicated state.

pub(crate) mod disk;
pub(crate) mod state;
