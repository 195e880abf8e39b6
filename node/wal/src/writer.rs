//! The one task that writes: takes everything that waits, puts it down in one write, syncs once,
//! and completes it in order. While it syncs, the next batch gathers: the slower the disk, the
//! larger the batches; and for a moment after that where many wait.

use std::io;
use std::marker::PhantomData;
use std::sync::Arc;

use bytes::Bytes;
use openraft_rt::AsyncRuntime;
use tongban_runtime::ports::LogFailed;
use tongban_runtime::seams::{Disk, DiskFile};

use crate::files::{Active, begin_segment, draw_salt};
use crate::format::{BATCH_ALIGNMENT, BatchWriter, Extent, Record, SegmentHeader, decode_changes};
use crate::housekeeping;
use crate::index::{Place, Purged};
use crate::shared::Shared;
use crate::state::{Pending, Segment, State, Taken};

/// Owns the newest segment.
pub(crate) struct Writer<R, D: Disk> {
    shared: Arc<Shared<D>>,
    active: Active<D::File>,
    batch: BatchWriter,
    /// What is being written: fails with the log, however the task ends.
    in_flight: Taken,
    runtime: PhantomData<fn() -> R>,
}

impl<R: AsyncRuntime + Send + Sync, D: Disk> Writer<R, D> {
    pub(crate) fn new(shared: Arc<Shared<D>>, active: Active<D::File>) -> Self {
        Self {
            shared,
            active,
            batch: BatchWriter::default(),
            in_flight: Taken::default(),
            runtime: PhantomData,
        }
    }

    /// Runs until all handles are gone or the disk fails.
    pub(crate) async fn run(mut self) {
        while let Some(taken) = self.shared.take().await {
            self.in_flight = taken;
            let has_records = self.in_flight.records().next().is_some();
            let written = if has_records {
                self.write().await
            } else {
                Ok(Vec::new())
            };
            match written {
                Ok(places) => {
                    self.complete(&places);
                    gather::<R, D>(&self.shared).await;
                }
                Err(error) => {
                    tracing::error!(%error, "the log of this node cannot be written and stops");
                    self.fail(format!("writing segment {}: {error}", self.active.sequence));
                    return;
                }
            }
        }
        // A log that failed is not closed: whoever opens it must look at its end with doubt.
        if self.shared.lock().failed().is_some() {
            return;
        }
        let reason = match self.write_last_mark().await {
            Ok(()) => {
                let mut state = self.shared.lock();
                state.closed = state.failed().is_none();
                "the log is closed".to_owned()
            }
            Err(error) => format!("closing segment {}: {error}", self.active.sequence),
        };
        self.fail(reason);
    }

    /// Writes and syncs what is in flight and returns where each record lies.
    async fn write(&mut self) -> io::Result<Vec<Extent>> {
        let size = BatchWriter::size(self.in_flight.bytes) as u64;
        if self.active.end + size > self.active.capacity {
            self.rotate().await?;
        }
        self.batch.begin(self.active.end, self.active.salt);
        let batch = &mut self.batch;
        let places = self
            .in_flight
            .records()
            .map(|record| batch.push(record))
            .collect();
        self.put_down().await?;
        Ok(places)
    }

    async fn put_down(&mut self) -> io::Result<()> {
        // Every batch before this one was synced before this one began.
        let durable = self.active.end;
        let bytes = self.batch.finish(self.active.sequence, durable);
        self.active.file.write_at(self.active.end, bytes)?;
        let length = bytes.len() as u64;
        self.active.file.sync().await?;
        self.active.end += length;
        let counters = &self.shared.counters;
        counters.syncs.add(1);
        counters.batches.add(1);
        counters.bytes.add(length);
        Ok(())
    }

    /// Begins the next segment. Everything in this one is synced, which the next one's header says:
    /// from then on this one must be whole.
    async fn rotate(&mut self) -> io::Result<()> {
        let header = SegmentHeader {
            sequence: self.active.sequence + 1,
            previous_end: self.active.end,
            salt: draw_salt::<R>(),
        };
        let shared = &self.shared;
        let bytes = self.in_flight.bytes;
        self.active = begin_segment(&shared.disk, &shared.config, header, bytes).await?;
        shared.counters.segments_begun.add(1);
        shared.lock().begin_segment(&self.active);
        Ok(())
    }

    /// Makes what was in flight count: places, marks, local records; then answers, in order.
    fn complete(&mut self, places: &[Extent]) {
        let taken = std::mem::take(&mut self.in_flight);
        self.shared.counters.records.add(places.len() as u64);
        self.show_local_records(&taken);
        let housekeeping = {
            let mut state = self.shared.lock();
            state.settle(&taken, places, &self.active);
            let State { cache, groups, .. } = &mut *state;
            cache.shrink(groups, self.shared.config.cache_bytes);
            housekeeping::claim(&mut state, &self.shared.tables)
        };
        for done in taken.waiting.into_iter().filter_map(|one| one.done) {
            done(Ok(()));
        }
        if housekeeping {
            drop(R::spawn(housekeeping::run::<R, D>(Arc::clone(
                &self.shared,
            ))));
        }
    }

