//! The store alone: nothing that was flushed is lost.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tongban_tests::power_cut::{
    Act, Cuts, Disk, Image, Recorder, Recording, Report, Sweep, ask_program,
};

use super::scratch;

const LOAD: &str = env!("CARGO_BIN_EXE_power_cut_load");
/// Lives of the loading process, so that cuts also meet recovery and what it writes.
const LIVES: usize = 3;
/// Of the large load, whose every life writes the same pages again.
const LARGE_LIVES: usize = 2;
/// The large load is recorded for what it writes to the engine between two syncs: more than one of its segments.
const UNSYNCED_BYTES_MIN: usize = SEGMENT_BYTES;
/// One of the engine's segments.
const SEGMENT_BYTES: usize = 1024 * 1024;
/// An image of the large load takes a hundred times the bytes of one of the small.
const LARGE_IMAGES_PART: usize = 12;

/// Images to check; `POWER_CUT_IMAGES` asks for more, for a night's run.
fn images() -> usize {
    let asked = std::env::var("POWER_CUT_IMAGES").ok();
    asked.and_then(|asked| asked.parse().ok()).unwrap_or(360)
}

struct Recorded {
    recording: Recording,
    real: Image,
}

/// A load as `power_cut_load` knows it.
#[derive(Clone, Copy)]
enum Load {
    Small,
    Large,
    Growing,
}

impl Load {
    fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Large => "large",
            Self::Growing => "growing",
        }
    }

    fn lives(self) -> usize {
        match self {
            Self::Small => LIVES,
            Self::Large => LARGE_LIVES,
            Self::Growing => 1,
        }
    }

    /// Where it is recorded and checked: what is large is not put into memory.
    fn folder(self) -> Result<TempDir> {
        match self {
            Self::Small => scratch(),
            Self::Large | Self::Growing => Ok(tempfile::tempdir()?),
        }
    }
}

