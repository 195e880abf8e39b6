//! Opens a log after any end of the process or of the power.
//!
//! A segment is begun, and a file is removed or renamed, only after all before it is durable; one
//! batch at a time is unsynced. So the power may take, in part or whole: the last batch, the newest
//! segment while it has no batch, the newest checkpoint's name, the removal of the oldest segment.
//! Anything else that is missing or does not check was durable once: that is damage, and the log
//! is refused. Damage to the last batch of a log that was not closed cannot be told from a torn
//! write.

use std::collections::BTreeMap;

use openraft_rt::AsyncRuntime;
use tongban_runtime::seams::{Disk, DiskFile};

use crate::checkpoint;
use crate::config::WalConfig;
use crate::damage::Damage;
use crate::error::{DiskStep, OpenError};
use crate::files::{
    Active, CHECKPOINT, CHECKPOINT_ASIDE, FOLDER, begin_segment, draw_salt, segment_path,
};
use crate::format::{FIRST_BATCH, HeaderRead, SegmentHeader, is_zero, segment_sequence};
use crate::replay::Replay;
use crate::scan::{read_file, read_segment, replay_newest, replay_sealed};
use crate::state::{Segment, State};
use crate::tables::Tables;

/// A log ready to be appended to.
pub(crate) struct Recovered<F> {
    pub(crate) state: State<F>,
    pub(crate) tables: Tables,
    pub(crate) active: Active<F>,
}

/// Whether a log was ever begun on `disk`. Other files in its folder, as a file system just made puts
/// there, are none. A node that is known to have had a log must not take part under its old id without.
pub fn has_log<D: Disk>(disk: &D) -> Result<bool, OpenError> {
    Ok(!Listing::read(disk)?.sequences.is_empty())
}

/// Reads the log on `disk`, cuts what the power tore, and makes the rest durable.
pub(crate) async fn recover<R: AsyncRuntime, D: Disk>(
    disk: &D,
    config: &WalConfig,
) -> Result<Recovered<D::File>, OpenError> {
    let mut replay = Replay::default();
    let listing = Listing::read(disk)?;
    if listing.has_checkpoint_aside {
        disk.remove(CHECKPOINT_ASIDE)
            .map_err(OpenError::disk(DiskStep::Removing, CHECKPOINT_ASIDE))?;
    }
    let checkpoint_base = if listing.has_checkpoint {
        read_checkpoint(disk, &mut replay)?
    } else {
        0
    };
    let sequences = drop_unfinished(disk, &listing.sequences)?;
    check_sequences(&sequences, checkpoint_base)?;
    let mut segments = BTreeMap::new();
    let mut active = None;
    for (position, &sequence) in sequences.iter().enumerate() {
        let found = read_segment(disk, sequence)?;
        let next = sequences.get(position + 1);
        let end = match next {
            Some(&next) => replay_sealed(disk, &found, next, &mut replay)?,
            None => replay_newest(&found, &mut replay)?,
        };
        let capacity = found.bytes.len() as u64;
        let salt = found.header.salt;
        if next.is_none() {
            active = Some(Active {
                sequence,
                file: found.file.clone(),
                salt,
                capacity,
                end,
            });
        }
        let segment = Segment {
            file: found.file,
            salt,
            capacity,
            end,
            live_bytes: 0,
            last_death: 0,
        };
        segments.insert(sequence, segment);
    }
    let is_new = active.is_none();
    let active = match active {
        Some(active) => make_durable(disk, active).await?,
        None => begin_log::<R, D>(disk, config).await?,
    };
    let replayed = replay
        .finish()
        .map_err(|what| OpenError::damaged(&segment_path(active.sequence), 0, what))?;
    for (sequence, live_bytes) in replayed.live_bytes {
        if let Some(segment) = segments.get_mut(&sequence) {
            segment.live_bytes = live_bytes;
        }
    }
    let mut state = State::new(replayed.groups, segments, checkpoint_base);
    if is_new {
        state.begin_segment(&active);
    }
    Ok(Recovered {
        state,
        tables: replayed.tables,
        active,
    })
}

/// The files of the folder that are the log's.
struct Listing {
    /// Ascending.
    sequences: Vec<u64>,
    has_checkpoint: bool,
    has_checkpoint_aside: bool,
}

