//! One city's process: started from this program's own file, ended by its id, and gone with this
//! process even if that is killed, because it watches the pipe that is its stdin.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail, ensure};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::{sleep, timeout};
use tongban_runtime::Forms;

use super::layout::Site;
use crate::node_process::Ready;

/// A start reads a log and opens a store; on a busy machine that takes a second or two.
pub(super) const START_TIME_MAX: Duration = Duration::from_secs(30);

/// An end flushes the store and lets requests under way end.
const END_TIME_MAX: Duration = Duration::from_secs(5);

const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What a process is told beside the usual.
const fn unusual(forms: Forms) -> &'static [&'static str] {
    match forms {
        Forms::Sealed => &[],
        Forms::ClearForMeasurement => &["--clear-forms-for-measurement"],
    }
}

/// An end tells its code, its causes and what to do next, a line each.
const LAST_LINES: usize = 6;

/// Longer than any of them.
const LAST_BYTES: u64 = 4_096;

/// What the last process of a log said at its end: the log itself may go with the folder it is in.
fn last_words(log: &Path) -> io::Result<String> {
    let mut log = File::open(log)?;
    let length = log.metadata()?.len();
    log.seek(SeekFrom::Start(length.saturating_sub(LAST_BYTES)))?;
    let mut said = Vec::new();
    log.take(LAST_BYTES).read_to_end(&mut said)?;
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.lines().rev().take(LAST_LINES).collect();
    Ok(lines.into_iter().rev().collect::<Vec<_>>().join("\n"))
}

/// A running process of a city.
#[derive(Debug)]
pub(crate) struct ChildNode {
    child: Child,
    /// Held open for as long as the process is to live.
    stdin: Option<ChildStdin>,
}

impl ChildNode {
    /// Starts the process of a city; it does not answer yet.
    pub(crate) fn start(site: &Site) -> anyhow::Result<Self> {
        // Word of an earlier process would be taken for this one's.
        match std::fs::remove_file(&site.ready) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let log = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&site.log)?;
        let program = std::env::current_exe().context("finding this program's own file")?;
        let mut child = Command::new(program)
            .args(["up", "--until-stdin-closes", "--config"])
            .arg(&site.config)
            .arg("--ready-file")
            .arg(&site.ready)
            .args(unusual(site.forms))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            // A group of its own: Ctrl-C at the terminal comes to this process alone, which ends
            // its children when it has said what it has to say.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting the process of {}", site.city.name))?;
        let stdin = child.stdin.take();
        Ok(Self { child, stdin })
    }

    /// Its process id, while it runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Returns once it answers; an error if it does not within `time_max`.
    pub(crate) async fn until_ready(
        &mut self,
        site: &Site,
        time_max: Duration,
    ) -> anyhow::Result<()> {
        let begun = Instant::now();
        loop {
            if Ready::read(&site.ready)?.is_some_and(|ready| Some(ready.pid) == self.pid()) {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                // Nothing about the log is worse than that the process has ended.
                let said = last_words(&site.log).unwrap_or_else(|error| error.to_string());
                return Err(anyhow!(said).context(format!(
                    "{}的进程已退出 (its process has ended): {status}, 日志 (log) {}",
                    site.city.name,
                    site.log.display()
                )));
            }
            if begun.elapsed() > time_max {
                bail!(
                    "{}的进程没有就绪 (its process is not ready), 日志 (log) {}",
                    site.city.name,
                    site.log.display()
                );
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Kills it as a power cut would: SIGKILL.
    pub(crate) async fn kill(mut self) -> anyhow::Result<ExitStatus> {
        self.child.kill().await.context("killing a process")?;
        self.child.wait().await.context("waiting for its end")
    }

    /// Tells it to end in good order.
    pub(crate) fn tell_to_end(&mut self) {
        drop(self.stdin.take());
    }

    /// Returns once it has ended, as it was told to; an error if it does not within `time_max`.
    pub(crate) async fn until_ended(&mut self, time_max: Duration) -> anyhow::Result<()> {
        let ended = timeout(time_max, self.child.wait()).await;
        let ended = ended.context("进程没有按时结束 (a process does not end in time)")?;
        let status = ended.context("waiting for the end of a process")?;
        ensure!(
            status.success(),
            "进程没有正常结束 (a process ended badly): {status}"
        );
        Ok(())
    }

    /// Ends it in good order, or else by force; returns when it is gone.
    pub(crate) async fn end(mut self) {
        self.tell_to_end();
        if timeout(END_TIME_MAX, self.child.wait()).await.is_err() {
            // Already gone is as good as killed.
            let _ = self.child.kill().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_of_a_long_log_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("node.log");
        let lines: Vec<String> = (1..=1_000).map(|line| format!("第 {line} 行")).collect();
        std::fs::write(&log, lines.join("\n")).unwrap();
        assert_eq!(last_words(&log).unwrap(), lines[994..].join("\n"));
        std::fs::write(&log, "一行\n").unwrap();
        assert_eq!(last_words(&log).unwrap(), "一行");
    }
}
