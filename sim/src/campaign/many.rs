//! Many seeds: as many processes of this program as there are cores, each with every n-th seed,
//! since a world is one thread and a process that dies takes only its own seeds along.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tongban_sim::output::line;
use tongban_sim::runtime::lock;

use super::command_line::Arguments;
use super::tally::{Report, Tally};

/// Kinds of faults, and occasions that a check waits for; one that never came in many seeds means
/// that the simulator has gone blind.
const FAULTS: [&str; 29] = [
    "accepted by silence",
    "answer lost",
    "city isolated",
    "clock beyond bound",
    "clock set",
    "crash",
    "crash with unsynced writes",
    "days passed",
    "device broken",
    "file lost all unsynced",
    "file lost sectors",
    "group time owed",
    "handler killed",
    "id forgotten",
    "line cut",
    "line cut one way",
    "message at a cut",
    "message delayed",
    "message overtook",
    "names lost",
    "read after catching up",
    "request duplicated",
    "request lost",
    "slow sync",
    "state wiped",
    "store lost commits",
    "store lost whole",
    "stopped on a broken device",
    "write torn",
];

/// Seeds in which every kind of fault comes, about thirty times at least.
const SEEDS_FOR_ALL_FAULTS: u64 = 100;

/// Kinds that come about three times in a hundred seeds: a crash seldom meets two writes of one file.
const RARE_FAULTS: [&str; 1] = ["file kept a first part"];

/// Seeds in which those come too.
const SEEDS_FOR_RARE_FAULTS: u64 = 300;

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
    // All of them, also where one fails: none goes on behind the last line.
    let ended: Vec<bool> = listeners
        .into_iter()
        .map(|one| one.join().is_ok_and(|ended| ended))
        .collect();
    let tally = lock(&tally);
    summarise(arguments, &tally, began.elapsed().as_secs_f64());
    if arguments.plant.is_some() {
        return is_found(&tally) && tally.controls.values().all(String::is_empty);
    }
    let all_ended = ended.into_iter().all(|ended| ended);
    let is_sound = all_ended && tally.broken.is_empty() && tally.seeds == arguments.seeds;
    is_sound && unmet(&tally).is_empty()
}

/// Whether what is planted was found by an invariant it breaks, which is when a control is run.
fn is_found(tally: &Tally) -> bool {
    !tally.controls.is_empty()
}

/// Kinds of faults that never came, where so many seeds were run that all should have.
fn unmet(tally: &Tally) -> Vec<&'static str> {
    let is_met = |fault: &&str| tally.counts.get(*fault).is_some_and(|times| *times > 0);
    let common = (&FAULTS[..], SEEDS_FOR_ALL_FAULTS);
    let rare = (&RARE_FAULTS[..], SEEDS_FOR_RARE_FAULTS);
    let due = [common, rare].into_iter();
    let due = due.filter(|(_, seeds)| tally.seeds >= *seeds);
    due.flat_map(|(faults, _)| faults.iter().copied())
        .filter(|fault| !is_met(fault))
        .collect()
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
        let mut tally = lock(tally);
        tally.add(report);
        if is_found(&tally) {
            // One find is enough; this worker may be in the middle of another seed.
            drop(tally);
            let _ = child.kill();
            let _ = child.wait();
            return true;
        }
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
    let unmet = if arguments.plant.is_some() {
        Vec::new()
    } else {
        unmet(tally)
    };
    for fault in &unmet {
        line(&format!("NOT MET by any seed: {fault}"));
    }
    #[expect(clippy::cast_precision_loss, reason = "shown to a person, rounded")]
    let simulated = tally.simulated_ms as f64 / 1_000.0;
    line(&format!(
        "{} seeds, {simulated:.0} s simulated in {took:.1} s: {:.0} simulated seconds a second",
        tally.seeds,
        simulated / took
    ));
    match (arguments.plant, tally.broken.keys().next()) {
        (None, None) if unmet.is_empty() => line("all sound"),
        (None, None) => line("all sound, and blind: a kind of fault never came"),
        (None, Some(_)) => line(&format!("{} of {} BROKEN", tally.broken.len(), tally.seeds)),
        (Some(_), _) => say_found(arguments, tally),
    }
}

fn say_found(arguments: &Arguments, tally: &Tally) {
    for (seed, broken) in &tally.controls {
        line(&format!("found by seed {seed}: {}", arguments.repro(*seed)));
        if broken.is_empty() {
            line("without what is planted the same seed is sound");
        } else {
            line(&format!("BROKEN without what is planted: {broken}"));
            line(&format!("  again: {} --control", arguments.repro(*seed)));
        }
    }
    if !is_found(tally) {
        line("NOT found");
    }
}

#[cfg(test)]
mod tests {
    use tongban_sim::world::Plant;

    use super::*;

    #[test]
    fn a_fault_that_never_came_is_named_once_it_should_have() {
        let mut tally = Tally::default();
        let all = FAULTS.iter().map(|fault| ((*fault).to_owned(), 1));
        tally.counts = all.collect();
        tally.counts.insert("clock set".to_owned(), 0);
        tally.seeds = SEEDS_FOR_ALL_FAULTS - 1;
        assert!(unmet(&tally).is_empty());
        tally.seeds = SEEDS_FOR_ALL_FAULTS;
        assert_eq!(unmet(&tally), ["clock set"]);
        tally.seeds = SEEDS_FOR_RARE_FAULTS;
        assert_eq!(unmet(&tally), ["clock set", RARE_FAULTS[0]]);
    }

    #[test]
    fn only_a_named_violation_finds_what_is_planted() {
        let planted = |seed| Arguments {
            seed: Some(seed),
            seeds: 1,
            from: 1,
            plant: Some(Plant::LeaderRestore),
            control: false,
            events: false,
            level: tracing::level_filters::LevelFilter::ERROR,
            worker: None,
        };
        let wants = |violation| planted(1).is_wanted(violation);
        assert!(wants(Some("log hashes equal: at index 9")));
        assert!(!wants(Some("no panic: index out of bounds")));
        assert!(!wants(None));
        let control = Arguments {
            control: true,
            ..planted(1)
        };
        assert!(control.is_wanted(None));
        assert!(!control.is_wanted(Some("log hashes equal: at index 9")));
    }
}