    fn show_local_records(&self, taken: &Taken) {
        let mut changes = taken
            .records()
            .filter_map(|record| match record {
                Record::Local { changes } => decode_changes(changes),
                _ => None,
            })
            .flatten()
            .peekable();
        if changes.peek().is_some() {
            let mut tables = self.shared.tables_mut();
            changes.for_each(|change| tables.apply(change));
        }
    }

    /// Says in an empty batch that all before it was durable, so that damage to the last batch is
    /// told from a torn write when the log is opened again. It stands at the far end of the
    /// segment, in no sector that holds records, and is cleared at the next opening.
    async fn write_last_mark(&mut self) -> io::Result<()> {
        let size = BatchWriter::size(0) as u64;
        let active = &self.active;
        let offset =
            active.capacity.saturating_sub(size) / BATCH_ALIGNMENT as u64 * BATCH_ALIGNMENT as u64;
        if offset < active.end {
            return Ok(());
        }
        self.batch.begin(offset, active.salt);
        let mark = self.batch.finish(active.sequence, active.end);
        active.file.write_at(offset, mark)?;
        active.file.sync().await
    }

    fn fail(&mut self, reason: String) {
        let in_flight = std::mem::take(&mut self.in_flight).waiting;
        self.shared.fail(LogFailed { reason }, in_flight);
    }
}

/// Lets more come where many wait: all that is written together shares one sync.
async fn gather<R: AsyncRuntime, D: Disk>(shared: &Shared<D>) {
    let time = shared.config.crowd_time;
    if !time.is_zero() && shared.is_crowded() {
        R::sleep(time).await;
    }
}

/// However the task ends, nobody waits for ever.
impl<R, D: Disk> Drop for Writer<R, D> {
    fn drop(&mut self) {
        let in_flight = std::mem::take(&mut self.in_flight).waiting;
        let reason = "the task that writes the log has ended".to_owned();
        self.shared.fail(LogFailed { reason }, in_flight);
    }
}

impl<F: Clone> State<F> {
    pub(crate) fn begin_segment(&mut self, active: &Active<F>) {
        let segment = Segment {
            file: active.file.clone(),
            salt: active.salt,
            capacity: active.capacity,
            end: active.end,
            live_bytes: 0,
            last_death: 0,
        };
        self.segments.insert(active.sequence, segment);
    }

    /// A batch is durable: `places` are those of its records in order.
    fn settle(&mut self, taken: &Taken, places: &[Extent], active: &Active<F>) {
        let mut places = places.iter().map(|extent| Place {
            segment: active.sequence,
            extent: *extent,
        });
        for pending in &taken.waiting {
            if let Some(place) = pending.record.as_ref().and_then(|_| places.next()) {
                self.settle_record(pending, place);
            }
            self.durable_id = pending.id;
        }
        if let Some(segment) = self.segments.get_mut(&active.sequence) {
            segment.end = active.end;
        }
    }

    fn settle_record(&mut self, pending: &Pending, place: Place) {
        match &pending.record {
            Some(Record::Entry { group, index, .. }) => {
                let log = self.groups.get_mut(group);
                let slot = log.and_then(|log| log.slot_mut(*index));
                if let Some(slot) = slot.filter(|slot| slot.id == pending.id) {
                    slot.place = Some(place);
                    let bytes = slot.bytes.as_ref().map_or(0, Bytes::len);
                    self.cache.add(*group, *index, pending.id, bytes);
                    self.place(place);
                } else {
                    self.note_unborn(place);
                }
            }
            Some(Record::Moved { group, index, .. }) => {
                let log = self.groups.get_mut(group);
                let slot = log.and_then(|log| log.slot_mut(*index));
                if let Some(slot) = slot.filter(|slot| slot.id == pending.slot)
                    && let Some(before) = slot.place.replace(place)
                {
                    self.place(place);
                    self.unplace(before, pending.id);
                }
            }
            Some(mark) => self.settle_mark(mark),
            None => {}
        }
    }

    fn settle_mark(&mut self, record: &Record) {
        match record {
            Record::Vote { group, bytes } => {
                self.groups.entry(*group).or_default().durable.vote = Some(bytes.clone());
            }
            Record::Committed { group, bytes } => self.settle_committed(*group, bytes.clone()),
            Record::Purge { group, upto, meta } => {
                self.groups.entry(*group).or_default().durable.purged = Some(Purged {
                    upto: *upto,
                    meta: meta.clone(),
                });
            }
            Record::Entry { .. }
            | Record::Moved { .. }
            | Record::Truncate { .. }
            | Record::Local { .. }
            | Record::End { .. } => {}
        }
    }

    /// An entry was taken away again while it was being written, by a record that may still be
    /// queued: until that is durable the entry is needed, as any that was taken away.
    fn note_unborn(&mut self, place: Place) {
        let newest = self.newest_id();
        if let Some(segment) = self.segments.get_mut(&place.segment) {
            segment.last_death = segment.last_death.max(newest);
        }
    }

    fn place(&mut self, place: Place) {
        if let Some(segment) = self.segments.get_mut(&place.segment) {
            segment.live_bytes += u64::from(place.extent.length);
        }
    }
}
