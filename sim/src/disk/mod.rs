//! The disk of one machine, as weak as its contract allows: reads see every write, a crash keeps
//! what was synced and a drawn part of the rest.

mod file;
mod image;
mod inode;
mod names;

use std::collections::BTreeMap;
use std::io;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use tongban_runtime::seams::Disk;

pub use file::SimFile;

use self::inode::Inode;
use self::names::Names;
use crate::runtime::{Chance, Dice, Owner, Sleep, World, lock};

/// How a disk behaves. May be changed while it runs.
#[derive(Clone, Debug)]
pub struct DiskOptions {
    /// How long a sync takes.
    pub sync: RangeInclusive<Duration>,
    /// How often a sync is slow instead.
    pub slow: Chance,
    /// How long a slow sync takes.
    pub slow_sync: RangeInclusive<Duration>,
    /// The planted fault: a sync answers at once and the device finishes it later.
    pub answer_before_sync: bool,
}

impl Default for DiskOptions {
    fn default() -> Self {
        Self {
            sync: Duration::from_micros(500)..=Duration::from_millis(8),
            slow: Chance::NEVER,
            slow_sync: Duration::from_millis(100)..=Duration::from_millis(800),
            answer_before_sync: false,
        }
    }
}

/// How often each fault was really hit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskFaults {
    /// Crashes of files that lost every unsynced operation.
    pub lost_all: u64,
    /// Crashes of files that kept the first unsynced operations and lost the last.
    pub kept_prefix: u64,
    /// Crashes of files that lost sectors and operations here and there.
    pub lost_sectors: u64,
    /// Crashes of files that cut an operation off in its middle.
    pub torn: u64,
    /// Crashes of files that lost nothing although something was unsynced.
    pub kept_all: u64,
    /// Crashes that lost creations, renames or removals.
    pub names_lost: u64,
    /// Slow syncs.
    pub slow_syncs: u64,
    /// Syncs answered while data was not yet durable.
    pub answered_before_sync: u64,
    /// Operations refused because the device was broken.
    pub device_errors: u64,
}

/// Names one file of a disk for ever, whatever it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct FileId(u64);

#[derive(Debug)]
struct State {
    owner: Owner,
    names: Names,
    files: BTreeMap<FileId, Inode>,
    files_made: u64,
    /// Operations so far: a sync covers those before it.
    operations: u64,
    /// Starts of the machine: handles of earlier ones do nothing.
    start: u64,
    is_broken: bool,
    options: DiskOptions,
    dice: Dice,
    faults: DiskFaults,
}

/// A handle to a machine's disk. The disk outlives the crashes of its machine, a handle does not.
#[derive(Clone, Debug)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
    start: u64,
}

