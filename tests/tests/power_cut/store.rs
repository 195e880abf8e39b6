//! The store alone: nothing that was flushed is lost.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tongban_tests::power_cut::{
    Act, Cuts, Disk, Image, Recorder, Recording, Report, Sweep, ask_program,
};

use super::scratch;

const LOAD: &str = env!("CARGO_BIN_EXE_power_cut_load");
/// Lives of the loading process, so that cuts also meet recovery and what it writes.
const LIVES: usize = 3;

/// Images to check; `POWER_CUT_IMAGES` asks for more, for a night's run.
fn images() -> usize {
    let asked = std::env::var("POWER_CUT_IMAGES").ok();
    asked.and_then(|asked| asked.parse().ok()).unwrap_or(360)
}

struct Recorded {
    recording: Recording,
    real: Image,
}

fn record_the_store(sync_left_out: Option<(&str, &str)>) -> Result<Recorded> {
    let recorder = Recorder::build()?;
    let folder = scratch()?;
    let (root, log) = (folder.path().join("root"), folder.path().join("log"));
    std::fs::create_dir(&root)?;
    for life in 0..LIVES {
        let mut command = Command::new(LOAD);
        command.arg("load").arg(&root).arg(life.to_string());
        recorder.put_under(&mut command, &root, &log)?;
        if let Some((call, name)) = sync_left_out {
            Recorder::leave_out(&mut command, call, name);
        }
        let output = command.output().context("the load does not start")?;
        ensure!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(Recorded {
        recording: Recording::read(&log)?,
        real: Image::read_from(&root)?,
    })
}

fn sweep(recording: &Recording, images: usize) -> Result<Report> {
    let folder = scratch()?;
    let sweep = Sweep {
        scratch: folder.path(),
        before: &Image::default(),
        cuts: Cuts::Some(images),
        seed: 7,
        workers: 2,
        left_out: None,
        wiped: None,
        stops_when_broken: false,
        checker: |root: &Path, acks: &[Vec<u8>]| ask_program(&[LOAD, "check"], root, acks),
    };
    sweep.run(recording)
}

#[test]
fn a_power_cut_loses_nothing_the_store_flushed() {
    let recorded = record_the_store(None).unwrap();
    let mut disk = Disk::default();
    for operation in recorded.recording.operations() {
        disk.play(operation, &recorded.recording).unwrap();
    }
    assert_eq!(
        disk.cached().first_difference(&recorded.real),
        None,
        "the recording explains every byte on the disk"
    );
    let is_index = |act: &Act| matches!(act, Act::Link { to } if to.starts_with("state/snap."));
    let operations = recorded.recording.operations().iter();
    let indexes = operations.filter(|one| is_index(&one.act)).count();
    // But for the first store of the first life, each start writes one.
    assert!(indexes > LIVES, "{indexes} openings on what was there");
    let images = images();
    let report = sweep(&recorded.recording, images).unwrap();
    assert_eq!(report.images, images);
    assert!(
        report.images_with_acks > images / 2,
        "{} with acks",
        report.images_with_acks
    );
    let broken = &report.broken;
    assert!(
        broken.is_empty(),
        "{} of {images}, first {:#?}",
        broken.len(),
        broken.first()
    );
}

/// The same with our own sync of the engine's file left out, which leaves the engine's flush: if
/// that passed, the test above would prove nothing.
#[test]
fn without_our_own_sync_a_power_cut_loses_what_was_flushed() {
    let recorded = record_the_store(Some(("fdatasync", "state/db"))).unwrap();
    let report = sweep(&recorded.recording, 60).unwrap();
    assert!(
        !report.broken.is_empty(),
        "the sync is not needed, or the images are too kind"
    );
}
