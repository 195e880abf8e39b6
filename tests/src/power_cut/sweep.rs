//! Cuts a recording at many moments and asks a checker about each folder that may be left.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

use anyhow::{Result, anyhow, ensure};

use super::dice::Dice;
use super::disk::{Disk, LeftOut};
use super::image::{Image, Loss};
use super::recording::{Act, Operation, Recording};

/// Where one broken image is enough, one cut in so many is tried first, and then those between: broken ones lie
/// side by side, and nobody knows where.
const SEARCH_TURNS: usize = 16;

/// Where a recording is cut.
#[derive(Clone, Copy, Debug)]
pub enum Cuts {
    /// At so many moments, at least 3, a third of them seldom ones.
    Some(usize),
    /// After every sync, change of names and acknowledgement, and after every n-th of the other
    /// changes, with so many kinds of loss each.
    Every {
        /// 1 for all of them.
        nth_write: usize,
        /// At most all kinds there are; they take turns.
        losses: usize,
    },
}

/// How a recording is cut. The checker is given the image's folder and what was acknowledged before
/// the cut.
pub struct Sweep<'a, C> {
    /// Where images are written, one at a time a worker. A folder in memory is fastest.
    pub scratch: &'a Path,
    /// What was on the disk before the recording.
    pub before: &'a Image,
    /// Where to cut.
    pub cuts: Cuts,
    /// Decides moments, losses and what is lost.
    pub seed: u64,
    /// Checkers at work at once.
    pub workers: usize,
    /// Syncs played as if they were never made.
    pub left_out: Option<LeftOut>,
    /// A folder that is lost whole besides.
    pub wiped: Option<&'static str>,
    /// One broken image is enough.
    pub stops_when_broken: bool,
    /// Says what is missing.
    pub checker: C,
}

impl<C> std::fmt::Debug for Sweep<'_, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sweep")
            .field("cuts", &self.cuts)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
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
    acks: Arc<Vec<Vec<u8>>>,
}