impl Listing {
    fn read<D: Disk>(disk: &D) -> Result<Self, OpenError> {
        let names = disk
            .list(FOLDER)
            .map_err(OpenError::disk(DiskStep::Listing, FOLDER))?;
        let bare = |name: &String| name.rsplit('/').next().unwrap_or_default().to_owned();
        let names: Vec<String> = names.iter().map(bare).collect();
        let has = |path: &str| names.iter().any(|name| path.ends_with(&format!("/{name}")));
        let mut sequences: Vec<u64> = names
            .iter()
            .filter_map(|name| segment_sequence(name))
            .collect();
        sequences.sort_unstable();
        Ok(Self {
            sequences,
            has_checkpoint: has(CHECKPOINT),
            has_checkpoint_aside: has(CHECKPOINT_ASIDE),
        })
    }
}

fn read_checkpoint<D: Disk>(disk: &D, replay: &mut Replay) -> Result<u64, OpenError> {
    let file = disk
        .open(CHECKPOINT)
        .map_err(OpenError::disk(DiskStep::Opening, CHECKPOINT))?;
    checkpoint::read(&file, |record| {
        replay
            .accept(record, None)
            .map_err(|what| OpenError::damaged(CHECKPOINT, 0, what))
    })
}

/// Removes the newest segment if the power went while it was being begun: nothing was in it yet.
/// Its header is synced before its first batch, so bytes behind a broken header mean damage; and
/// it is begun only while the one before it is there.
fn drop_unfinished<D: Disk>(disk: &D, sequences: &[u64]) -> Result<Vec<u64>, OpenError> {
    let mut kept = sequences.to_vec();
    let Some(&newest) = sequences.last() else {
        return Ok(kept);
    };
    let path = segment_path(newest);
    let (_, bytes) = read_file(disk, &path)?;
    if SegmentHeader::decode(&bytes) != HeaderRead::Invalid {
        return Ok(kept);
    }
    let is_empty = bytes.get(FIRST_BATCH..).is_none_or(is_zero);
    if !is_empty || (sequences.len() == 1 && newest != 1) {
        return Err(OpenError::damaged(&path, 0, Damage::HeaderCheck));
    }
    disk.remove(&path)
        .map_err(OpenError::disk(DiskStep::Removing, &path))?;
    kept.pop();
    Ok(kept)
}

/// Segments go only from the old end, and only when a checkpoint holds what was in them.
fn check_sequences(sequences: &[u64], checkpoint_base: u64) -> Result<(), OpenError> {
    let missing = |sequence, what| Err(OpenError::damaged(&segment_path(sequence), 0, what));
    if sequences.first() == Some(&0) {
        return missing(0, Damage::SegmentZero);
    }
    for pair in sequences.windows(2) {
        if pair[1] != pair[0] + 1 {
            return missing(pair[0] + 1, Damage::SegmentMissing);
        }
    }
    match (sequences.first(), sequences.last()) {
        (Some(&first), _) if first > checkpoint_base.max(1) => {
            missing(first - 1, Damage::SegmentOrCheckpointMissing)
        }
        (_, Some(&last)) if last < checkpoint_base => {
            missing(checkpoint_base, Damage::SegmentMissing)
        }
        (_, None) if checkpoint_base > 0 => missing(checkpoint_base, Damage::SegmentMissing),
        _ => Ok(()),
    }
}

/// What was read may so far be in the page cache alone: after this it is durable.
async fn make_durable<D: Disk>(
    disk: &D,
    active: Active<D::File>,
) -> Result<Active<D::File>, OpenError> {
    let path = segment_path(active.sequence);
    active
        .file
        .sync()
        .await
        .map_err(OpenError::disk(DiskStep::Syncing, &path))?;
    disk.sync_folder(FOLDER)
        .await
        .map_err(OpenError::disk(DiskStep::Syncing, FOLDER))?;
    Ok(active)
}

async fn begin_log<R: AsyncRuntime, D: Disk>(
    disk: &D,
    config: &WalConfig,
) -> Result<Active<D::File>, OpenError> {
    let header = SegmentHeader {
        sequence: 1,
        previous_end: 0,
        salt: draw_salt::<R>(),
    };
    disk.sync_folder(FOLDER)
        .await
        .map_err(OpenError::disk(DiskStep::Syncing, FOLDER))?;
    begin_segment(disk, config, header, 0)
        .await
        .map_err(OpenError::disk(DiskStep::Beginning, &segment_path(1)))
}
