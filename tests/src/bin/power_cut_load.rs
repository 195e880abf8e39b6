//! The store of applied state under a power cut, from both sides: `load KIND FOLDER LIFE` commits,
//! clears and flushes in two groups at once and acknowledges what was flushed; `check KIND FOLDER ACKS`
//! says whether a folder left by a power cut holds all of it, each commit whole. Of the kind `small` a
//! layer is a part of one of the engine's segments, of the kind `large` more than one, and of the kind `growing` many
//! layers together are.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::thread::{self, Thread};

use anyhow::{Context, Result, bail, ensure};
use tongban_runtime::seams::{StateStore, Write, WriteSet};
use tongban_store::limits::VALUE_BYTES_MAX;
use tongban_store::{Bounds, Opened, SledStore};
use tongban_tests::power_cut::{AckLog, Dice, read_acks};
use tongban_types::{CityCode, GroupId};

/// Small, so that pages are read back from the file.
const CACHE_BYTES: u64 = 1024 * 1024;
/// Fuzhou and Weinan.
const CITIES: [u32; 2] = [350_100, 610_500];
/// Kinds of marks.
const FLUSHED: u8 = 0;
const CLEARING: u8 = 1;
/// Stores opened one after the other in one life, so that cuts also meet a start after an orderly stop.
const STORES_PER_LIFE: u64 = 2;
/// Keys of a large load: once their pages are as small as pages become, to touch them all is more than the engine's
/// segments take.
const LARGE_KEYS: usize = 20_000;
const LARGE_BYTES: usize = 1_000;
/// New pages of a step of a growing load, each with one value.
const GROWING_PAGES: u64 = 40;
const GROWING_BYTES: usize = 15 * 1024;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["load", kind, folder, life] => load(kind.parse()?, &store_in(folder), life.parse()?),
        ["check", kind, folder, acks] => check(kind.parse()?, &store_in(folder), Path::new(acks)),
        _ => bail!("load small|large|growing FOLDER LIFE | check small|large|growing FOLDER ACKS"),
    }
}

/// The store lies in a folder of its own below the recorded one.
fn store_in(folder: &str) -> PathBuf {
    Path::new(folder).join("state")
}

// ---- what is done, known to both sides ----

/// How much is committed between two flushes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Small,
    Large,
    Growing,
}

impl FromStr for Kind {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "small" => Ok(Self::Small),
            "large" => Ok(Self::Large),
            "growing" => Ok(Self::Growing),
            other => bail!("no load is called {other}"),
        }
    }
}

impl Kind {
    /// Steps of one group in one life of the process.
    fn steps_per_life(self) -> u64 {
        match self {
            Self::Small => 70,
            Self::Large => 8,
            Self::Growing => 30,
        }
    }

    /// So small that the engine is opened anew in a life and files of pages are compacted, and cuts meet that too.
    fn bounds(self) -> Bounds {
        let (log_bytes_max, page_file_bytes_max) = match self {
            Self::Small => (12 * 1024, 96 * 1024),
            Self::Large | Self::Growing => (1024 * 1024, 4 * 1024 * 1024),
        };
        Bounds {
            log_bytes_max,
            page_file_bytes_max,
            ..Bounds::with_cache(CACHE_BYTES)
        }
    }

    /// Whether a step is flushed before the last one of a store is.
    fn is_flushed(self, number: u64, dice: &mut Dice) -> bool {
        match self {
            Self::Small => dice.once_in(3),
            Self::Large => number.is_multiple_of(4),
            Self::Growing => false,
        }
    }

    /// What a group does at a step: the same whoever asks.
    fn step(self, city: u32, number: u64) -> Step {
        let mut dice = Dice::new(u64::from(city) << 32 | number);
        match self {
            Self::Small => small_step(number, &mut dice),
            Self::Large => large_step(city == CITIES[0], number, &mut dice),
            Self::Growing => growing_step(number, &mut dice),
        }
    }
}

enum Step {
    Commit(WriteSet),
    Clear,
}

type Pairs = BTreeMap<Vec<u8>, Vec<u8>>;

fn group(city: u32) -> Result<GroupId> {
    Ok(GroupId(CityCode::new(city)?))
}

fn small_step(number: u64, dice: &mut Dice) -> Step {
    if number % 25 == 24 {
        return Step::Clear;
    }
    let writes = 1 + dice.below(8);
    Step::Commit((0..writes).map(|_| write(dice, 90)).collect())
}

