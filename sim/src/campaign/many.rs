//! Many seeds: as many processes of this program as there are cores, each with every n-th seed,
//! since a world is one thread and a process that dies takes only its own seeds along.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::command_line::Arguments;
use super::tally::{Report, Tally};
use crate::output::line;
use crate::runtime::lock;

/// Kinds of faults; one that never came in many seeds means that the simulator has gone blind.
const FAULTS: [&str; 23] = [
    "answer lost",
    "city isolated",
    "clock beyond bound",
    "clock set",
    "crash",
    "crash with unsynced writes",
    "file kept a first part",
    "file lost all unsynced",
    "file lost sectors",
    "handler killed",
    "line cut",
    "line cut one way",
    "message at a cut",
    "message delayed",
    "message overtook",
    "names lost",
    "request duplicated",
    "request lost",
    "slow sync",
    "state wiped",
    "store lost commits",
    "store lost whole",
    "write torn",
];

/// Seeds in which every kind of fault comes.
const SEEDS_FOR_ALL_FAULTS: u64 = 100;

/// Runs the seeds; whether all are sound, or the planted fault was found.
pub(super) fn run(arguments: &Arguments) -> bool {
    let began = Instant::now();
    let processes = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let processes = processes.min(arguments.seeds).max(1);
    let tally = Arc::new(Mutex::new(Tally::default()));
    let listeners: Vec<_> = (0..processes)
        .map(|number| {
            let (arguments, tally) = (arguments.clone(), tally.clone());
            std::thread::spawn(move || listen(&arguments, number, processes, &tally))
        })
        .collect();
    let all_ended = listeners
        .into_iter()
        .all(|one| one.join().is_ok_and(|ended| ended));
    let tally = lock(&tally);
    summarise(arguments, &tally, began.elapsed().as_secs_f64());
    match arguments.plant {
        Some(_) => !tally.broken.is_empty(),
        None => all_ended && tally.broken.is_empty() && tally.seeds == arguments.seeds,
    }
}

/// Starts one worker and takes its reports in; whether it ended as it should.
fn listen(arguments: &Arguments, number: u64, stride: u64, tally: &Mutex<Tally>) -> bool {
    let Ok(mut child) = spawn(arguments, number, stride) else {
        line(&format!("worker {number} does not start"));
        return false;
    };
    let mut last = None;
    let output = child.stdout.take().map(BufReader::new);
    for text in output
        .into_iter()
        .flat_map(BufRead::lines)
        .map_while(Result::ok)
    {
        let Some(report) = Report::read(&text) else {
            continue;
        };
        if let Report::Seed {
            seed, violation, ..
        } = &report
        {
            last = Some(*seed);
            if let Some(violation) = violation {
                line(&format!("seed {seed} BROKEN {violation}"));
                line(&format!("  again: {}", arguments.repro(*seed)));
            }
        }
        lock(tally).add(report);
    }
    let ended = child.wait().is_ok_and(|status| status.success());
    if !ended {
        let next = last.map_or(arguments.from + number, |seed| seed + stride);
        line(&format!(
            "worker {number} died; again: {}",
            arguments.repro(next)
        ));
    }
    ended
}

fn spawn(arguments: &Arguments, number: u64, stride: u64) -> std::io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["--worker", &stride.to_string()])
        .args(["--from", &(arguments.from + number).to_string()])
        .args([
            "--seeds",
            &arguments.seeds.saturating_sub(number).to_string(),
        ]);
    if let Some(plant) = arguments.plant {
        command.args(["--plant", plant.name()]);
    }
    command.stdout(Stdio::piped()).spawn()
}

fn summarise(arguments: &Arguments, tally: &Tally, took: f64) {
    for (kind, times) in &tally.counts {
        line(&format!("  {times:>10} {kind}"));
    }
    let has_all = arguments.plant.is_some() || tally.seeds < SEEDS_FOR_ALL_FAULTS;
    for fault in FAULTS {
        if !has_all && tally.counts.get(fault).copied().unwrap_or(0) == 0 {
            line(&format!("WARNING: no seed met the fault: {fault}"));
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "shown to a person, rounded")]
    let simulated = tally.simulated_ms as f64 / 1_000.0;
    line(&format!(
        "{} seeds, {simulated:.0} s simulated in {took:.1} s: {:.0} simulated seconds a second",
        tally.seeds,
        simulated / took
    ));
    match (arguments.plant, tally.broken.keys().next()) {
        (None, None) => line("all sound"),
        (None, Some(_)) => line(&format!("{} of {} BROKEN", tally.broken.len(), tally.seeds)),
        (Some(_), Some(seed)) => {
            line(&format!("found by seed {seed}: {}", arguments.repro(*seed)));
        }
        (Some(_), None) => line("NOT found"),
    }
}
