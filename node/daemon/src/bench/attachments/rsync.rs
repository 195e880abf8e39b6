//! What is measured beside: rsync in its daemon mode on loopback, and fetches from it into an empty
//! folder.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use rustix::process::geteuid;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};
use tongban_api::Said;
use tongban_types::Code;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::staging::free_ports;

/// A daemon reads a small file and listens.
const START_TIME_MAX: Duration = Duration::from_secs(10);

const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The daemon; it ends with this.
#[derive(Debug)]
pub(super) struct Rsync {
    _daemon: Child,
    address: SocketAddr,
    /// Where what was fetched lies, a folder for each way.
    into: PathBuf,
}

/// Whether a fetch ends before its file is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    /// As rsync is used: the system writes it when it likes.
    Later,
    /// With `--fsync`, as a node keeps a file.
    AtItsEnd,
}

impl Durability {
    const fn folder(self) -> &'static str {
        match self {
            Self::Later => "later",
            Self::AtItsEnd => "at-its-end",
        }
    }
}

/// Refuses where there is nothing to measure beside, before any process is started.
pub(super) async fn check_installed() -> Result<(), Failure> {
    let mut help = Command::new("rsync");
    help.arg("--help").stdin(Stdio::null()).kill_on_drop(true);
    let said = timeout(START_TIME_MAX, help.output()).await;
    match said.context("rsync --help does not end")? {
        Ok(said) if String::from_utf8_lossy(&said.stdout).contains("--fsync") => Ok(()),
        Ok(_) => Err(missing(Said::new(
            "rsync 早于 3.2.4, 没有 --fsync",
            "rsync is older than 3.2.4 and has no --fsync",
        ))),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(missing(Said::new(
            "本机没有 rsync",
            "rsync is not installed",
        ))),
        Err(error) => Err(anyhow::Error::new(error).context("rsync --help").into()),
    }
}

fn missing(says: Said) -> Failure {
    Failure::told(Code::PROGRAM_MISSING, Exit::NotFound, says).then("apt-get install rsync")
}

impl Rsync {
    /// Serves a folder; its own files are in `folder`.
    pub(super) async fn start(folder: &Path, served: &Path) -> anyhow::Result<Self> {
        let (config, log) = (folder.join("rsyncd.conf"), folder.join("rsyncd.log"));
        let text = configuration(served, &log, geteuid().is_root());
        std::fs::write(&config, text).context("the configuration of rsync")?;
        let port = free_ports(1)?.pop().context("a free port")?;
        let mut daemon = Command::new("rsync")
            .args(["--daemon", "--no-detach", "--address=127.0.0.1"])
            .arg(format!("--port={port}"))
            .arg("--config")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C at the terminal comes to this process alone, which ends the daemon.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .context("starting rsync --daemon")?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let begun = Instant::now();
        while TcpStream::connect(address).await.is_err() {
            if let Some(status) = daemon.try_wait()? {
                bail!("rsync --daemon 已退出 (has ended): {status}");
            }
            ensure!(
                begun.elapsed() < START_TIME_MAX,
                "rsync --daemon 没有应答 (does not answer), 日志 (log) {}",
                log.display()
            );
            sleep(LOOK_EVERY).await;
        }
        Ok(Self {
            _daemon: daemon,
            address,
            into: folder.join("fetched"),
        })
    }

    /// Fetches a file of `size` bytes into a folder of its own; how long that took, from the start of the
    /// process to its end. An error if it takes longer than `time_max`.
    pub(super) async fn fetch(
        &self,
        name: &str,
        size: u64,
        durability: Durability,
        time_max: Duration,
    ) -> anyhow::Result<Duration> {
        let into = self.into.join(durability.folder());
        std::fs::create_dir_all(&into).context("a folder for rsync")?;
        let mut fetch = Command::new("rsync");
        if durability == Durability::AtItsEnd {
            fetch.arg("--fsync");
        }
        fetch
            .arg(format!("rsync://{}/served/{name}", self.address))
            .arg(&into)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let begun = Instant::now();
        let ended = timeout(time_max, fetch.output()).await;
        let took = begun.elapsed();
        let ended = ended.context("rsync 没有按时结束 (does not end in time)")?;
        let ended = ended.context("running rsync")?;
        ensure!(
            ended.status.success(),
            "rsync: {}: {}",
            ended.status,
            String::from_utf8_lossy(&ended.stderr)
        );
        let fetched = std::fs::metadata(into.join(name)).context("what rsync fetched")?;
        ensure!(
            fetched.len() == size,
            "rsync fetched {} bytes",
            fetched.len()
        );
        Ok(took)
    }

    /// Removes what was fetched, every way. Not sooner than all of a turn is over: memory that a fetch gives
    /// back is at hand for the next one, while the nodes keep their file. Where a hypervisor lends memory
    /// page by page, that alone is two seconds a GiB.
    pub(super) fn remove_fetched(&self) -> anyhow::Result<()> {
        std::fs::remove_dir_all(&self.into).context("what rsync fetched")
    }
}

/// Of the daemon. Started by root it would become nobody, who may not enter the folder of a measurement.
fn configuration(served: &Path, log: &Path, is_root: bool) -> String {
    let user = if is_root { "uid = 0\ngid = 0\n" } else { "" };
    format!(
        "use chroot = no\nreverse lookup = no\nlog file = {}\n{user}[served]\npath = {}\nread only = yes\n",
        log.display(),
        served.display(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_daemon_stays_root_where_root_starts_it() {
        let (served, log) = (Path::new("/tmp/x/served"), Path::new("/tmp/x/rsyncd.log"));
        let text = configuration(served, log, true);
        assert!(text.contains("\nuid = 0\ngid = 0\n[served]\npath = /tmp/x/served\n"));
        assert!(!configuration(served, log, false).contains("uid"));
    }
}
