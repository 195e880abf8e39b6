//! People handing applications in at every city's window, at a steady rate, each tried again under
//! its key until it is acknowledged, and what was acknowledged.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::client::{Ask, Client};
use crate::federation::{CITIES, Federation};
use crate::forms::{Applicant, migration};
use crate::power_cut::Dice;
use anyhow::{Context, Result, bail, ensure};

/// Windows of a city: as many applications wait at once while its node is away.
const WINDOWS: usize = 4;

/// How long one application may stay without an answer: several kills of its node in a row.
const TRY_LIMIT: Duration = Duration::from_mins(1);

/// Between two tries at a node that does not answer.
const PAUSE: Duration = Duration::from_millis(25);

/// A district of each city, where somebody moves to.
const DISTRICTS: [&str; 6] = ["350102", "350302", "350902", "350702", "610502", "621102"];

/// A case whose receipt a client holds.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    pub number: String,
    /// Places of the receiving city and of the authority.
    pub intake: usize,
    pub authority: usize,
}

type Log = Arc<Mutex<Vec<Acknowledged>>>;

/// The windows at work.
#[derive(Debug)]
pub struct Load {
    stop: Arc<AtomicBool>,
    log: Log,
    windows: Vec<JoinHandle<Result<()>>>,
}

struct Window {
    address: SocketAddr,
    token: String,
    city: usize,
    number: usize,
    interval: Duration,
    stop: Arc<AtomicBool>,
    log: Log,
}

impl Load {
    pub fn start(federation: &Federation, rate: u32) -> Result<Self> {
        let (stop, log) = (Arc::new(AtomicBool::new(false)), Log::default());
        let windows_of_all = u32::try_from(CITIES.len() * WINDOWS)?;
        let interval = Duration::from_secs(1) * windows_of_all / rate;
        let mut windows = Vec::new();
        for city in 0..CITIES.len() {
            let token = federation.token(city, "clerk", "window")?;
            for number in 0..WINDOWS {
                let window = Window {
                    address: federation.places[city].http,
                    token: token.clone(),
                    city,
                    number,
                    interval,
                    stop: Arc::clone(&stop),
                    log: Arc::clone(&log),
                };
                windows.push(thread::spawn(move || window.work()));
            }
        }
        Ok(Self { stop, log, windows })
    }

    /// How many cases were acknowledged so far.
    pub fn acknowledged(&self) -> usize {
        self.log.lock().expect("no window panics").len()
    }

    /// Lets every window finish what it has begun; returns everything acknowledged.
    pub fn finish(self) -> Result<Vec<Acknowledged>> {
        self.stop.store(true, Ordering::Relaxed);
        for window in self.windows {
            window.join().expect("no window panics")?;
        }
        let log = self.log.lock().expect("no window panics");
        Ok(log.clone())
    }
}

impl Window {
    fn work(self) -> Result<()> {
        let mut client = Client::new(self.address, &self.token);
        let mut dice = Dice::new((self.city * WINDOWS + self.number) as u64);
        let began = Instant::now();
        for turn in 0_u32.. {
            // Times are counted from the beginning, so that what was held up is caught up with.
            let due = self.interval * turn;
            thread::sleep(due.saturating_sub(began.elapsed()));
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let authority = (self.city + 1 + dice.below(CITIES.len() - 1)) % CITIES.len();
            let applicant = Applicant::numbered(dice.below(100_000_000));
            let body = migration(&applicant, DISTRICTS[authority])?;
            let key = format!("window-{}-{turn}", self.number);
            let mut ask = Ask::post("/api/v1/cases", &body).key(&key);
            if dice.once_in(2) {
                ask = ask.replicated();
            }
            let number = hand_in(&mut client, &ask)
                .with_context(|| format!("{} {key}", CITIES[self.city].1))?;
            let acknowledged = Acknowledged {
                number,
                intake: self.city,
                authority,
            };
            self.log
                .lock()
                .expect("no window panics")
                .push(acknowledged);
        }
        Ok(())
    }
}

/// Hands an application in until it is acknowledged; returns its case number.
fn hand_in(client: &mut Client, ask: &Ask) -> Result<String> {
    let began = Instant::now();
    loop {
        let answered = client.ask(ask);
        match &answered {
            Ok(answer) if [201, 202].contains(&answer.status) => {
                let number = answer.json()?["case"].as_str().map(str::to_owned);
                return number.context("an acknowledgement names its case");
            }
            // The node is there and says that it cannot now, or that it is still at the first try.
            Ok(answer) => ensure!([503, 409].contains(&answer.status), "{answer}"),
            Err(_) => {}
        }
        if began.elapsed() > TRY_LIMIT {
            bail!("no acknowledgement, last {answered:?}");
        }
        thread::sleep(PAUSE);
    }
}
