//! Lives of one log on one disk: random work, ended by a kill of the process, and the check that a
//! power cut at any step of it leaves what it must.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use bytes::Bytes;
use tongban_runtime::ports::{LocalLog, LocalWrite, LogFailed};
use tongban_types::GroupId;
use tongban_wal::{LogEntry, Wal, WalConfig, WalMetrics};

use super::disk::{Lie, MemoryDisk};
use super::image::{Image, Loss};
use super::model::{GroupModel, Model, Step, TABLES};
use super::random::Random;
use super::{TestWal, block_on, group, small};

/// The files of a disk.
pub type Files = BTreeMap<String, Vec<u8>>;

type Acks = Arc<Mutex<Vec<(usize, usize)>>>;
type Durable<'a> = Pin<Box<dyn Future<Output = Result<(), LogFailed>> + Send + 'a>>;

/// From one opening of the log to the next.
#[derive(Debug)]
struct Era {
    /// The step of the disk at which it was open.
    opened: usize,
    /// What the log should hold after each record; first, what it held when it was opened.
    states: Vec<Model>,
    /// How many records were known durable, and at which step of the disk.
    acks: Acks,
}

/// Lives of one log on one disk.
#[derive(Debug)]
pub struct Run {
    before: Files,
    disk: MemoryDisk,
    eras: Vec<Era>,
    random: Random,
    /// What the logs counted, one life each.
    pub metrics: Vec<WalMetrics>,
}

/// No waiting for room, so that records are queued in the order in which they are asked for.
fn unbounded_queue() -> WalConfig {
    WalConfig {
        queue_bytes: usize::MAX,
        queue_records: usize::MAX,
        ..small()
    }
}

impl Run {
    pub fn new(before: Files, seed: u64, lie: Lie) -> Self {
        Self {
            disk: MemoryDisk::new(before.clone(), seed, lie),
            before,
            eras: Vec::new(),
            random: Random(seed),
            metrics: Vec::new(),
        }
    }

    /// Opens the log, works, and kills the process. What was read at the opening must follow from
    /// the life before.
    pub fn live(&mut self, operations: usize) -> Result<(), String> {
        let disk = self.disk.clone();
        let random = &mut self.random;
        let (era, metrics) = block_on(async {
            let wal = Wal::open(disk.clone(), unbounded_queue()).await;
            let wal = wal.map_err(|error| error.to_string())?;
            let worker = Worker {
                model: Model::of(&wal)?,
                acks: Acks::default(),
                opened: disk.steps(),
                wal,
                disk,
                random,
            };
            worker.work(operations).await
        })?;
        if let Some(last) = self.eras.last() {
            let acked = last.acked(usize::MAX);
            if !last.states[acked..].contains(&era.states[0]) {
                return Err("after a kill the log does not hold what it must".to_owned());
            }
        }
        self.eras.push(era);
        self.metrics.push(metrics);
        Ok(())
    }

    /// Cuts the power at every step and opens what is left; returns one of the images.
    pub fn check_every_cut(&mut self) -> Result<Files, String> {
        let journal = self.disk.journal();
        let mut image = Image::new(&self.before);
        let mut kept = self.before.clone();
        for step in 0..=journal.len() {
            for loss in [
                Loss::All,
                Loss::Nothing,
                Loss::First,
                Loss::Some,
                Loss::Some,
            ] {
                let files = image.cut(loss, &mut self.random);
                self.check_cut(&files, step)
                    .map_err(|error| format!("cut at step {step}, losing {loss:?}: {error}"))?;
                if self.random.one_in(64) {
                    kept = files;
                }
            }
            if let Some(change) = journal.get(step) {
                image.take(change);
            }
        }
        Ok(kept)
    }

