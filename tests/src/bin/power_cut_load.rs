//! The store of applied state under a power cut, from both sides: `load FOLDER LIFE` commits,
//! clears and flushes in two groups at once and acknowledges what was flushed; `check FOLDER ACKS`
//! says whether a folder left by a power cut holds all of it, each commit whole.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::thread::{self, Thread};

use anyhow::{Context, Result, bail, ensure};
use tongban_runtime::seams::{StateStore, Write, WriteSet};
use tongban_store::limits::VALUE_BYTES_MAX;
use tongban_store::{Opened, SledStore};
use tongban_tests::power_cut::{AckLog, Dice, read_acks};
use tongban_types::{CityCode, GroupId};

/// Small, so that pages are read back from the file.
const CACHE_BYTES: u64 = 1024 * 1024;
/// So small that the engine is opened anew several times in a life, and cuts meet that too.
const LOG_BYTES_MAX: u64 = 2 * 1024 * 1024;
/// Fuzhou and Weinan.
const CITIES: [u32; 2] = [350_100, 610_500];
/// Kinds of marks.
const FLUSHED: u8 = 0;
const CLEARING: u8 = 1;
/// Steps of one group in one life of the process.
const STEPS_PER_LIFE: u64 = 70;
/// Stores opened one after the other in one life, so that cuts also meet a start after an orderly stop.
const STORES_PER_LIFE: u64 = 2;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["load", folder, life] => load(&store_in(folder), life.parse()?),
        ["check", folder, acks] => check(&store_in(folder), Path::new(acks)),
        _ => bail!("load FOLDER LIFE | check FOLDER ACKS"),
    }
}

/// The store lies in a folder of its own below the recorded one.
fn store_in(folder: &str) -> PathBuf {
    Path::new(folder).join("state")
}

// ---- what is done, known to both sides ----

enum Step {
    Commit(WriteSet),
    Clear,
}

type Pairs = BTreeMap<Vec<u8>, Vec<u8>>;

fn group(city: u32) -> Result<GroupId> {
    Ok(GroupId(CityCode::new(city)?))
}

/// What a group does at a step: the same whoever asks.
fn step(city: u32, number: u64) -> Step {
    let mut dice = Dice::new(u64::from(city) << 32 | number);
    if number % 25 == 24 {
        return Step::Clear;
    }
    let writes = 1 + dice.below(8);
    Step::Commit((0..writes).map(|_| write(&mut dice)).collect())
}

fn write(dice: &mut Dice) -> (Vec<u8>, Write) {
    let key = format!("case/{:03}", dice.below(90)).into_bytes();
    if dice.once_in(5) {
        return (key, Write::Delete);
    }
    let bytes = match dice.below(20) {
        0 => VALUE_BYTES_MAX,
        1..=3 => 1_000 + dice.below(6_000),
        _ => dice.below(900),
    };
    let mut value = dice.roll().to_le_bytes().repeat(bytes.div_ceil(8));
    value.truncate(bytes);
    (key, Write::Put(value))
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

fn load(folder: &Path, life: u64) -> Result<()> {
    let acks = Mutex::new(AckLog::of_this_process()?.context("nobody records this process")?);
    let (first, end) = (life * STEPS_PER_LIFE, (life + 1) * STEPS_PER_LIFE);
    let steps = usize::try_from(STEPS_PER_LIFE / STORES_PER_LIFE)?;
    for from in (first..end).step_by(steps) {
        let (store, opened) = SledStore::open_bounded(folder, CACHE_BYTES, LOG_BYTES_MAX)?;
        let expected = if from == 0 {
            Opened::Fresh
        } else {
            Opened::Existing
        };
        ensure!(opened == expected, "at step {from} it opened {opened:?}");
        let until = end.min(from + STEPS_PER_LIFE / STORES_PER_LIFE);
        load_groups(&store, from..until, &acks)?;
        if until == end && life.is_multiple_of(2) {
            // As a killed process: nothing is closed. The next life finds what the kernel was given.
            std::process::exit(0);
        }
    }
    Ok(())
}

fn load_groups(store: &SledStore, steps: Range<u64>, acks: &Mutex<AckLog>) -> Result<()> {
    thread::scope(|scope| {
        let threads = CITIES.map(|city| {
            let steps = steps.clone();
            scope.spawn(move || load_group(store, city, steps, acks))
        });
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().expect("a load does not panic"))
    })
}

fn load_group(store: &SledStore, city: u32, steps: Range<u64>, acks: &Mutex<AckLog>) -> Result<()> {
    let group = group(city)?;
    let mut dice = Dice::new(steps.start ^ u64::from(city));
    let last = steps.end - 1;
    for number in steps {
        match step(city, number) {
            Step::Commit(writes) => store.commit(group, &writes, &number.to_be_bytes())?,
            Step::Clear => {
                mark(acks, CLEARING, city, number)?;
                store.clear(group)?;
            }
        }
        if number == last || dice.once_in(3) {
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

fn check(folder: &Path, acks: &Path) -> Result<()> {
    let marked = read_marks(acks)?;
    let (store, opened) = SledStore::open(folder, CACHE_BYTES)?;
    if marked.values().any(|marked| marked.flushed.is_some()) {
        ensure!(
            opened == Opened::Existing,
            "after {marked:?} it opened {opened:?}"
        );
    }
    for city in CITIES {
        let marked = marked.get(&city).copied().unwrap_or_default();
        check_group(&store, city, marked).with_context(|| format!("group {city}, {marked:?}"))?;
    }
    // What was recovered can be gone on with.
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

fn check_group(store: &SledStore, city: u32, marked: Marked) -> Result<()> {
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
    (0..=position).for_each(|number| play(step(city, number), &mut expected));
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
