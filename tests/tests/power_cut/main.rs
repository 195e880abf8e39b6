//! A power cut at any moment loses nothing that was acknowledged: not by the store alone, and not by
//! a whole node.

mod lives;
mod node;
mod platform;
mod start;
mod store;
mod survivor;

use std::path::Path;

use anyhow::Result;
use tempfile::TempDir;

/// Images are written in memory where there is such a folder: their syncs cost nothing then.
fn scratch() -> Result<TempDir> {
    let memory = Path::new("/dev/shm");
    Ok(if memory.is_dir() {
        tempfile::tempdir_in(memory)?
    } else {
        tempfile::tempdir()?
    })
}
