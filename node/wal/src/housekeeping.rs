//! Gives disk space back. The oldest segment goes when no entry in it is needed and a checkpoint
//! holds what else was in it; segments go only from the old end, so that a truncation never goes
//! before what it truncated. Three steps, each of which leaves a log that opens if the power goes:
//!
//! * *move*: the few live entries of quiet groups in an old segment are appended again;
//! * *checkpoint*: local records and marks of groups are written aside, synced, renamed;
//! * *remove*: the oldest file, then a sync of the folder, so that the files that are left have
//!   consecutive numbers whatever the power cut loses.

use std::io;
use std::sync::{Arc, RwLock};

use bytes::Bytes;
use openraft_rt::{AsyncRuntime, Oneshot, OneshotSender};
use tongban_runtime::ports::LogFailed;
use tongban_runtime::seams::Disk;
use tongban_types::GroupId;

use crate::checkpoint;
use crate::config::{CHUNK_BYTES, GARBAGE_FACTOR, SEGMENTS_KEPT_MIN};
use crate::files::{FOLDER, draw_salt, segment_path};
use crate::format::Record;
use crate::index::{Marks, Place};
use crate::reading::{Stored, read_stored};
use crate::shared::Shared;
use crate::state::State;
use crate::tables::Tables;

/// The next thing to do.
enum Step {
    Remove {
        segment: u64,
    },
    Checkpoint {
        base: u64,
        marks: Vec<(GroupId, Marks)>,
    },
    Move {
        segment: u64,
    },
}

/// Whether a task has to be started; if so it is counted as running.
pub(crate) fn claim<F>(state: &mut State<F>, tables: &RwLock<Tables>) -> bool {
    if state.housekeeping || next_step(state, tables).is_none() {
        return false;
    }
    state.housekeeping = true;
    true
}

/// Counts its task as ended however that ends, also by a panic: another can be started then. A log
/// that believed it was being tidied would grow without a word.
struct Running<'a, D: Disk> {
    shared: &'a Shared<D>,
    is_counted: bool,
}

impl<D: Disk> Drop for Running<'_, D> {
    fn drop(&mut self) {
        if self.is_counted {
            self.shared.lock().housekeeping = false;
        }
    }
}

/// Works until nothing is left to do.
pub(crate) async fn run<R: AsyncRuntime + Send + Sync, D: Disk>(shared: Arc<Shared<D>>) {
    let mut running = Running {
        shared: &shared,
        is_counted: true,
    };
    loop {
        let step = {
            let mut state = shared.lock();
            let step = if state.usable().is_ok() && !state.is_closing() {
                next_step(&state, &shared.tables)
            } else {
                None
            };
            // At once, with what was seen: from here on the next task may be counted.
            state.housekeeping = step.is_some();
            running.is_counted = step.is_some();
            step
        };
        let outcome = match step {
            None => return,
            Some(Step::Remove { segment }) => remove(&shared, segment).await,
            Some(Step::Checkpoint { base, marks }) => {
                write_checkpoint::<R, D>(&shared, base, marks).await
            }
            Some(Step::Move { segment }) => match move_entries::<R, D>(&shared, segment).await {
                Ok(Ok(())) => Ok(()),
                // The log stopped or closed meanwhile, and says so itself.
                Ok(Err(_)) => return,
                Err(error) => Err(error),
            },
        };
        if let Err(error) = outcome {
            tracing::error!(%error, "the log of this node cannot be tidied and stops");
            let reason = format!("tidying the log: {error}");
            shared.fail(LogFailed { reason }, Vec::new());
            return;
        }
    }
}

fn next_step<F>(state: &State<F>, tables: &RwLock<Tables>) -> Option<Step> {
    let (&oldest, segment) = state.segments.first_key_value()?;
    let (&active, _) = state.segments.last_key_value()?;
    if oldest == active {
        return None;
    }
    if segment.live_bytes > 0 {
        let sealed = state.segments.len() as u64 - 1;
        let bytes: u64 = state.segments.values().map(|one| one.capacity).sum();
        let live: u64 = state.segments.values().map(|one| one.live_bytes).sum();
        let worth_it = sealed > SEGMENTS_KEPT_MIN && bytes > GARBAGE_FACTOR * live;
        return worth_it.then_some(Step::Move { segment: oldest });
    }
    if segment.last_death > state.durable_id {
        return None;
    }
    if oldest < state.checkpoint_base {
        return Some(Step::Remove { segment: oldest });
    }
    let dead = state.segments.range(..active);
    let dead_bytes: u64 = dead
        .take_while(|(_, one)| one.live_bytes == 0)
        .map(|(_, one)| one.capacity)
        .sum();
    let local_bytes = tables.read().map_or(0, |tables| tables.bytes());
    // A checkpoint costs as much as it holds: it waits until as much comes free.
    (dead_bytes >= local_bytes).then(|| Step::Checkpoint {
        base: active,
        marks: durable_marks(state),
    })
}