/// One group fills its pages and then touches them, each time twice as many places, so that each page is written
/// again for little and cut in two, and at last all of them in one batch. The other commits what sinks
/// without a flush.
fn large_step(is_first: bool, number: u64, dice: &mut Dice) -> Step {
    match (is_first, number % 8) {
        (true, 0) => Step::Commit(fill(0..LARGE_KEYS, LARGE_BYTES, dice)),
        (true, turn) => Step::Commit(touch(1 << (5 - turn.min(5)), dice)),
        (false, 6) if number > 8 => Step::Clear,
        (false, turn) => {
            let from = usize::try_from(turn).expect("below eight") * 500;
            Step::Commit(fill(from..from + 1_000, LARGE_BYTES, dice))
        }
    }
}

/// Fills pages that are all new, one after the other, under keys that are long and begin alike: what adds most to the
/// engine's log for its bytes.
fn growing_step(number: u64, dice: &mut Dice) -> Step {
    let of_step = |at: u64| {
        let key = format!("{}/{:08}", "long".repeat(6), number * GROWING_PAGES + at);
        (key.into_bytes(), Write::Put(value(GROWING_BYTES, dice)))
    };
    Step::Commit((0..GROWING_PAGES).map(of_step).collect())
}

fn fill(keys: Range<usize>, bytes: usize, dice: &mut Dice) -> WriteSet {
    keys.map(|number| (key(number), Write::Put(value(bytes, dice))))
        .collect()
}

/// Writes something small beside one key of so many.
fn touch(one_of: usize, dice: &mut Dice) -> WriteSet {
    let beside = |number| [key(number), b"/touched".to_vec()].concat();
    (0..LARGE_KEYS)
        .step_by(one_of)
        .map(|number| (beside(number), Write::Put(value(8, dice))))
        .collect()
}

fn write(dice: &mut Dice, keys: usize) -> (Vec<u8>, Write) {
    let key = key(dice.below(keys));
    if dice.once_in(5) {
        return (key, Write::Delete);
    }
    let bytes = match dice.below(20) {
        0 => VALUE_BYTES_MAX,
        1..=3 => 1_000 + dice.below(6_000),
        _ => dice.below(900),
    };
    (key, Write::Put(value(bytes, dice)))
}

fn key(number: usize) -> Vec<u8> {
    format!("case/{number:05}").into_bytes()
}

fn value(bytes: usize, dice: &mut Dice) -> Vec<u8> {
    let mut value = dice.roll().to_le_bytes().repeat(bytes.div_ceil(8));
    value.truncate(bytes);
    value
}

fn play(step: Step, pairs: &mut Pairs) {
    match step {
        Step::Clear => pairs.clear(),
        Step::Commit(writes) => {
            for (key, write) in writes {
                match write {
                    Write::Put(value) => pairs.insert(key, value),
                    Write::Delete => pairs.remove(&key),
                };
            }
        }
    }
}

// ---- the load ----

fn load(kind: Kind, folder: &Path, life: u64) -> Result<()> {
    let acks = Mutex::new(AckLog::of_this_process()?.context("nobody records this process")?);
    let (first, end) = (
        life * kind.steps_per_life(),
        (life + 1) * kind.steps_per_life(),
    );
    let steps = kind.steps_per_life() / STORES_PER_LIFE;
    for from in (first..end).step_by(usize::try_from(steps)?) {
        let (store, opened) = SledStore::open(folder, kind.bounds())?;
        let expected = if from == 0 {
            Opened::Fresh
        } else {
            Opened::Existing
        };
        ensure!(opened == expected, "at step {from} it opened {opened:?}");
        let until = end.min(from + steps);
        load_groups(kind, &store, from..until, &acks)?;
        if until == end && life.is_multiple_of(2) {
            // As a killed process: nothing is closed. The next life finds what the kernel was given.
            std::process::exit(0);
        }
    }
    Ok(())
}

fn load_groups(
    kind: Kind,
    store: &SledStore,
    steps: Range<u64>,
    acks: &Mutex<AckLog>,
) -> Result<()> {
    thread::scope(|scope| {
        let threads = CITIES.map(|city| {
            let steps = steps.clone();
            scope.spawn(move || load_group(kind, store, city, steps, acks))
        });
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().expect("a load does not panic"))
    })
}

fn load_group(
    kind: Kind,
    store: &SledStore,
    city: u32,
    steps: Range<u64>,
    acks: &Mutex<AckLog>,
) -> Result<()> {
    let group = group(city)?;
    let mut dice = Dice::new(steps.start ^ u64::from(city));
    let last = steps.end - 1;
    for number in steps {
        match kind.step(city, number) {
            Step::Commit(writes) => store.commit(group, &writes, &number.to_be_bytes())?,
            Step::Clear => {
                mark(acks, CLEARING, city, number)?;
                store.clear(group)?;
            }
        }
        if number == last || kind.is_flushed(number, &mut dice) {
            block_on(store.flush())?;
            mark(acks, FLUSHED, city, number)?;
        }
    }
    Ok(())
}

