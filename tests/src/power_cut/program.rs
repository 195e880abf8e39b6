//! A checker that is a program of its own, for what may take its whole process along.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// A checker that says nothing for this long is broken; good ones take well under a second.
const CHECK_LIMIT: Duration = Duration::from_secs(30);

/// Asks a program, named with its first arguments, about an image. It is given the image's folder
/// and a file of acknowledgements (`read_acks`) and ends with 0 when all of them are there.
pub fn ask_program(program: &[&str], root: &Path, acks: &[Vec<u8>]) -> Result<()> {
    let (program, arguments) = program.split_first().context("no checker is named")?;
    let file = root.with_extension("acks");
    let mut bytes = Vec::new();
    for ack in acks {
        bytes.extend_from_slice(&u32::try_from(ack.len())?.to_le_bytes());
        bytes.extend_from_slice(ack);
    }
    std::fs::write(&file, bytes)?;
    let mut command = Command::new(program);
    command.args(arguments).arg(root).arg(&file);
    run_within(command, CHECK_LIMIT)
}

/// Runs a command, which must succeed within the limit.
fn run_within(mut command: Command, limit: Duration) -> Result<()> {
    let (mut output, writer) = std::io::pipe()?;
    command.env("RUST_BACKTRACE", "0");
    command
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer);
    let mut child = command.spawn()?;
    drop(command); // It holds our ends of the pipe.
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let mut said = Vec::new();
        let read = output.read_to_end(&mut said);
        let _ = tell.send(read.map(|_| String::from_utf8_lossy(&said).into_owned()));
    });
    let Ok(said) = told.recv_timeout(limit) else {
        child.kill()?;
        child.wait()?;
        bail!("no answer within {limit:?}");
    };
    let status = child.wait()?;
    if !status.success() {
        bail!("{status}: {}", said?);
    }
    Ok(())
}
