//! The folder a demonstration happens in: a temporary one that goes with it, or one that stays.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tempfile::TempDir;
use tongban_api::Said;
use tongban_types::Code;

use super::account::Account;
use super::words;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::FileError;

/// A folder, and what becomes of it.
#[derive(Debug)]
pub(crate) enum House {
    /// Removed at the end.
    Temporary(TempDir),
    /// Left where it is.
    Lasting(PathBuf),
}

impl House {
    /// The folder asked for, or a new temporary one.
    pub(crate) fn open(folder: Option<&Path>, keep: bool) -> Result<Self, Failure> {
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder).map_err(FileError::at(folder))?;
            let mut entries = std::fs::read_dir(folder).map_err(FileError::at(folder))?;
            if entries.next().is_some() {
                let folder = folder.display();
                let says = Said::new(
                    format!("演示目录 {folder} 不是空的"),
                    format!("the folder {folder} of the demonstration is not empty"),
                );
                let (code, exit) = (Code::FOLDER_NOT_EMPTY, Exit::Conflict);
                return Err(Failure::told(code, exit, says).then("tongban demo"));
            }
            return Ok(Self::Lasting(folder.to_owned()));
        }
        let made = tempfile::Builder::new().prefix("tongban-demo-").tempdir();
        let made = made.context("making a folder for the demonstration")?;
        Ok(if keep {
            Self::Lasting(made.keep())
        } else {
            Self::Temporary(made)
        })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Lasting(folder) => folder,
        }
    }

    /// Removes it, or says where it is.
    pub(crate) fn leave(self, account: &Account, after_failure: bool) {
        match self {
            Self::Temporary(folder) if after_failure => {
                let path = folder.keep();
                account.say(
                    words::FOLDER_KEPT_FOR_A_LOOK,
                    &[("folder", &path.display())],
                );
            }
            Self::Temporary(folder) => drop(folder),
            Self::Lasting(path) => account.say(words::FOLDER_KEPT, &[("folder", &path.display())]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_holds_something_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        assert!(House::open(Some(folder.path()), false).is_ok());
        std::fs::write(folder.path().join("mine"), "x").unwrap();
        let refused = House::open(Some(folder.path()), false).err();
        let refused = refused.map(|failure| (failure.code, failure.exit));
        assert_eq!(refused, Some((Code::FOLDER_NOT_EMPTY, Exit::Conflict)));
    }

    #[test]
    fn a_temporary_folder_goes_with_the_demonstration() {
        let path = {
            let house = House::open(None, false).unwrap();
            house.path().to_owned()
        };
        assert!(!path.exists());
    }
}
