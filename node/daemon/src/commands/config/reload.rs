//! `tongban config reload`: checks the configuration, tells the node that runs to read it again, and
//! waits for what came of it. A mistake changes nothing.

use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::Args;
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;
use tongban_api::Said;
use tongban_types::Code;
use utoipa::ToSchema;

use super::{read, running};
use crate::configuration::Configuration;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::node_access::{CONFIG_USUAL, path_word};
use crate::node_process::Running;
use crate::output::{Answer, Described, Output, Reader};

/// How often is looked whether the node has read it.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 配置文件 (configuration file)
    #[arg(long, value_name = "FILE", default_value = CONFIG_USUAL)]
    config: PathBuf,
    /// 运行中的节点不从这里取配置 (a node that runs takes nothing from here; known so that it can be said)
    #[arg(long, value_name = "SECTION.KEY=VALUE", hide = true)]
    set: Vec<String>,
    /// 最多等几秒 (seconds to wait at most)
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
}

#[derive(Serialize, ToSchema)]
struct Reloaded {
    changed: Vec<String>,
    pending: Vec<String>,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Reloaded>("tongban config reload");

impl Answer for Reloaded {
    const SCHEMA: &'static str = "tongban.config-reloaded/v1";

    fn to_text(&self, reader: Reader) -> String {
        let mut lines = vec![match self.changed.len() {
            0 => reader
                .say("没有立即生效的改动", "nothing changed at once")
                .to_owned(),
            _ => format!(
                "{}: {}",
                reader.say("已生效", "in force"),
                self.changed.join(" ")
            ),
        }];
        if !self.pending.is_empty() {
            let wait = reader.say("重启后才生效", "waiting for a restart");
            lines.push(format!("{wait}: {}", self.pending.join(" ")));
            lines.push(reader.next("systemctl restart tongban"));
        }
        lines.join("\n")
    }
}

/// Has it read again.
pub(super) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    check_nothing_set(arguments)?;
    // Judged here first: whoever typed it reads the mistake where they are.
    let read = read(&arguments.config, &[])?;
    let before = running(&read)?;
    hang_up(before.pid, &read.file)?;
    let patience = Duration::from_secs(arguments.timeout);
    let after = wait_for(&read, before.reloads, patience)?;
    if let Some(refused) = after.refused {
        // A node of an earlier program does not say which fault it met.
        let code = after.refused_code.unwrap_or(Code::CONFIGURATION_MALFORMED);
        return Err(refusal(code, refused, &read.file));
    }
    let changed = after
        .settings
        .iter()
        .filter(|setting| !before.settings.contains(setting));
    let reloaded = Reloaded {
        changed: changed.map(|(key, _)| key.clone()).collect(),
        pending: after.pending,
    };
    let exit = if reloaded.pending.is_empty() {
        Exit::Yes
    } else {
        Exit::Changes
    };
    output.answer(&reloaded);
    Ok(exit)
}

/// A node that runs reads its file again and keeps what was typed at its start: it never sees what is typed
/// here.
fn check_nothing_set(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.set.is_empty() {
        return Ok(());
    }
    let says = Said::new(
        "运行中的节点从文件读取配置, 不用 --set: 先改文件, 再重新读取",
        "a running node takes settings from its file, not from --set: edit it, then reload",
    );
    let next = format!(
        "tongban config reload --config {}",
        path_word(&arguments.config)
    );
    Err(Failure::told(Code::USAGE, Exit::Usage, says).then(next))
}

/// What the node met and this command did not: only the node reads the certificate, and it may read the
/// configuration as another user or below other settings.
fn refusal(code: Code, why: String, config: &Path) -> Failure {
    let verb = if code == Code::HTTP_CERTIFICATE_UNUSABLE {
        "doctor"
    } else {
        "config check"
    };
    Failure::new(code, Exit::BadConfiguration, why)
        .then(format!("tongban {verb} --config {}", path_word(config)))
}

fn hang_up(process: u32, config: &Path) -> Result<(), Failure> {
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    let told = pid.map_or(Err(rustix::io::Errno::SRCH), |pid| {
        kill_process(pid, Signal::HUP)
    });
    told.map_err(|error| {
        let (code, exit) = if error == rustix::io::Errno::PERM {
            (Code::NOT_ALLOWED, Exit::NotAllowed)
        } else {
            (Code::NODE_UNREACHABLE, Exit::Unreachable)
        };
        let says = Said::new(
            format!("进程 {process}: {error}"),
            format!("process {process}: {error}"),
        );
        let next = format!("tongban status --config {}", path_word(config));
        Failure::told(code, exit, says).then(next)
    })
}

fn wait_for(read: &Configuration, reloads: u64, patience: Duration) -> Result<Running, Failure> {
    let begun = Instant::now();
    loop {
        let now = running(read)?;
        if now.reloads > reloads {
            return Ok(now);
        }
        if begun.elapsed() > patience {
            let seconds = patience.as_secs();
            let says = Said::new(
                format!("节点在 {seconds} 秒内没有重新读取配置"),
                format!("the node did not read its configuration anew within {seconds} s"),
            );
            return Err(
                Failure::told(Code::NODE_TIMED_OUT, Exit::TimedOut, says).then(format!(
                    "tongban config diff --config {}",
                    path_word(&read.file)
                )),
            );
        }
        sleep(LOOK_EVERY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::typed::typed;

    #[test]
    fn a_running_node_is_not_said_to_take_up_what_is_typed_here() {
        let words = ["reload", "--config", "n.toml", "--set", "log.level=debug"];
        let typed: Arguments = typed(&words);
        let refused = run(&typed, Output::default()).unwrap_err();
        assert_eq!((refused.code, refused.exit), (Code::USAGE, Exit::Usage));
        assert_eq!(refused.next, "tongban config reload --config n.toml");
        let said = refused.causes().next().unwrap();
        assert!(said.en.contains("edit it, then reload"), "{}", said.en);
    }
}
