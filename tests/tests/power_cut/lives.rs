//! The recorded run: a real node, log and store together, that takes applications in through three
//! lives. It is one of three voters of its city's group and the third never runs, so that what the
//! group commits is durable at this node too.

use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tongban_tests::city::{City, DISTRICT};
use tongban_tests::client::{Answer, Ask, Client};
use tongban_tests::forms::{Applicant, migration};
use tongban_tests::power_cut::{AckLog, Image, Recorder, Recording};
use tongban_tests::process::until;

use super::scratch;

/// The recorded machine, and the one that makes a majority with it.
pub(crate) const RECORDED: usize = 0;
pub(crate) const PARTNER: usize = 1;

/// Small, so that segments, checkpoints and snapshots are begun, named and removed in one run.
const SMALL: &str = "[replication]\nsnapshot_every_entries = 25\nsegment_kib = 64\n";

/// Records after which a life ends as by `kill -9`, counted from when the group takes applications
/// in: what a node writes until then depends on how busy the machine is.
const FIRST_LIFE: u64 = 1_100;
const SECOND_LIFE: u64 = 700;
/// Applications while the partner is away, and in the last life, which ends in good order.
const AT_THE_DESK: usize = 6;
const IN_THE_LAST_LIFE: usize = 40;
/// Segments that are to be gone by then. A node on a fast machine takes everything in before it tidies up;
/// it is given that much again, and not for ever.
const SEGMENTS_GONE: u64 = 2;
const TURNS_MAX: usize = 20;
/// More than any life takes in.
const UNTIL_IT_DIES: usize = 5_000;
/// A group that was just begun takes applications in within seconds.
const TAKEN_LIMIT: Duration = Duration::from_secs(30);
/// People who hand in at once.
const WINDOWS: usize = 2;

/// An acknowledgement: the case number and what its form, and no other, says.
#[derive(Clone, Debug)]
pub(crate) struct Receipt {
    pub(crate) case: String,
    pub(crate) phone: String,
}

impl Receipt {
    fn encode(&self) -> String {
        format!("{} {}", self.case, self.phone)
    }

    pub(crate) fn decode(ack: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(ack)?;
        let (case, phone) = text.split_once(' ').context("a case and a phone")?;
        Ok(Self {
            case: case.to_owned(),
            phone: phone.to_owned(),
        })
    }
}

/// What a run left.
#[derive(Debug)]
pub(crate) struct Lives {
    pub(crate) recording: Recording,
    /// The data folder before the first life: keys and tokens.
    pub(crate) before: Image,
    /// And after the last.
    pub(crate) after: Image,
    /// The partner's folder before: its keys alone.
    pub(crate) partner: Image,
    pub(crate) city: City,
    /// Those of a clerk and an operator.
    pub(crate) tokens: [String; 2],
    _log: TempDir,
}

/// Plays the three lives.
pub(crate) fn record() -> Result<Lives> {
    let log_folder = scratch()?;
    let mut run = Run {
        recorder: Recorder::build()?,
        city: City::prepare(scratch()?, SMALL)?,
        log: log_folder.path().join("log"),
        taken: log_folder.path().join("taken"),
        handed_in: 0,
    };
    let token = run.city.token(RECORDED, "clerk", "window")?;
    let watch = run.city.token(RECORDED, "operator", "watch")?;
    let mut operator = Client::new(run.city.machines[RECORDED].http, &watch);
    let data = run.city.machines[RECORDED].data.clone();
    let before = Image::read_from(&data)?;
    let partner = Image::read_from(&run.city.machines[PARTNER].data)?;
    run.city.start(PARTNER)?;

    run.start(Some(FIRST_LIFE))?;
    run.until_taken(&token, &mut operator)?;
    run.hand_in(&token, UNTIL_IT_DIES, true)?;
    run.city.until_ended(RECORDED)?;

    run.city.kill(PARTNER)?;
    run.start(Some(SECOND_LIFE))?;
    run.city.until_answering(RECORDED, &mut operator, false)?;
    run.hand_in(&token, AT_THE_DESK, false)?;
    run.city.start(PARTNER)?;
    run.until_taken(&token, &mut operator)?;
    run.hand_in(&token, UNTIL_IT_DIES, true)?;
    run.city.until_ended(RECORDED)?;

    run.start(None)?;
    run.until_taken(&token, &mut operator)?;
    run.hand_in(&token, IN_THE_LAST_LIFE, true)?;
    for _ in 0..TURNS_MAX {
        if oldest_segment(&data)? > SEGMENTS_GONE {
            break;
        }
        run.hand_in(&token, IN_THE_LAST_LIFE, true)?;
    }
    run.city.end(RECORDED)?;
    run.city.end(PARTNER)?;
    Ok(Lives {
        recording: Recording::read(&run.log)?,
        before,
        after: Image::read_from(&data)?,
        partner,
        city: run.city,
        tokens: [token, watch],
        _log: log_folder,
    })
}

