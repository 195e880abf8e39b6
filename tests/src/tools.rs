//! Foreign tools and clients that checks need. `tests/tools` brings them; one that is missing fails the
//! test that needs it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::process::{Ended, run};

/// The slowest reads a few files; a busy machine starts its Python in seconds.
pub const TOOL_LIMIT: Duration = Duration::from_mins(1);

/// The root of the repository.
pub fn root() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    Ok(root.canonicalize()?)
}

/// Where `tests/tools` puts what it brings.
pub fn folder() -> Result<PathBuf> {
    let mut metadata = cargo_metadata::MetadataCommand::new();
    metadata.manifest_path(root()?.join("Cargo.toml")).no_deps();
    metadata.other_options(vec!["--offline".to_owned()]);
    let target = metadata.exec().context("cargo metadata")?.target_directory;
    Ok(target.join("tools").into_std_path_buf())
}

/// The command of a tool, to be run in the root.
pub fn tool(name: &str) -> Result<Command> {
    let brought = folder()?.join("bin").join(name);
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::iter::once(brought)
        .chain(std::env::split_paths(&on_path).map(|folder| folder.join(name)))
        .find(|path| path.is_file());
    let program = found.with_context(|| format!("{name} is missing: run tests/tools"))?;
    let mut command = Command::new(program);
    command.current_dir(root()?);
    Ok(command)
}

/// Runs a tool; what it says if it is content.
pub fn content(name: &str, arguments: &[&str]) -> Result<String> {
    let ended = asked(name, arguments)?;
    ensure!(
        ended.code == Some(0),
        "{name} {arguments:?} ends with {:?}: {}{}",
        ended.code,
        ended.stdout,
        ended.stderr
    );
    Ok(ended.stdout)
}

/// Runs a tool, whatever it ends with.
pub fn asked(name: &str, arguments: &[&str]) -> Result<Ended> {
    let mut command = tool(name)?;
    command.args(arguments);
    run(command, TOOL_LIMIT)
}