    fn check_cut(&self, files: &Files, step: usize) -> Result<(), String> {
        let (found, committed) = read(files)?;
        let opened = self.eras.iter().rposition(|era| era.opened <= step);
        let Some(era) = opened.map(|position| &self.eras[position]) else {
            // The first opening was under way: the log is as it was.
            let expected = self.eras.first().map(|era| era.states[0].clone());
            return match expected {
                Some(expected) if expected != found => Err("opening changed the log".to_owned()),
                _ => Ok(()),
            };
        };
        let acked = era.acked(step);
        let Some(position) = era.states[acked..].iter().position(|state| *state == found) else {
            return Err(format!(
                "what is left is none of the states from {acked} of {} on",
                era.states.len()
            ));
        };
        for (group, index) in committed {
            let next = era.states[acked + position]
                .groups
                .get(&group)
                .map(GroupModel::next);
            if next.is_none_or(|next| index >= next) {
                return Err(format!(
                    "{group} is committed to {index}, which is not there"
                ));
            }
        }
        Ok(())
    }
}

impl Era {
    /// How many records were known durable at a step.
    fn acked(&self, step: usize) -> usize {
        let acks = self
            .acks
            .lock()
            .expect("no test panics while it acknowledges");
        let known = acks.iter().filter(|(_, at)| *at <= step);
        known.map(|(records, _)| *records).max().unwrap_or(0)
    }
}

/// Opens a log on these files, which must work, and reads it whole.
fn read(files: &Files) -> Result<(Model, Vec<(GroupId, u64)>), String> {
    let disk = MemoryDisk::new(files.clone(), 0, Lie::None);
    block_on(async {
        let wal: TestWal = Wal::open(disk, unbounded_queue())
            .await
            .map_err(|error| error.to_string())?;
        let committed = |id| Some((id, as_index(&wal.committed(id)?)));
        let committed = wal.groups().into_iter().filter_map(committed).collect();
        Ok((Model::of(&wal)?, committed))
    })
}

fn as_index(bytes: &Bytes) -> u64 {
    u64::from_le_bytes(
        bytes
            .as_ref()
            .try_into()
            .expect("the tests save eight bytes"),
    )
}

/// Random work on an open log.
struct Worker<'a> {
    wal: TestWal,
    disk: MemoryDisk,
    opened: usize,
    model: Model,
    acks: Acks,
    random: &'a mut Random,
}