fn durable_marks<F>(state: &State<F>) -> Vec<(GroupId, Marks)> {
    let groups = state.groups.iter();
    groups
        .map(|(group, log)| (*group, log.durable.clone()))
        .collect()
}

async fn remove<D: Disk>(shared: &Shared<D>, segment: u64) -> io::Result<()> {
    shared.lock().segments.remove(&segment);
    shared.disk.remove(&segment_path(segment))?;
    shared.disk.sync_folder(FOLDER).await?;
    shared.counters.segments_removed.add(1);
    Ok(())
}

/// Segments before `base` are sealed, so that all their local records are in the tables; those
/// that change while the tables are walked are in `base` or later and are replayed over this.
async fn write_checkpoint<R: AsyncRuntime, D: Disk>(
    shared: &Shared<D>,
    base: u64,
    marks: Vec<(GroupId, Marks)>,
) -> io::Result<()> {
    let salt = draw_salt::<R>();
    checkpoint::write(&shared.disk, &shared.tables, base, salt, marks).await?;
    shared.counters.checkpoints.add(1);
    shared.lock().checkpoint_base = base;
    Ok(())
}

/// A live entry to be written again.
struct Moving {
    group: GroupId,
    index: u64,
    term: u64,
    slot: u64,
    place: Place,
}

/// Appends the live entries of a segment again, a chunk at a time, and waits until they are
/// durable.
async fn move_entries<R: AsyncRuntime, D: Disk>(
    shared: &Shared<D>,
    segment: u64,
) -> io::Result<Result<(), LogFailed>> {
    loop {
        let chunk = next_chunk(&shared.lock(), segment);
        if chunk.is_empty() {
            return Ok(Ok(()));
        }
        let mut read = Vec::with_capacity(chunk.len());
        for (moving, stored) in chunk {
            let bytes = read_stored(&stored, moving.group, moving.index, moving.term)?;
            read.push((moving, bytes));
        }
        if let Err(failed) = shared.room().await {
            return Ok(Err(failed));
        }
        let (sender, durable) = R::Oneshot::channel();
        if let Err(failed) = enqueue_moved(shared, read, sender) {
            return Ok(Err(failed));
        }
        match durable.await {
            Ok(Ok(())) => {}
            Ok(Err(failed)) => return Ok(Err(failed)),
            Err(error) => {
                let reason = error.to_string();
                return Ok(Err(LogFailed { reason }));
            }
        }
    }
}

fn next_chunk<F: Clone>(state: &State<F>, segment: u64) -> Vec<(Moving, Stored<F>)> {
    let mut chunk = Vec::new();
    let mut bytes = 0;
    let Some(holder) = state.segments.get(&segment) else {
        return chunk;
    };
    for (&group, log) in &state.groups {
        for (index, slot) in log.range(0, u64::MAX) {
            let Some(place) = slot.place.filter(|place| place.segment == segment) else {
                continue;
            };
            let stored = Stored {
                file: holder.file.clone(),
                salt: holder.salt,
                extent: place.extent,
            };
            let moving = Moving {
                group,
                index,
                term: slot.term,
                slot: slot.id,
                place,
            };
            chunk.push((moving, stored));
            bytes += place.extent.length as usize;
            if bytes >= CHUNK_BYTES {
                return chunk;
            }
        }
    }
    chunk
}

/// Queues those that are still where they were. From here on the order of the queue is the truth:
/// whatever takes an entry away later is written behind its move.
fn enqueue_moved<D: Disk, S>(
    shared: &Shared<D>,
    read: Vec<(Moving, Bytes)>,
    durable: S,
) -> Result<(), LogFailed>
where
    S: OneshotSender<Result<(), LogFailed>> + Send + 'static,
{
    let mut state = shared.lock();
    state.usable()?;
    for (moving, bytes) in read {
        let Moving {
            group, index, term, ..
        } = moving;
        let slot = state.groups.get(&group).and_then(|log| log.slot(index));
        if !slot.is_some_and(|slot| slot.id == moving.slot && slot.place == Some(moving.place)) {
            continue;
        }
        let record = Record::Moved {
            group,
            index,
            term,
            bytes,
        };
        state.enqueue(Some(record), moving.slot, None);
        shared.counters.entries_moved.add(1);
    }
    let done = Box::new(move |outcome| {
        // The other end is only gone when the task is.
        let _gone = durable.send(outcome);
    });
    state.enqueue(None, 0, Some(done));
    Ok(())
}
