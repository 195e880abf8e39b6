//! A node backed up to an offline recovery key while it runs, and a rehearsal with that backup, as an operator
//! would do both.

use std::path::{Path, PathBuf};

use tongban_runtime::recovery_public;
use tongban_runtime::seams::Entropy as _;
use tongban_types::SealingPublicKey;
use zeroize::Zeroizing;

use crate::commands::backup::{Drilled, Source, back_up_running, drill};
use crate::failure::Failure;
use crate::keys::{read_seed, write_seed};
use crate::platform::OsEntropy;
use crate::staging::{Layout, Site};

/// What was backed up where, and what came back of it.
#[derive(Debug)]
pub(super) struct Rehearsal {
    /// The backup.
    pub(super) file: PathBuf,
    /// What the drill found.
    pub(super) drilled: Drilled,
}

/// Draws the recovery key, which an operator would keep offline; its public half.
pub(super) fn make_recovery_key(folder: &Path) -> Result<SealingPublicKey, Failure> {
    let seed = Zeroizing::new(OsEntropy.array());
    write_seed(&recovery_key(folder), &seed)?;
    Ok(recovery_public(&seed))
}

/// Where the recovery key is.
pub(super) fn recovery_key(folder: &Path) -> PathBuf {
    folder.join("recovery.key")
}

/// Where the backup of a city's node is.
pub(super) fn backup_file(layout: &Layout, site: &Site) -> PathBuf {
    layout.folder.join(format!("{}.backup", site.city.code))
}

/// Backs the running node up, verifies the file, and drills.
pub(super) async fn rehearse(layout: &Layout, site: &Site) -> Result<Rehearsal, Failure> {
    let file = backup_file(layout, site);
    back_up_running(&site.data, &file).await?;
    let source = Source::of(&file, &layout.registry, Some(layout.governance))?;
    let seed = read_seed(&recovery_key(&layout.folder))?;
    let drilled = drill(&source, &seed, &layout.folder.join("drill")).await?;
    Ok(Rehearsal { file, drilled })
}