fn record_the_store(load: Load, sync_left_out: Option<(&str, &str)>) -> Result<Recorded> {
    let recorder = Recorder::build()?;
    let folder = load.folder()?;
    let (root, log) = (folder.path().join("root"), folder.path().join("log"));
    std::fs::create_dir(&root)?;
    for life in 0..load.lives() {
        let mut command = Command::new(LOAD);
        command.args(["load", load.name()]).arg(&root);
        command.arg(life.to_string());
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

/// What a sweep came to, and how many of its images the store had marked as ones that a power cut may tear.
struct Swept {
    report: Report,
    marked: usize,
}

fn sweep(load: Load, recording: &Recording, images: usize) -> Result<Swept> {
    let marked = AtomicUsize::new(0);
    let folder = load.folder()?;
    let program = [LOAD, "check", load.name()];
    let sweep = Sweep {
        scratch: folder.path(),
        before: &Image::default(),
        cuts: Cuts::Some(images),
        seed: 7,
        workers: 2,
        left_out: None,
        wiped: None,
        stops_when_broken: false,
        checker: |root: &Path, acks: &[Vec<u8>]| {
            let is_marked = root.join("state/unsynced").exists();
            marked.fetch_add(usize::from(is_marked), Ordering::Relaxed);
            ask_program(&program, root, acks)
        },
    };
    let report = sweep.run(recording)?;
    Ok(Swept {
        report,
        marked: marked.into_inner(),
    })
}

/// The recording explains every byte on the disk.
fn check_explained(recorded: &Recorded) -> Result<()> {
    let mut disk = Disk::default();
    for operation in recorded.recording.operations() {
        disk.play(operation, &recorded.recording)?;
    }
    let difference = disk.cached().first_difference(&recorded.real);
    ensure!(difference.is_none(), "not recorded: {difference:?}");
    Ok(())
}

/// All images are sound; how many of them were marked.
fn check_all_sound(load: Load, recording: &Recording, images: usize) -> Result<usize> {
    let Swept { report, marked } = sweep(load, recording, images)?;
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
    Ok(marked)
}

#[test]
fn a_power_cut_loses_nothing_the_store_flushed() {
    let recorded = record_the_store(Load::Small, None).unwrap();
    check_explained(&recorded).unwrap();
    check_marked_in_time(&recorded.recording).unwrap();
    let is_index = |act: &Act| matches!(act, Act::Link { to } if to.starts_with("state/snap."));
    let operations = recorded.recording.operations().iter();
    let indexes = operations.filter(|one| is_index(&one.act)).count();
    // But for the first store of the first life, each start writes one.
    assert!(indexes > LIVES, "{indexes} openings on what was there");
    let marked = check_all_sound(Load::Small, &recorded.recording, images()).unwrap();
    assert!(
        marked < images() / 10,
        "{marked} marked: so little is hardly ever torn"
    );
}

/// Whether the store had left its mark, durably, whenever more than a segment was on its way to the engine's
/// file: what stands there without one is opened.
fn check_marked_in_time(recording: &Recording) -> Result<()> {
    let (mut written, mut durable, mut is_marked) = (0, 0, false);
    let mut syncs = HashMap::new();
    let is_empty = |bytes: &Range<usize>| recording.bytes(bytes).iter().all(|byte| *byte == 0);
    for operation in recording.operations() {
        match (operation.path.as_str(), &operation.act) {
            // As it opens, the engine fills with zeros what is free by an index that is durable.
            ("state/db", Act::Write { bytes, .. }) if is_empty(bytes) => {}
            ("state/db", Act::Write { bytes, .. }) => written += bytes.len(),
            ("state/db", Act::SyncBegan { call }) => drop(syncs.insert(*call, written)),
            ("state/db", Act::SyncDone { call }) => {
                durable = durable.max(syncs.remove(call).unwrap_or_default());
            }
            ("state/unsynced", Act::SyncDone { .. }) => is_marked = true,
            ("state/unsynced", Act::Remove) => is_marked = false,
            _ => {}
        }
        let unsynced = written - durable;
        ensure!(is_marked || unsynced <= SEGMENT_BYTES, "{unsynced} bytes");
    }
    Ok(())
}

/// The most that was written to the engine's file between two of its syncs.
fn most_unsynced_bytes(recording: &Recording) -> usize {
    let (mut most, mut unsynced) = (0, 0);
    let operations = recording.operations().iter();
    for operation in operations.filter(|operation| operation.path == "state/db") {
        match &operation.act {
            Act::Write { bytes, .. } => unsynced += bytes.len(),
            Act::SyncDone { .. } => unsynced = 0,
            _ => {}
        }
        most = most.max(unsynced);
    }
    most
}

/// A batch that brings so many pages that it goes over several segments. The engine may come back from that with pages of two
/// commits, once in some hundred images; the store opens none of it, and is filled again from snapshot and log.
#[test]
fn a_power_cut_in_a_layer_larger_than_the_engines_segments_leaves_whole_commits_or_nothing() {
    let recorded = record_the_store(Load::Large, None).unwrap();
    check_explained(&recorded).unwrap();
    check_marked_in_time(&recorded.recording).unwrap();
    let most = most_unsynced_bytes(&recorded.recording);
    assert!(most >= UNSYNCED_BYTES_MIN, "{most} bytes between two syncs");
    let images = images().div_ceil(LARGE_IMAGES_PART);
    let marked = check_all_sound(Load::Large, &recorded.recording, images).unwrap();
    let is_some = 0 < marked && marked < images;
    assert!(is_some, "{marked} of {images} were marked");
}

/// Far more than a segment is written without a flush, in layers that are each less: what was written is made durable
/// in between, so that none of it is ever marked, nor torn.
#[test]
fn a_power_cut_while_a_store_grows_leaves_whole_commits_and_no_mark() {
    let recorded = record_the_store(Load::Growing, None).unwrap();
    check_explained(&recorded).unwrap();
    check_marked_in_time(&recorded.recording).unwrap();
    let operations = recorded.recording.operations().iter();
    let written = operations.map(|operation| match &operation.act {
        Act::Write { bytes, .. } if operation.path == "state/db" => bytes.len(),
        _ => 0,
    });
    let written: usize = written.sum();
    assert!(written > SEGMENT_BYTES, "{written} bytes in all");
    let images = images().div_ceil(LARGE_IMAGES_PART);
    let swept = sweep(Load::Growing, &recorded.recording, images).unwrap();
    let broken = &swept.report.broken;
    assert!(broken.is_empty(), "first {:#?}", broken.first());
    assert_eq!(swept.marked, 0);
}

/// Cuts meet files of pages that are removed, because nothing is left of them.
#[test]
fn the_loads_have_files_of_pages_removed() {
    let recorded = record_the_store(Load::Small, None).unwrap();
    let operations = recorded.recording.operations().iter();
    let removed = operations.filter(|one| {
        let is_pages = one.path.starts_with("state/pages/");
        is_pages && matches!(one.act, Act::Remove)
    });
    let removed = removed.count();
    assert!(removed > LIVES, "{removed} files were removed");
}

/// The small load with the sync of pages left out, which comes before the engine is told of them.
#[test]
fn without_the_sync_of_pages_a_power_cut_loses_what_was_flushed() {
    let recorded = record_the_store(Load::Small, Some(("fdatasync", ".pages"))).unwrap();
    let swept = sweep(Load::Small, &recorded.recording, 60).unwrap();
    assert!(
        !swept.report.broken.is_empty(),
        "the sync is not needed, or the images are too kind"
    );
}

/// The small load with our own sync of the engine's file left out, which leaves the engine's flush: if
/// that passed, the tests above would prove nothing.
#[test]
fn without_our_own_sync_a_power_cut_loses_what_was_flushed() {
    let left_out = Some(("fdatasync", "state/db"));
    let recorded = record_the_store(Load::Small, left_out).unwrap();
    let swept = sweep(Load::Small, &recorded.recording, 60).unwrap();
    assert!(
        !swept.report.broken.is_empty(),
        "the sync is not needed, or the images are too kind"
    );
}
