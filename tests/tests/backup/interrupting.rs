//! A drill that is interrupted, as by Ctrl-C or a terminal that goes away: the case keys it wrote in the clear go
//! with it, wherever it stood.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tongban_tests::process::{program, until};

use super::SETTLE_LIMIT;

/// What stands in the scratch folder when a drill is interrupted: nothing yet, records, states, and states that
/// are looked at; and by what.
const INTERRUPTED_AT: [(&str, Signal); 4] = [
    ("", Signal::INT),
    ("wal", Signal::TERM),
    ("snapshots", Signal::HUP),
    ("state", Signal::INT),
];

/// A drill with a folder of its own for what is temporary.
struct Drill<'f> {
    process: Child,
    temporary: &'f Path,
}

/// Interrupts the drill that these words ask for, with `temporary` for what is temporary.
pub(super) fn leaves_no_keys_behind(words: &[&str], temporary: &Path) -> Result<()> {
    fs::create_dir(temporary)?;
    let mut interrupted = 0;
    for (part, signal) in INTERRUPTED_AT {
        let mut drill = Drill::begin(words, temporary)?;
        if drill.has_come_to(part)? {
            kill_process(Pid::from_child(&drill.process), signal)?;
        }
        match drill.ended()? {
            // It came to its end before it heard of the signal.
            Some(0) => {}
            Some(3) => interrupted += 1,
            other => anyhow::bail!("interrupted at {part:?} it ends with {other:?}"),
        }
        let left = fs::read_dir(temporary)?.next().transpose()?;
        ensure!(left.is_none(), "interrupted at {part:?} it leaves {left:?}");
    }
    ensure!(interrupted > 0, "no drill was interrupted");
    Ok(())
}

impl<'f> Drill<'f> {
    fn begin(words: &[&str], temporary: &'f Path) -> Result<Self> {
        let mut command = Command::new(program()?);
        command.args(words).env("TMPDIR", temporary);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        Ok(Self {
            process: command.stderr(Stdio::null()).spawn()?,
            temporary,
        })
    }

    /// Whether this part of the scratch folder is there while the drill goes on. It is looked for without a
    /// pause, for all of it is there within moments.
    fn has_come_to(&mut self, part: &str) -> Result<bool> {
        let begun = Instant::now();
        while self.process.try_wait()?.is_none() {
            for scratch in fs::read_dir(self.temporary)? {
                if scratch?.path().join(part).exists() {
                    return Ok(true);
                }
            }
            ensure!(begun.elapsed() < SETTLE_LIMIT, "no {part:?} in time");
            thread::yield_now();
        }
        Ok(false)
    }

    /// Its exit code; `None` if the signal ended it as it ends who does not listen.
    fn ended(&mut self) -> Result<Option<i32>> {
        let ended = until(SETTLE_LIMIT, "the drill ends", || {
            Ok(self.process.try_wait()?)
        });
        Ok(ended.context("a drill that was interrupted")?.code())
    }
}

impl Drop for Drill<'_> {
    fn drop(&mut self) {
        // Already gone is as good as killed.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
