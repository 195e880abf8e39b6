//! Cuts a recording at many moments and asks a checker about each folder that may be left.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::dice::Dice;
use super::disk::Disk;
use super::image::{Image, Loss};
use super::recording::{Act, Operation, Recording};

/// A checker that says nothing for this long is broken; good ones take well under a second.
const CHECK_LIMIT: Duration = Duration::from_secs(30);

/// How a recording is cut.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// Where images are written, one at a time a worker. A folder in memory is fastest.
    pub scratch: PathBuf,
    /// How many images, at least 3.
    pub images: usize,
    /// Decides moments, losses and what is lost.
    pub seed: u64,
    /// Checkers at work at once.
    pub workers: usize,
    /// Program and first arguments of the checker. It is given the image's folder and a file of
    /// acknowledgements (`read_acks`) and exits with 0 when all of them are there.
    pub checker: Vec<String>,
}

/// What came out.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Images checked.
    pub images: usize,
    /// Images with at least one acknowledgement to keep.
    pub images_with_acks: usize,
    /// Those at which the checker did not agree.
    pub broken: Vec<Broken>,
}

/// An image at which the checker did not agree.
#[derive(Clone, Debug)]
pub struct Broken {
    /// Operations of the recording before the cut.
    pub cut: usize,
    /// What was lost.
    pub loss: Loss,
    /// What the checker said.
    pub said: String,
}

struct Task {
    cut: usize,
    loss: Loss,
    image: Image,
    acks: Arc<Vec<u8>>,
}

impl Sweep {
    /// Builds and checks the images.
    pub fn run(&self, recording: &Recording) -> Result<Report> {
        let (hand_over, tasks) = sync_channel(self.workers);
        let tasks = Mutex::new(tasks);
        let report = Mutex::new(Report::default());
        thread::scope(|scope| {
            let workers: Vec<_> = (0..self.workers)
                .map(|worker| {
                    let place = self.scratch.join(format!("image-{worker}"));
                    let (tasks, report) = (&tasks, &report);
                    scope.spawn(move || self.check_all(&place, tasks, report))
                })
                .collect();
            let built = self.build_all(recording, &hand_over);
            drop(hand_over);
            for worker in workers {
                worker.join().expect("a worker does not panic")?;
            }
            built
        })?;
        let mut report = report.into_inner().expect("a worker does not panic");
        report.broken.sort_by_key(|broken| broken.cut);
        Ok(report)
    }

    fn build_all(&self, recording: &Recording, hand_over: &SyncSender<Task>) -> Result<()> {
        let mut dice = Dice::new(self.seed);
        let mut cuts = self.cuts(recording, &mut dice)?.into_iter().peekable();
        let mut disk = Disk::default();
        let mut acks = Arc::new(Vec::new());
        for (played, operation) in (1..).zip(recording.operations()) {
            disk.play(operation, recording)?;
            if let Act::Acknowledge { bytes } = &operation.act {
                let ack = recording.bytes(bytes);
                let acks = Arc::make_mut(&mut acks);
                acks.extend_from_slice(&u32::try_from(ack.len())?.to_le_bytes());
                acks.extend_from_slice(ack);
            }
            while cuts.next_if_eq(&played).is_some() {
                let loss = Loss::ALL[dice.below(Loss::ALL.len())];
                let image = disk.after_cut(loss, &mut dice);
                let task = Task {
                    cut: played,
                    loss,
                    image,
                    acks: Arc::clone(&acks),
                };
                if hand_over.send(task).is_err() {
                    return Ok(()); // The workers are gone and will say why.
                }
            }
        }
        Ok(())
    }

    /// Moments to cut at, in order, as numbers of operations played. A third goes to what happens
    /// seldom: names, and files that are not written all the time. There a start, a snapshot or a
    /// roll of a log is cut, which few of the moments are.
    fn cuts(&self, recording: &Recording, dice: &mut Dice) -> Result<Vec<usize>> {
        let operations = recording.operations();
        let mut uses: HashMap<&str, usize> = HashMap::new();
        for operation in operations {
            *uses.entry(&operation.path).or_default() += 1;
        }
        let is_seldom = |operation: &Operation| {
            operation.act.changes_names() || uses[operation.path.as_str()] < operations.len() / 10
        };
        let (seldom, often): (Vec<_>, Vec<_>) = (1..=operations.len())
            .filter(|played| operations[played - 1].act.is_a_moment())
            .partition(|played| is_seldom(&operations[played - 1]));
        ensure!(
            !seldom.is_empty() && !often.is_empty(),
            "too little was recorded"
        );
        let for_seldom = self.images / 3;
        let mut cuts = spread(&seldom, for_seldom, dice);
        cuts.extend(spread(&often, self.images - for_seldom, dice));
        cuts.sort_unstable();
        Ok(cuts)
    }

    fn check_all(
        &self,
        place: &Path,
        tasks: &Mutex<Receiver<Task>>,
        report: &Mutex<Report>,
    ) -> Result<()> {
        loop {
            let next = tasks.lock().expect("a worker does not panic").recv();
            let Ok(task) = next else { return Ok(()) };
            let said = self.check(place, &task)?;
            let mut report = report.lock().expect("a worker does not panic");
            report.images += 1;
            report.images_with_acks += usize::from(!task.acks.is_empty());
            if let Some(said) = said {
                report.broken.push(Broken {
                    cut: task.cut,
                    loss: task.loss,
                    said,
                });
            }
        }
    }

    /// What the checker has against an image, `None` if nothing.
    fn check(&self, place: &Path, task: &Task) -> Result<Option<String>> {
        if place.exists() {
            std::fs::remove_dir_all(place)?;
        }
        let root = place.join("root");
        std::fs::create_dir_all(&root)?;
        task.image.write_to(&root)?;
        let acks = place.join("acks");
        std::fs::write(&acks, task.acks.as_slice())?;
        let (program, arguments) = self.checker.split_first().context("no checker is named")?;
        let mut command = Command::new(program);
        command.args(arguments).arg(&root).arg(&acks);
        run_within(command, CHECK_LIMIT)
    }
}

/// One moment out of each of `images` equal parts; all of them if there are as many images.
fn spread(moments: &[usize], images: usize, dice: &mut Dice) -> Vec<usize> {
    let start = |part: usize| part * moments.len() / images;
    let mut pick = |part| moments[start(part) + dice.below(start(part + 1) - start(part))];
    (0..images).map(&mut pick).collect()
}

/// Runs a command; `None` if it succeeds within the limit, else what it printed.
fn run_within(mut command: Command, limit: Duration) -> Result<Option<String>> {
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
        return Ok(Some(format!("no answer within {limit:?}")));
    };
    let status = child.wait()?;
    Ok((!status.success()).then_some(format!("{status}: {}", said?)))
}
