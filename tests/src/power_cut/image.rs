//! A folder as a power cut may leave it, in memory and written out.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use anyhow::{Context, Result};

/// Runs of zeros this long are not written, so that preallocated files cost nothing.
const RUN_BYTES: usize = 64 * 1024;
static ZEROS: [u8; RUN_BYTES] = [0; RUN_BYTES];

/// What happens to changes that no sync covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// All of them are lost.
    Everything,
    /// None is, as when only the process dies.
    Nothing,
    /// In each file and among the names, all after some moment.
    Suffix,
    /// Any of them.
    Some,
    /// Any sectors of them; any names.
    Sectors,
}

impl Loss {
    /// All kinds.
    pub const ALL: [Self; 5] = [
        Self::Everything,
        Self::Nothing,
        Self::Suffix,
        Self::Some,
        Self::Sectors,
    ];
}

/// Paths and what stands there: a folder (`None`) or a file's bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image(pub BTreeMap<String, Option<Vec<u8>>>);

impl Image {
    /// Writes the image into an empty folder.
    pub fn write_to(&self, root: &Path) -> Result<()> {
        for (path, content) in &self.0 {
            let place = root.join(path);
            match content {
                None => fs::create_dir(&place),
                Some(bytes) => write_sparse(&place, bytes),
            }
            .with_context(|| format!("image: {path}"))?;
        }
        Ok(())
    }

    /// Reads a folder.
    pub fn read_from(root: &Path) -> Result<Self> {
        let mut found = BTreeMap::new();
        read_folder(root, "", &mut found)?;
        Ok(Self(found))
    }

    /// The same without a folder's content, as if that had to be wiped.
    #[must_use]
    pub fn without(mut self, folder: &str) -> Self {
        let inside = |path: &String| {
            let rest = path.strip_prefix(folder);
            rest.is_some_and(|rest| rest.starts_with('/'))
        };
        self.0.retain(|path, _| !inside(path));
        self
    }

    /// The first path at which two images differ.
    pub fn first_difference(&self, other: &Self) -> Option<String> {
        let paths = self.0.keys().chain(other.0.keys());
        paths
            .filter(|path| self.0.get(*path) != other.0.get(*path))
            .min()
            .cloned()
    }
}

fn write_sparse(place: &Path, bytes: &[u8]) -> std::io::Result<()> {
    // Keys are among them: what others may read is refused.
    let mut options = OpenOptions::new();
    let file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(place)?;
    file.set_len(bytes.len() as u64)?;
    for (number, run) in bytes.chunks(RUN_BYTES).enumerate() {
        if *run != ZEROS[..run.len()] {
            file.write_all_at(run, (number * RUN_BYTES) as u64)?;
        }
    }
    Ok(())
}

fn read_folder(
    folder: &Path,
    above: &str,
    found: &mut BTreeMap<String, Option<Vec<u8>>>,
) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry
            .file_name()
            .into_string()
            .ok()
            .context("a name that is not UTF-8")?;
        let path = if above.is_empty() {
            name
        } else {
            format!("{above}/{name}")
        };
        if entry.file_type()?.is_dir() {
            found.insert(path.clone(), None);
            read_folder(&entry.path(), &path, found)?;
        } else {
            found.insert(path, Some(fs::read(entry.path())?));
        }
    }
    Ok(())
}