impl Worker<'_> {
    async fn work(mut self, operations: usize) -> Result<(Era, WalMetrics), String> {
        let mut states = vec![self.model.clone().trimmed()];
        let mut committed = BTreeMap::new();
        for (id, model) in &self.model.groups {
            committed.insert(*id, model.next() - 1);
        }
        for _ in 0..operations {
            let steps = self.operation(&mut committed, states.len()).await?;
            for step in steps {
                self.model.take(&step);
                states.push(self.model.clone().trimmed());
            }
            for _ in 0..self.random.below(4) {
                tokio::task::yield_now().await;
            }
            if self.random.one_in(8) {
                self.everything_is_readable()?;
            }
        }
        if self.random.one_in(2) {
            self.wal.flush().await.map_err(|error| error.to_string())?;
        }
        let era = Era {
            opened: self.opened,
            states,
            acks: self.acks,
        };
        Ok((era, self.wal.metrics()))
    }

    /// Entries and purged marks can be read before they are durable.
    fn everything_is_readable(&self) -> Result<(), String> {
        let found = Model::of(&self.wal)?;
        for (id, expected) in &self.model.groups {
            let found = found.groups.get(id).cloned().unwrap_or_default();
            if (&found.entries, &found.purged) != (&expected.entries, &expected.purged) {
                return Err(format!("{id} does not read as it was written"));
            }
        }
        Ok(())
    }

    async fn operation(
        &mut self,
        committed: &mut BTreeMap<GroupId, u64>,
        queued: usize,
    ) -> Result<Vec<Step>, String> {
        let id = group(u32::try_from(self.random.below(5) / 4).expect("it is 0 or 1"));
        let next = self.model.groups.get(&id).map_or(1, GroupModel::next);
        let fixed = committed.entry(id).or_insert(0);
        match self.random.below(16) {
            0 if next > *fixed + 1 => {
                let kept = *fixed + self.random.below(next - 1 - *fixed);
                let last = (kept > 0).then_some(kept);
                let wal = self.wal.clone();
                self.durably(
                    Box::pin(async move { wal.truncate_after(id, last).await }),
                    queued,
                )
                .await;
                Ok(vec![Step::Truncate(id, last)])
            }
            1 | 2 => {
                // Now and then beyond the last entry, as an installed snapshot does.
                let beyond = if self.random.one_in(6) { 5 } else { 0 };
                let upto = (next - 1 + beyond).saturating_sub(self.random.below(3));
                let before = self
                    .model
                    .groups
                    .get(&id)
                    .and_then(|group| group.purged.as_ref());
                if upto == 0 || before.is_some_and(|(before, _)| *before >= upto) {
                    return Ok(Vec::new());
                }
                *fixed = (*fixed).max(upto);
                let meta = self.bytes(20);
                self.wal
                    .purge(id, upto, meta.clone())
                    .await
                    .map_err(|error| error.to_string())?;
                Ok(vec![Step::Purge(id, upto, meta)])
            }
            3 | 4 => {
                let vote = self.bytes(16);
                let (wal, bytes) = (self.wal.clone(), vote.clone());
                self.durably(
                    Box::pin(async move { wal.save_vote(id, bytes).await }),
                    queued,
                )
                .await;
                Ok(vec![Step::Vote(id, vote)])
            }
            5..=7 => {
                let writes = self.local_writes();
                let (wal, cloned) = (self.wal.clone(), writes.clone());
                self.durably(Box::pin(async move { wal.write(cloned).await }), queued)
                    .await;
                Ok(vec![Step::Local(writes)])
            }
            8 if next > 1 => {
                *fixed = next - 1;
                let bytes = Bytes::copy_from_slice(&fixed.to_le_bytes());
                self.wal
                    .save_committed(id, bytes)
                    .map_err(|error| error.to_string())?;
                Ok(Vec::new())
            }
            _ => self.append(id, next, queued).await,
        }
    }

    async fn append(&mut self, id: GroupId, next: u64, queued: usize) -> Result<Vec<Step>, String> {
        let mut entries = Vec::new();
        for index in next..=next + self.random.below(5) {
            let length = [40, 300, 900][self.random.index(3)];
            let (term, bytes) = (queued as u64, self.bytes(length));
            entries.push(LogEntry { index, term, bytes });
        }
        let records = queued - 1 + entries.len();
        let (acks, disk) = (Arc::clone(&self.acks), self.disk.clone());
        let done = Box::new(move |outcome: Result<(), LogFailed>| {
            if outcome.is_ok() {
                acknowledge(&acks, records, &disk);
            }
        });
        let appended = self.wal.append(id, entries.clone(), done).await;
        appended.map_err(|error| error.to_string())?;
        Ok(entries
            .into_iter()
            .map(|entry| Step::Entry(id, entry))
            .collect())
    }

    /// Queues a record and goes on; notes when it is durable.
    async fn durably(&mut self, mut durable: Durable<'static>, queued: usize) {
        let begun = poll_fn(|context| Poll::Ready(durable.as_mut().poll(context))).await;
        assert!(begun.is_pending(), "nothing is durable at once");
        let (acks, disk) = (Arc::clone(&self.acks), self.disk.clone());
        tokio::spawn(async move {
            if durable.await.is_ok() {
                acknowledge(&acks, queued, &disk);
            }
        });
    }

    fn local_writes(&mut self) -> Vec<LocalWrite> {
        let count = 1 + self.random.below(3);
        let mut writes = Vec::new();
        for _ in 0..count {
            let length = self.random.below(200);
            let value = self.bytes(length).to_vec();
            writes.push(LocalWrite {
                table: TABLES[self.random.index(2)],
                key: vec![self.random.byte() % 12],
                value: (!self.random.one_in(4)).then_some(value),
            });
        }
        writes
    }

    fn bytes(&mut self, length: u64) -> Bytes {
        (0..length).map(|_| self.random.byte()).collect()
    }
}

fn acknowledge(acks: &Acks, records: usize, disk: &MemoryDisk) {
    let mut acks = acks.lock().expect("no test panics while it acknowledges");
    acks.push((records, disk.steps()));
}
