//! The power goes at every write and sync of random work: nothing acknowledged is lost, nothing
//! truncated comes back, and the log always opens. A disk that breaks one promise is found out,
//! which shows that the test would find a missing sync.

use crate::common::disk::Lie;
use crate::common::run::{Files, Run};
use tongban_wal::WalMetrics;

/// Every kind of step is cut many times in these, and they are few enough for every check of a
/// change. Seed 8 found entries that were purged while they were being written, whose segment
/// went before the purge was durable.
const SEEDS: u64 = 9;

/// Three logs one behind the other, each begun from what a power cut left of the one before; in
/// each the process is killed twice.
fn lives(seed: u64, lie: Lie) -> Result<Vec<WalMetrics>, String> {
    let mut files = Files::new();
    let mut metrics = Vec::new();
    for generation in 0..3 {
        let mut run = Run::new(files, seed * 31 + generation, lie);
        for _ in 0..3 {
            run.live(30)?;
        }
        files = run.check_every_cut()?;
        metrics.extend(run.metrics);
    }
    Ok(metrics)
}

#[test]
fn nothing_acknowledged_is_lost_wherever_the_power_goes() {
    let mut all = Vec::new();
    for seed in 0..SEEDS {
        match lives(seed, Lie::None) {
            Ok(metrics) => all.extend(metrics),
            Err(error) => panic!("seed {seed}: {error}"),
        }
    }
    let total = |count: fn(&WalMetrics) -> u64| all.iter().map(count).sum::<u64>();
    assert!(
        total(|one| one.segments_begun) > 20 * SEEDS,
        "rotation was not met"
    );
    assert!(
        total(|one| one.segments_removed) > SEEDS,
        "removal was not met"
    );
    assert!(
        total(|one| one.checkpoints) > SEEDS,
        "checkpoints were not met"
    );
    assert!(total(|one| one.entries_moved) > SEEDS, "moving was not met");
}

#[test]
fn a_log_without_the_sync_of_its_segments_is_found_out() {
    assert!((0..3).any(|seed| lives(seed, Lie::SegmentSync).is_err()));
}

#[test]
fn a_log_without_the_sync_of_its_folder_is_found_out() {
    assert!((0..3).any(|seed| lives(seed, Lie::FolderSync).is_err()));
}

#[test]
fn a_log_without_the_sync_of_its_checkpoint_is_found_out() {
    assert!((0..3).any(|seed| lives(seed, Lie::CheckpointSync).is_err()));
}
