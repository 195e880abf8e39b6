//! A whole node, log and store together: nothing it acknowledged is lost wherever the power goes,
//! and the same images find out a node that leaves one of its syncs out.

use std::path::Path;

use anyhow::{Result, ensure};
use tongban_tests::power_cut::{Act, Cuts, Disk, LeftOut, Loss, Recording, Report, Sweep};

use super::lives::{Lives, RECORDED, record};
use super::scratch;
use super::start::Starter;
use super::survivor::Opener;

/// Every sync, change of names and acknowledgement is cut at, and every twelfth of the other writes,
/// with one kind of loss in turn. `POWER_CUT_ALL` asks for every write and all kinds at each place.
const PLACES: Cuts = Cuts::Every {
    nth_write: 12,
    losses: 1,
};
const ALL_PLACES: Cuts = Cuts::Every {
    nth_write: 1,
    losses: Loss::ALL.len(),
};
/// With the store wiped, so that everything is filled again: fewer, since each costs more.
const PLACES_WIPED: Cuts = Cuts::Some(180);

struct Question {
    cuts: Cuts,
    left_out: Option<LeftOut>,
    wiped: Option<&'static str>,
}

fn ask(lives: &Lives, question: &Question) -> Result<Report> {
    let machine = &lives.city.machines[RECORDED];
    let opener = Opener::new(&machine.node, &lives.city.registry, &lives.before)?;
    let folder = scratch()?;
    let sweep = Sweep {
        scratch: folder.path(),
        before: &lives.before,
        cuts: question.cuts,
        seed: 7,
        workers: 2,
        left_out: question.left_out,
        wiped: question.wiped,
        stops_when_broken: question.left_out.is_some(),
        checker: |root: &Path, acks: &[Vec<u8>]| opener.check(root, acks),
    };
    sweep.run(&lives.recording)
}

fn is_log(path: &str) -> bool {
    path.starts_with("wal/") && ends(path, "log")
}

fn ends(path: &str, ending: &str) -> bool {
    path.rsplit_once('.')
        .is_some_and(|(_, found)| found == ending)
}

/// The run met what a power cut is most likely to break.
fn check_met(recording: &Recording) -> Result<()> {
    let count = |what: &str, is_one: &dyn Fn(&str, &Act) -> bool, least: usize| {
        let operations = recording.operations().iter();
        let met = operations.filter(|one| is_one(&one.path, &one.act)).count();
        ensure!(met >= least, "{what}: {met} times");
        Ok(())
    };
    let is_snapshot = |path: &str| path.starts_with("snapshots/") && ends(path, "snap");
    count(
        "segments begun",
        &|path, act| is_log(path) && *act == Act::MakeFile,
        4,
    )?;
    count(
        "segments removed",
        &|path, act| is_log(path) && *act == Act::Remove,
        2,
    )?;
    count(
        "space allocated",
        &|path, act| is_log(path) && matches!(act, Act::Allocate { .. }),
        4,
    )?;
    count(
        "checkpoints",
        &|_, act| matches!(act, Act::Rename { to } if to == "wal/checkpoint"),
        1,
    )?;
    count(
        "snapshots",
        &|_, act| matches!(act, Act::Rename { to } if is_snapshot(to)),
        2,
    )?;
    count(
        "snapshots removed",
        &|path, act| is_snapshot(path) && *act == Act::Remove,
        1,
    )?;
    count(
        "flushes of the store",
        &|path, act| path == "state/db" && matches!(act, Act::SyncDone { .. }),
        3,
    )?;
    count(
        "acknowledgements",
        &|_, act| matches!(act, Act::Acknowledge { .. }),
        100,
    )
}

#[test]
fn nothing_a_node_acknowledged_is_lost_wherever_the_power_goes() {
    let lives = record().unwrap();
    let mut disk = Disk::holding(&lives.before);
    for operation in lives.recording.operations() {
        disk.play(operation, &lives.recording).unwrap();
    }
    assert_eq!(
        disk.cached().first_difference(&lives.after),
        None,
        "the recording explains every byte on the disk"
    );
    check_met(&lives.recording).unwrap();
    // As it was left; and with the store too broken to open, which must be filled again.
    for (wiped, usual) in [(None, PLACES), (Some("state"), PLACES_WIPED)] {
        let asks_all = std::env::var_os("POWER_CUT_ALL").is_some();
        let report = ask(
            &lives,
            &Question {
                cuts: if asks_all { ALL_PLACES } else { usual },
                left_out: None,
                wiped,
            },
        )
        .unwrap();
        eprintln!(
            "{wiped:?}: {} images, {} with acknowledgements",
            report.images, report.images_with_acks
        );
        assert!(
            report.images_with_acks > report.images / 2,
            "{}",
            report.images_with_acks
        );
        let broken = &report.broken;
        assert!(
            broken.is_empty(),
            "{} of {}, wiped {wiped:?}, first {:#?}",
            broken.len(),
            report.images,
            broken.first()
        );
    }
}

/// Images on which the program itself is started: each takes the time of an election.
const STARTS: usize = 5;

#[test]
fn the_program_starts_on_what_a_power_cut_left_and_goes_on() {
    let lives = record().unwrap();
    let folder = scratch().unwrap();
    let Lives {
        recording, before, ..
    } = &lives;
    let starter = Starter::new(&lives);
    let sweep = Sweep {
        scratch: folder.path(),
        before,
        cuts: Cuts::Some(STARTS),
        seed: 11,
        workers: 1,
        left_out: None,
        wiped: None,
        stops_when_broken: false,
        checker: |root: &Path, acks: &[Vec<u8>]| starter.check(root, acks),
    };
    let report = sweep.run(recording).unwrap();
    assert!(report.broken.is_empty(), "{:#?}", report.broken);
    assert!(report.images_with_acks > STARTS / 2);
}

/// Where a sync that was left out shows: at the syncs after it, and at what is acknowledged.
const EVERY_SYNC: Cuts = Cuts::Every {
    nth_write: usize::MAX,
    losses: 1,
};
/// The same with every kind of loss: a recording that ends soon after its only checkpoint has few such
/// places.
const EVERY_LOSS_AT_EVERY_SYNC: Cuts = Cuts::Every {
    nth_write: usize::MAX,
    losses: Loss::ALL.len(),
};

/// A sync, the name it is known by here, what is wiped so that its file is needed, and where it is cut.
const SYNCS: [(&str, LeftOut, Option<&str>, Cuts); 5] = [
    ("the log's segments", is_log, None, EVERY_SYNC),
    (
        "the log's checkpoint",
        |path| path == "wal/checkpoint.new",
        None,
        EVERY_LOSS_AT_EVERY_SYNC,
    ),
    ("the log's folder", |path| path == "wal", None, EVERY_SYNC),
    (
        "snapshots",
        |path| path.starts_with("snapshots/"),
        Some("state"),
        EVERY_SYNC,
    ),
    (
        "the snapshots' folder",
        |path| path == "snapshots",
        Some("state"),
        EVERY_SYNC,
    ),
];

#[test]
fn a_node_that_leaves_one_of_its_syncs_out_is_found_out() {
    let lives = record().unwrap();
    for (name, left_out, wiped, cuts) in SYNCS {
        let report = ask(
            &lives,
            &Question {
                cuts,
                left_out: Some(left_out),
                wiped,
            },
        );
        let report = report.unwrap();
        eprintln!(
            "{name}: {} images, {:?}",
            report.images,
            report.broken.first()
        );
        assert!(
            !report.broken.is_empty(),
            "without the sync of {name}, {} images are whole",
            report.images
        );
    }
}
