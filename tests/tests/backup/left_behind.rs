//! A backup that does not come to its end: one that is told to stop takes along what it wrote, and what one left
//! that was killed is cleared away by the next one into the same folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tongban_tests::process::{program, until};

use super::{DESK, SETTLE_LIMIT, back_up, desk_alone, text};

#[test]
fn a_backup_that_is_interrupted_leaves_nothing_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    interrupt(folder.path()).unwrap();
}

fn interrupt(folder: &Path) -> Result<()> {
    let mut city = desk_alone(folder)?;
    let data = text(&city.machines[DESK].data)?;
    let backups = folder.join("backups");
    fs::create_dir(&backups)?;

    let killed = backups.join("killed");
    Backup::begin(data, &killed)?.ended_by(Signal::KILL)?;
    let left = files(&backups)?;
    ensure!(left.len() == 1 && !killed.exists(), "{left:?}");
    let made = backups.join("made");
    // Until the node has noticed that nobody takes the first one any more, another is refused.
    until(SETTLE_LIMIT, "another is made", || {
        let (exit, said) = back_up(data, &made)?;
        ensure!(exit == Some(0) || said["code"] == "TB4025", "{said}");
        ensure!(!left[0].exists(), "the next one clears away, made or not");
        Ok((exit == Some(0)).then_some(()))
    })?;
    ensure!(files(&backups)? == std::slice::from_ref(&made));

    until(SETTLE_LIMIT, "one is told to stop", || {
        let stopped = backups.join("stopped");
        let ended = Backup::begin(data, &stopped)?.ended_by(Signal::TERM)?;
        if ended == Some(0) {
            // It was made before it heard of the signal.
            fs::remove_file(&stopped)?;
        }
        let there = files(&backups)?;
        ensure!(there == [made.clone()], "{ended:?}: {there:?}");
        Ok((ended == Some(3)).then_some(()))
    })?;
    city.end(DESK)
}

/// The files of a folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

/// A backup as a process, gone with this value.
struct Backup(Child);

impl Backup {
    /// Returns when it has begun to write, or has come to its end.
    fn begin(data: &str, out: &Path) -> Result<Self> {
        let folder = out.parent().unwrap_or(out);
        let before = files(folder)?.len();
        let mut command = Command::new(program()?);
        command.args(["backup", "create", "--data", data, "--out", text(out)?]);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let mut begun = Self(command.stderr(Stdio::null()).spawn()?);
        until(SETTLE_LIMIT, "a backup is begun", || {
            let is_over = begun.0.try_wait()?.is_some();
            Ok((is_over || files(folder)?.len() > before).then_some(()))
        })?;
        Ok(begun)
    }

    /// Its exit code once a signal came to it; `None` if that ended it.
    fn ended_by(mut self, signal: Signal) -> Result<Option<i32>> {
        if self.0.try_wait()?.is_none() {
            kill_process(Pid::from_child(&self.0), signal)?;
        }
        let ended = until(SETTLE_LIMIT, "it ends", || Ok(self.0.try_wait()?))?;
        Ok(ended.code())
    }
}

impl Drop for Backup {
    fn drop(&mut self) {
        // Already gone is as good as killed.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
