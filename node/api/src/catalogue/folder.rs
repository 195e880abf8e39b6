//! Reading a catalogue from a folder laid out as `protocol/` is: `items/<city or
//! national>/<code>/<version>.json` and `calendar/*.json`.

use std::fs;
use std::path::Path;

use super::fault::CatalogueError;

/// Entries one folder may have: a catalogue holds at most 4096 item versions in all.
const ENTRIES_MAX: usize = 4_096;

/// A file of the catalogue.
pub(super) struct CatalogueFile {
    /// Its path below the folder, with slashes.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The item files below a folder; filled examples beside them are left out.
pub(super) fn item_files(folder: &Path) -> Result<Vec<CatalogueFile>, CatalogueError> {
    let mut files = Vec::new();
    for place in names(folder, true)? {
        for code in names(&folder.join(&place), true)? {
            let versions = folder.join(&place).join(&code);
            for version in names(&versions, false)? {
                let stem = version.strip_suffix(".json");
                if stem.is_none_or(|stem| stem.ends_with(".example")) {
                    continue;
                }
                if files.len() == ENTRIES_MAX {
                    return Err(CatalogueError::TooMany { max: ENTRIES_MAX });
                }
                files.push(CatalogueFile {
                    bytes: read(&versions.join(&version))?,
                    name: format!("{place}/{code}/{version}"),
                });
            }
        }
    }
    Ok(files)
}

/// The calendar files of a folder.
pub(super) fn calendar_files(folder: &Path) -> Result<Vec<CatalogueFile>, CatalogueError> {
    let mut files = Vec::new();
    for name in names(folder, false)? {
        if name.strip_suffix(".json").is_some() {
            files.push(CatalogueFile {
                bytes: read(&folder.join(&name))?,
                name,
            });
        }
    }
    Ok(files)
}

/// The names in a folder, sorted: of folders, or of files.
fn names(folder: &Path, folders: bool) -> Result<Vec<String>, CatalogueError> {
    let unreadable = |source| CatalogueError::Unreadable {
        path: folder.display().to_string(),
        source,
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let is_folder = entry.file_type().map_err(unreadable)?.is_dir();
        if let (true, Ok(name)) = (is_folder == folders, entry.file_name().into_string()) {
            names.push(name);
        }
        if names.len() > ENTRIES_MAX {
            return Err(CatalogueError::TooMany { max: ENTRIES_MAX });
        }
    }
    names.sort();
    Ok(names)
}

fn read(path: &Path) -> Result<Vec<u8>, CatalogueError> {
    fs::read(path).map_err(|source| CatalogueError::Unreadable {
        path: path.display().to_string(),
        source,
    })
}
