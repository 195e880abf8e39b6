//! Builds the recorder (`power-cut/rec.c`) and puts it under a process.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/power-cut/rec.c");

/// A built recorder; gone when dropped.
#[derive(Debug)]
pub struct Recorder {
    library: PathBuf,
    _folder: TempDir,
}

impl Recorder {
    /// Compiles the recorder with the machine's C compiler (`cc`, or what `CC` names).
    pub fn build() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let library = folder.path().join("rec.so");
        let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
        let built = Command::new(&compiler)
            .args(["-O2", "-Wall", "-shared", "-fPIC", "-pthread", "-o"])
            .arg(&library)
            .arg(SOURCE)
            .output()
            .with_context(|| format!("no C compiler at {}", compiler.display()))?;
        ensure!(
            built.status.success(),
            "{}",
            String::from_utf8_lossy(&built.stderr)
        );
        Ok(Self {
            library,
            _folder: folder,
        })
    }

    /// Makes a command record into `log` what it will do below `root`. Several commands may follow
    /// each other into one recording, which starts with an empty folder.
    pub fn put_under(&self, command: &mut Command, root: &Path, log: &Path) -> Result<()> {
        let root = root
            .canonicalize()
            .context("the recorded folder must exist")?;
        command
            .env("LD_PRELOAD", &self.library)
            .env("REC_ROOT", root)
            .env("REC_LOG", log);
        Ok(())
    }

    /// Makes a recorded command end at once, as if it were killed, after so many records that
    /// follow the moment a file is there: how many it makes before depends on how long it waits.
    pub fn end_after(command: &mut Command, records: u64, from: &Path) {
        command
            .env("REC_LAST", records.to_string())
            .env("REC_FROM", from);
    }

    /// Makes a recorded command's sync do nothing: `call` (`fsync` or `fdatasync`) on files whose
    /// path ends in `name`.
    pub fn leave_out(command: &mut Command, call: &str, name: impl AsRef<OsStr>) {
        let mut rule = std::ffi::OsString::from(format!("{call}:"));
        rule.push(name.as_ref());
        command.env("REC_SWALLOW", rule);
    }
}
