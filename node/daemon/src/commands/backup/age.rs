//! How long ago a node was backed up, by the stamp that every backup leaves in its data folder.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::files::FileError;
use crate::node_process::BACKUP_STAMP;

/// The age of the last backup, if there ever was one.
pub(crate) fn age_of_last(data: &Path) -> Result<Option<Duration>, FileError> {
    let stamp = data.join(BACKUP_STAMP);
    let made = fs::metadata(&stamp).and_then(|about| about.modified());
    match made.map_err(FileError::at(&stamp)) {
        Ok(made) => {
            let age = SystemTime::now().duration_since(made);
            Ok(Some(age.unwrap_or_default()))
        }
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error),
    }
}