impl SimDisk {
    /// The empty disk of a machine.
    pub fn new(owner: Owner, options: DiskOptions) -> Self {
        let state = State {
            owner,
            names: Names::default(),
            files: BTreeMap::new(),
            files_made: 0,
            operations: 0,
            start: 1,
            is_broken: false,
            options,
            dice: World::dice("disk", u64::from(owner.number())),
            faults: DiskFaults::default(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            start: 1,
        }
    }

    /// A handle for the machine's current start.
    #[must_use]
    pub fn mount(&self) -> Self {
        Self {
            state: Arc::clone(&self.state),
            start: lock(&self.state).start,
        }
    }

    /// The machine is switched off: what was not synced is kept or lost by the draw, and handles of
    /// this start fail from now on. A broken device works again.
    pub fn crash(&self) {
        let mut state = lock(&self.state);
        let state = &mut *state;
        for inode in state.files.values_mut() {
            inode.crash(&mut state.dice, &mut state.faults);
        }
        state.names.crash(&mut state.dice, &mut state.faults);
        state.start += 1;
        state.is_broken = false;
        let named = state.names.named();
        state.files.retain(|id, _| named.contains(id));
    }

    /// Everything is gone, as after a replaced device.
    pub fn wipe(&self) {
        let mut state = lock(&self.state);
        state.names = Names::default();
        state.files.clear();
        state.start += 1;
    }

    /// From now until the next crash writes and syncs fail.
    pub fn break_device(&self) {
        lock(&self.state).is_broken = true;
    }

    /// Whether writes and syncs fail.
    pub fn is_broken(&self) -> bool {
        lock(&self.state).is_broken
    }

    /// Unsynced operations on files and names: when there are some, a crash may lose something.
    pub fn pending(&self) -> usize {
        let state = lock(&self.state);
        let writes: usize = state.files.values().map(Inode::pending).sum();
        writes + state.names.pending()
    }

    /// How often each fault was hit so far.
    pub fn faults(&self) -> DiskFaults {
        lock(&self.state).faults
    }

    /// Changes how the disk behaves from now on.
    pub fn configure(&self, change: impl FnOnce(&mut DiskOptions)) {
        change(&mut lock(&self.state).options);
    }

    /// Waits for the device, then does `make_durable` with the number of the last operation that
    /// came before. Where the fault is planted, the answer does not wait.
    async fn sync(
        &self,
        is_pending: impl Fn(&State) -> bool + Send,
        make_durable: impl FnOnce(&mut State, u64) + Send + 'static,
    ) -> io::Result<()> {
        let (takes, covered, answers_early) = {
            let mut state = self.writable()?;
            let has_pending = is_pending(&state);
            let takes = state.draw_sync();
            let answers_early = state.options.answer_before_sync && has_pending;
            state.faults.answered_before_sync += u64::from(answers_early);
            (takes, state.operations, answers_early)
        };
        if answers_early {
            let disk = self.clone();
            World::after(takes, move || {
                // Switched off meanwhile: the crash has decided what is left.
                if let Ok(mut state) = disk.running() {
                    make_durable(&mut state, covered);
                }
            });
            return Ok(());
        }
        Sleep::true_time(takes).await;
        make_durable(&mut *self.writable()?, covered);
        Ok(())
    }

    fn running(&self) -> io::Result<std::sync::MutexGuard<'_, State>> {
        let state = lock(&self.state);
        if state.start != self.start {
            return Err(io::Error::other(format!(
                "{} was switched off: this handle is of start {}, not {}",
                state.owner, self.start, state.start
            )));
        }
        Ok(state)
    }

    fn writable(&self) -> io::Result<std::sync::MutexGuard<'_, State>> {
        let mut state = self.running()?;
        if state.is_broken {
            state.faults.device_errors += 1;
            return Err(io::Error::other(format!(
                "the disk of {} is broken",
                state.owner
            )));
        }
        Ok(state)
    }
}

impl State {
    fn draw_sync(&mut self) -> Duration {
        if self.dice.happens(self.options.slow) {
            self.faults.slow_syncs += 1;
            return self.dice.within(&self.options.slow_sync);
        }
        self.dice.within(&self.options.sync)
    }

    fn next_operation(&mut self) -> u64 {
        self.operations += 1;
        self.operations
    }

    fn file(&mut self, id: FileId) -> &mut Inode {
        self.files
            .get_mut(&id)
            .expect("a file with an open handle of this start is kept")
    }

    /// Forgets files that no name, handle or pending change can reach.
    fn collect(&mut self) {
        let named = self.names.named();
        self.files
            .retain(|id, inode| named.contains(id) || inode.is_open());
    }
}

impl Disk for SimDisk {
    type File = SimFile;

    fn open(&self, name: &str) -> io::Result<SimFile> {
        let mut state = self.running()?;
        let id = state.names.find(name)?;
        let handle = state.file(id).open();
        Ok(SimFile::new(self.clone(), id, handle))
    }

    fn create(&self, name: &str) -> io::Result<SimFile> {
        let mut state = self.writable()?;
        let operation = state.next_operation();
        let id = FileId(state.files_made + 1);
        state.names.create(operation, name, id)?;
        state.files_made += 1;
        let (inode, handle) = Inode::opened();
        state.files.insert(id, inode);
        Ok(SimFile::new(self.clone(), id, handle))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.writable()?;
        let operation = state.next_operation();
        state.names.rename(operation, from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.writable()?;
        let operation = state.next_operation();
        state.names.remove(operation, name)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        Ok(self.running()?.names.list(folder))
    }

    async fn sync_folder(&self, folder: &str) -> io::Result<()> {
        let (asked, synced) = (folder.to_owned(), folder.to_owned());
        self.sync(
            move |state| state.names.pending_in(&asked) > 0,
            move |state, covered| {
                state.names.sync(&synced, covered);
                state.collect();
            },
        )
        .await
    }
}

/// What keeps a file without a name alive.
type OpenHandle = Arc<()>;
type OpenHandles = Weak<()>;

#[cfg(test)]
mod tests;
