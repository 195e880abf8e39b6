//! The product as a program: where it is, its commands, and one node as a process that is started,
//! killed by its id, and gone with the test, however the test ends.

use std::fs::{File, OpenOptions};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// A command that only reads and writes files: far above what a busy machine needs.
const COMMAND_LIMIT: Duration = Duration::from_mins(1);

/// How often something is looked at while it is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The program under test: what `TONGBAN_BIN` names, or the product as `cargo build` builds it.
pub fn program() -> Result<&'static Path> {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    if let Some(program) = PROGRAM.get() {
        return Ok(program);
    }
    let found = match std::env::var_os("TONGBAN_BIN") {
        Some(named) => PathBuf::from(named),
        None => build()?,
    };
    ensure!(found.is_file(), "{} is no program", found.display());
    Ok(PROGRAM.get_or_init(|| found))
}

fn build() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let arguments = ["build", "--locked", "--quiet", "--workspace", "--bins"];
    let status = cargo
        .args(arguments)
        .current_dir(&root)
        .stdin(Stdio::null())
        .status()?;
    ensure!(status.success(), "the product does not build");
    product(&root)
}

/// Where cargo builds the product to, whatever its settings say.
pub fn product(root: &Path) -> Result<PathBuf> {
    let mut command = cargo_metadata::MetadataCommand::new();
    command.manifest_path(root.join("Cargo.toml")).no_deps();
    command.other_options(vec!["--offline".to_owned()]);
    let metadata = command.exec().context("cargo metadata")?;
    Ok(metadata.target_directory.join("debug/tongban").into())
}

/// Runs a command that ends by itself, and reads the last line it says as JSON.
pub fn tongban(arguments: &[&str]) -> Result<Value> {
    let (status, answer) = ask_tongban(arguments)?;
    ensure!(
        status == Some(0),
        "tongban {arguments:?} ends with {status:?}: {answer}"
    );
    Ok(answer)
}

/// The same, whatever it ends with.
pub fn ask_tongban(arguments: &[&str]) -> Result<(Option<i32>, Value)> {
    let mut command = Command::new(program()?);
    command.arg("--json").args(arguments);
    let ended = run(command, COMMAND_LIMIT)?;
    let last = ended.stdout.lines().next_back().unwrap_or_default();
    let answer = serde_json::from_str(last)
        .with_context(|| format!("{arguments:?} says {last:?} {}", ended.stderr))?;
    Ok((ended.code, answer))
}

/// Checks an answer by the schema whose name it carries.
pub fn by_its_schema(answer: &Value) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("answer.json");
    std::fs::write(&file, answer.to_string())?;
    let name = answer["schema"]
        .as_str()
        .context("an answer names its schema")?;
    let mut command = Command::new(program()?);
    command.args(["schema", "validate", name]).arg(&file);
    let checked = run(command, COMMAND_LIMIT)?;
    ensure!(checked.code == Some(0), "{checked:?} of {answer}");
    Ok(())
}

/// How a command ended and what it said.
#[derive(Clone, Debug)]
pub struct Ended {
    /// What it ended with; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it said.
    pub stdout: String,
    /// What it talked.
    pub stderr: String,
}

/// Runs a command to its end, which must come in time.
pub fn run(mut command: Command, limit: Duration) -> Result<Ended> {
    let scratch = tempfile::tempdir()?;
    let (out, err) = (scratch.path().join("stdout"), scratch.path().join("stderr"));
    command
        .stdin(Stdio::null())
        .stdout(File::create(&out)?)
        .stderr(File::create(&err)?);
    let mut child = command.spawn().with_context(|| format!("{command:?}"))?;
    let code = until(limit, "the command ends", || Ok(child.try_wait()?));
    if code.is_err() {
        child.kill()?;
        child.wait()?;
    }
    let read = |path: &Path| -> Result<String> {
        Ok(String::from_utf8_lossy(&std::fs::read(path)?).into_owned())
    };
    let (stdout, stderr) = (read(&out)?, read(&err)?);
    let code = code
        .with_context(|| format!("{command:?} said {stdout}{stderr}"))?
        .code();
    Ok(Ended {
        code,
        stdout,
        stderr,
    })
}

/// Looks until something is there, for a bounded time.
pub fn until<T>(
    limit: Duration,
    what: &str,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let begun = Instant::now();
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if begun.elapsed() > limit {
            bail!("not within {} s: {what}", limit.as_secs());
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// A running node.
#[derive(Debug)]
pub struct NodeProcess {
    child: Child,
    /// The node ends when this pipe closes, so also when the test is killed.
    stdin: Option<ChildStdin>,
}

impl NodeProcess {
    /// Starts a node; everything it says goes to the end of the log file.
    pub fn start(config: &Path, log: &Path) -> Result<Self> {
        Self::start_as(config, log, |_| Ok(()))
    }

    /// The same, with something done to the command first.
    pub fn start_as(
        config: &Path,
        log: &Path,
        prepare: impl FnOnce(&mut Command) -> Result<()>,
    ) -> Result<Self> {
        let said = OpenOptions::new().append(true).create(true).open(log)?;
        let mut command = Command::new(program()?);
        command
            .args(["up", "--until-stdin-closes", "--config"])
            .arg(config)
            .stdin(Stdio::piped())
            .stdout(said.try_clone()?)
            .stderr(said);
        prepare(&mut command)?;
        let mut child = command.spawn().context("starting a node")?;
        let stdin = child.stdin.take();
        Ok(Self { child, stdin })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Result<Option<String>> {
        Ok(self.child.try_wait()?.map(|status| status.to_string()))
    }

    /// `kill -9`. Fails if the node had ended by itself before.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        let status = self.child.wait()?;
        ensure!(
            status.signal() == Some(KILLED),
            "the node ended by itself before: {status}"
        );
        Ok(())
    }

    /// Lets it end in good order.
    pub fn end(mut self, limit: Duration) -> Result<()> {
        drop(self.stdin.take());
        let status = until(limit, "the node ends", || Ok(self.child.try_wait()?))?;
        ensure!(status.success(), "the node ends with {status}");
        Ok(())
    }
}

/// The number of SIGKILL.
const KILLED: i32 = 9;

impl Drop for NodeProcess {
    fn drop(&mut self) {
        // Already gone is as good as killed.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