impl<C: Fn(&Path, &[Vec<u8>]) -> Result<()> + Sync> Sweep<'_, C> {
    /// Builds and checks the images.
    pub fn run(&self, recording: &Recording) -> Result<Report> {
        let (hand_over, tasks) = sync_channel(self.workers);
        let tasks = Mutex::new(tasks);
        let report = Mutex::new(Report::default());
        let enough = AtomicBool::new(false);
        thread::scope(|scope| {
            let workers: Vec<_> = (0..self.workers)
                .map(|worker| {
                    let place = self.scratch.join(format!("image-{worker}"));
                    let (tasks, report, enough) = (&tasks, &report, &enough);
                    scope.spawn(move || self.check_all(&place, tasks, report, enough))
                })
                .collect();
            let built = self.build_all(recording, &hand_over, &enough);
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

    fn build_all(
        &self,
        recording: &Recording,
        hand_over: &SyncSender<Task>,
        enough: &AtomicBool,
    ) -> Result<()> {
        let mut dice = Dice::new(self.seed);
        let (cuts, losses) = self.cuts(recording, &mut dice)?;
        let first = self.first_left_out(recording);
        let cuts: Vec<usize> = cuts.into_iter().filter(|cut| *cut >= first).collect();
        let turns = if self.stops_when_broken {
            SEARCH_TURNS
        } else {
            1
        };
        for turn in 0..turns {
            let cuts = cuts.iter().copied().skip(turn).step_by(turns);
            self.build(cuts, losses, recording, &mut dice, hand_over, enough)?;
        }
        Ok(())
    }

    /// Builds the images of some cuts, in their order, until there is enough.
    fn build(
        &self,
        cuts: impl Iterator<Item = usize>,
        losses: usize,
        recording: &Recording,
        dice: &mut Dice,
        hand_over: &SyncSender<Task>,
        enough: &AtomicBool,
    ) -> Result<()> {
        let mut cuts = cuts.peekable();
        let mut disk = Disk::holding(self.before).leaving_out(self.left_out);
        let mut acks = Arc::new(Vec::new());
        for (played, operation) in (1..).zip(recording.operations()) {
            if cuts.peek().is_none() || enough.load(Ordering::Relaxed) {
                return Ok(());
            }
            disk.play(operation, recording)?;
            if let Act::Acknowledge { bytes } = &operation.act {
                Arc::make_mut(&mut acks).push(recording.bytes(bytes).to_vec());
            }
            while cuts.next_if_eq(&played).is_some() {
                let first = dice.below(Loss::ALL.len());
                for turn in 0..losses {
                    let loss = Loss::ALL[(first + turn) % Loss::ALL.len()];
                    let mut image = disk.after_cut(loss, dice);
                    if let Some(folder) = self.wiped {
                        image = image.without(folder);
                    }
                    let task = Task {
                        cut: played,
                        loss,
                        image,
                        acks: Arc::clone(&acks),
                    };
                    if hand_over.send(task).is_err() {
                        return Ok(()); // Workers that are gone will say why.
                    }
                }
            }
        }
        Ok(())
    }

    /// Until a sync is left out, every image is whole.
    fn first_left_out(&self, recording: &Recording) -> usize {
        let Some(left_out) = self.left_out else {
            return 0;
        };
        let is_it = |operation: &Operation| {
            matches!(operation.act, Act::SyncDone { .. }) && left_out(&operation.path)
        };
        let operations = recording.operations();
        operations.iter().position(is_it).unwrap_or(0)
    }

    /// Moments to cut at, in order, as numbers of operations played, and how many kinds of loss
    /// each is cut with.
    fn cuts(&self, recording: &Recording, dice: &mut Dice) -> Result<(Vec<usize>, usize)> {
        match self.cuts {
            Cuts::Some(images) => Ok((some_cuts(recording, images, dice)?, 1)),
            Cuts::Every { nth_write, losses } => Ok((
                every_cut(recording, nth_write),
                losses.clamp(1, Loss::ALL.len()),
            )),
        }
    }

    fn check_all(
        &self,
        place: &Path,
        tasks: &Mutex<Receiver<Task>>,
        report: &Mutex<Report>,
        enough: &AtomicBool,
    ) -> Result<()> {
        loop {
            let next = tasks.lock().expect("a worker does not panic").recv();
            let Ok(task) = next else { return Ok(()) };
            let said = self.check(place, &task)?;
            let mut report = report.lock().expect("a worker does not panic");
            report.images += 1;
            report.images_with_acks += usize::from(!task.acks.is_empty());
            if let Err(said) = said {
                enough.fetch_or(self.stops_when_broken, Ordering::Relaxed);
                report.broken.push(Broken {
                    cut: task.cut,
                    loss: task.loss,
                    said: format!("{said:#}"),
                });
            }
        }
    }

    /// What the checker has against an image; a panic counts too.
    fn check(&self, place: &Path, task: &Task) -> Result<Result<()>> {
        if place.exists() {
            std::fs::remove_dir_all(place)?;
        }
        let root = place.join("root");
        std::fs::create_dir_all(&root)?;
        task.image.write_to(&root)?;
        start_the_machine(&task.image, &root)?;
        let checked = catch_unwind(AssertUnwindSafe(|| (self.checker)(&root, &task.acks)));
        Ok(checked.unwrap_or_else(|panic| {
            let said = panic.downcast_ref::<String>().map(String::as_str);
            let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(anyhow!("panic: {}", said.unwrap_or("without words")))
        }))
    }
}

/// The store tells by a mark under which start of the machine it wrote: behind a power cut that is another one.
fn start_the_machine(image: &Image, root: &Path) -> Result<()> {
    let marks = image.0.keys().filter(|path| path.ends_with("/unsynced"));
    for mark in marks {
        std::fs::write(root.join(mark), "another start")?;
    }
    Ok(())
}

/// A third goes to what happens seldom: names, and files that are not written all the time. There a
/// start, a snapshot or a roll of a log is cut, which few of the moments are.
fn some_cuts(recording: &Recording, images: usize, dice: &mut Dice) -> Result<Vec<usize>> {
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
    let for_seldom = images / 3;
    let mut cuts = spread(&seldom, for_seldom, dice);
    cuts.extend(spread(&often, images - for_seldom, dice));
    cuts.sort_unstable();
    Ok(cuts)
}

/// One moment out of each of `images` equal parts; all of them if there are as many images.
fn spread(moments: &[usize], images: usize, dice: &mut Dice) -> Vec<usize> {
    let start = |part: usize| part * moments.len() / images;
    let mut pick = |part| moments[start(part) + dice.below(start(part + 1) - start(part))];
    (0..images).map(&mut pick).collect()
}

fn every_cut(recording: &Recording, nth_write: usize) -> Vec<usize> {
    let mut writes = 0;
    let mut is_cut = |act: &Act| match act {
        Act::SyncBegan { .. } => false,
        Act::SyncDone { .. } | Act::Acknowledge { .. } => true,
        act if act.changes_names() => true,
        _ => {
            writes += 1;
            writes % nth_write.max(1) == 0
        }
    };
    let operations = (1..).zip(recording.operations());
    let cuts = operations.filter(|(_, operation)| is_cut(&operation.act));
    cuts.map(|(played, _)| played).collect()
}