struct Run {
    recorder: Recorder,
    city: City,
    log: std::path::PathBuf,
    /// There once the group takes applications in, in this life.
    taken: std::path::PathBuf,
    handed_in: usize,
}

impl Run {
    fn start(&mut self, records: Option<u64>) -> Result<()> {
        let data = self.city.machines[RECORDED].data.clone();
        let (recorder, log, taken) = (&self.recorder, &self.log, &self.taken);
        if taken.exists() {
            std::fs::remove_file(taken)?;
        }
        self.city.start_as(RECORDED, |command: &mut Command| {
            recorder.put_under(command, &data, log)?;
            if let Some(records) = records {
                Recorder::end_after(command, records, taken);
            }
            Ok(())
        })
    }

    /// Returns once the group takes applications in: it has a leader, a registry and its time.
    fn until_taken(&mut self, token: &str, operator: &mut Client) -> Result<()> {
        self.city.until_answering(RECORDED, operator, true)?;
        let mut client = Client::new(self.city.machines[RECORDED].http, token);
        let mut acks = AckLog::open(&self.log)?;
        until(TAKEN_LIMIT, "the group takes an application in", || {
            let (ask, phone) = application(self.handed_in)?;
            self.handed_in += 1;
            let answer = client.ask(&ask.replicated())?;
            acks.mark(acknowledged(&answer, phone)?.encode().as_bytes())?;
            Ok((answer.status == 201).then_some(()))
        })?;
        std::fs::write(&self.taken, [])?;
        Ok(())
    }

    /// Hands applications in at several windows, two of three waiting for the group if it is
    /// led, and marks each acknowledgement in the recording; ends early when the node is gone.
    fn hand_in(&mut self, token: &str, count: usize, is_led: bool) -> Result<()> {
        let address = self.city.machines[RECORDED].http;
        let acks = Mutex::new(AckLog::open(&self.log)?);
        let first = self.handed_in;
        self.handed_in += count;
        thread::scope(|scope| {
            let windows: Vec<_> = (0..WINDOWS)
                .map(|window| {
                    let acks = &acks;
                    let numbers = (first..first + count).skip(window).step_by(WINDOWS);
                    scope.spawn(move || {
                        work(&mut Client::new(address, token), numbers, is_led, acks)
                    })
                })
                .collect();
            windows
                .into_iter()
                .try_for_each(|window| window.join().expect("no window panics"))
        })
    }
}

fn work(
    client: &mut Client,
    numbers: impl Iterator<Item = usize>,
    is_led: bool,
    acks: &Mutex<AckLog>,
) -> Result<()> {
    for number in numbers {
        let (mut ask, phone) = application(number)?;
        if is_led && number % 3 > 0 {
            ask = ask.replicated();
        }
        // A broken connection is the end of a life.
        let Ok(answer) = client.ask(&ask) else {
            return Ok(());
        };
        let receipt = acknowledged(&answer, phone)?;
        let mut acks = acks.lock().expect("no window panics");
        acks.mark(receipt.encode().as_bytes())?;
    }
    Ok(())
}

/// An application, each under its own key, and the phone that only its form names.
pub(crate) fn application(number: usize) -> Result<(Ask, String)> {
    let applicant = Applicant::numbered(number);
    let body = migration(&applicant, DISTRICT)?;
    let ask = Ask::post("/api/v1/cases", &body).key(&format!("application-{number}"));
    Ok((ask, applicant.phone))
}

fn acknowledged(answer: &Answer, phone: String) -> Result<Receipt> {
    ensure!([201, 202].contains(&answer.status), "{answer}");
    let said = answer.json()?;
    let case = said["case"].as_str().context("a case number")?.to_owned();
    Ok(Receipt { case, phone })
}

/// The sequence of the oldest segment of a node's log; they begin at 1.
fn oldest_segment(data: &Path) -> Result<u64> {
    let mut oldest = u64::MAX;
    for entry in std::fs::read_dir(data.join("wal"))? {
        let name = entry?.file_name();
        let sequence = name.to_str().and_then(|name| name.strip_suffix(".log"));
        if let Some(sequence) = sequence.and_then(|digits| digits.parse().ok()) {
            oldest = oldest.min(sequence);
        }
    }
    Ok(oldest)
}