/// A mark: what, of which group, at which step.
fn mark(acks: &Mutex<AckLog>, what: u8, city: u32, number: u64) -> Result<()> {
    let mark = [
        [what].as_slice(),
        &city.to_be_bytes(),
        &number.to_be_bytes(),
    ]
    .concat();
    acks.lock().expect("a load does not panic").mark(&mark)
}

// ---- the check ----

/// What is known of a group from the marks before the cut.
#[derive(Clone, Copy, Debug, Default)]
struct Marked {
    /// The last step that must be there.
    flushed: Option<u64>,
    /// The last step at which the group was, or was about to be, cleared.
    clearing: Option<u64>,
}

/// What the store opens holds all that was flushed, each commit whole. Where its mark says that so much was on
/// its way to the disk that it may be torn, it opens nothing at all: half a commit nobody could tell from a whole one.
fn check(kind: Kind, folder: &Path, acks: &Path) -> Result<()> {
    let marked = read_marks(acks)?;
    let may_be_torn = folder.join("unsynced").exists();
    let (store, opened) = SledStore::open(folder, kind.bounds())?;
    let is_flushed = marked.values().any(|marked| marked.flushed.is_some());
    match &opened {
        Opened::Refilled { .. } if may_be_torn || !is_flushed => check_empty(&store)?,
        Opened::Fresh if !is_flushed => check_empty(&store)?,
        Opened::Existing => check_groups(kind, &store, &marked)?,
        _ => bail!("after {marked:?} it opened {opened:?}"),
    }
    go_on(&store)
}

fn check_empty(store: &SledStore) -> Result<()> {
    for city in CITIES {
        let group = group(city)?;
        let found = store.scan(group, &[], &[0xff], usize::MAX)?;
        ensure!(found.is_empty() && store.position(group)?.is_none());
    }
    Ok(())
}

/// What was recovered can be gone on with.
fn go_on(store: &SledStore) -> Result<()> {
    let group = group(CITIES[0])?;
    let writes = WriteSet::from([(b"after".to_vec(), Write::Put(b"the cut".to_vec()))]);
    store.commit(group, &writes, b"next")?;
    block_on(store.flush())?;
    ensure!(store.get(group, b"after")?.as_deref() == Some(&b"the cut"[..]));
    Ok(())
}

fn read_marks(acks: &Path) -> Result<BTreeMap<u32, Marked>> {
    let mut marks: BTreeMap<u32, Marked> = BTreeMap::new();
    for ack in read_acks(acks)? {
        let (what, rest) = ack.split_first().context("an empty mark")?;
        let (city, number) = rest.split_at_checked(4).context("a mark is too short")?;
        let number = u64::from_be_bytes(number.try_into()?);
        let marked = marks
            .entry(u32::from_be_bytes(city.try_into()?))
            .or_default();
        match *what {
            FLUSHED => marked.flushed = Some(number),
            CLEARING => marked.clearing = Some(number),
            other => bail!("a mark of kind {other}"),
        }
    }
    Ok(marks)
}

fn check_groups(kind: Kind, store: &SledStore, marked: &BTreeMap<u32, Marked>) -> Result<()> {
    for city in CITIES {
        let marked = marked.get(&city).copied().unwrap_or_default();
        check_group(kind, store, city, marked)
            .with_context(|| format!("group {city}, {marked:?}"))?;
    }
    Ok(())
}

fn check_group(kind: Kind, store: &SledStore, city: u32, marked: Marked) -> Result<()> {
    let group = group(city)?;
    let found: Pairs = store
        .scan(group, &[], &[0xff], usize::MAX)?
        .into_iter()
        .collect();
    let Some(position) = store.position(group)? else {
        return check_cleared(&found, marked);
    };
    let position = u64::from_be_bytes(position.as_slice().try_into()?);
    ensure!(
        Some(position) >= marked.flushed,
        "lost: it stands at {position}"
    );
    let mut expected = Pairs::new();
    (0..=position).for_each(|number| play(kind.step(city, number), &mut expected));
    let differ = |key: &&Vec<u8>| found.get(*key) != expected.get(*key);
    if let Some(key) = found.keys().chain(expected.keys()).find(differ) {
        bail!(
            "at {position}, {} is not what that commit left",
            String::from_utf8_lossy(key)
        );
    }
    Ok(())
}

/// Without a position the group is empty, and what was flushed was cleared since.
fn check_cleared(found: &Pairs, marked: Marked) -> Result<()> {
    ensure!(
        found.is_empty(),
        "half a group: {} pairs and no position",
        found.len()
    );
    ensure!(
        marked.flushed.is_none() || marked.clearing >= marked.flushed,
        "lost: nothing is there"
    );
    Ok(())
}

fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut TaskContext::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
