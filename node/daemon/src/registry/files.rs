//! The files registries stand in: how those a node holds are named, and how any is read.

use std::fs;
use std::path::{Path, PathBuf};

use tongban_types::limits::REGISTRY_BYTES_MAX;

use crate::failure::Failure;
use crate::files::{FileError, read_bounded};

/// Name of the file in the data folder; older ones stand beside it as `registry.<version>.json`.
pub(super) const HELD: &str = "registry.json";

/// Reads the bytes of a registry file.
pub(crate) fn read_registry(file: &Path) -> Result<Vec<u8>, FileError> {
    read_bounded(file, REGISTRY_BYTES_MAX)
}

/// The registry files a data folder holds, by name: the newest, and those before it.
pub(crate) fn held_files(data: &Path) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let entries = fs::read_dir(data).map_err(FileError::at(data))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| is_held_name(name)).collect();
    names.sort_unstable();
    let read = |name: String| {
        let bytes = read_registry(&data.join(&name))?;
        Ok((name, bytes))
    };
    names.into_iter().map(read).collect()
}

/// Whether a file of this name is a registry a node holds.
pub(crate) fn is_held_name(name: &str) -> bool {
    let version = name
        .strip_prefix("registry.")
        .and_then(|rest| rest.strip_suffix(".json"));
    name == HELD || version.is_some_and(|version| version.parse::<u64>().is_ok())
}

/// Where an older version of a registry stands: `registry.json`, `registry.2.json`.
pub(super) fn beside(file: &Path, version: u64) -> PathBuf {
    file.with_extension(format!("{version}.json"))
}
