//! The demonstration: six cities, one of them with two nodes, as seven processes; one case across provinces,
//! a leader killed on the way, and a count at the end of what was promised. It uses what operators and clerks
//! use: the commands' code, the configurations, the HTTP API.

mod account;
mod audit;
mod fall;
mod forgery;
mod house;
mod lines;
mod open_house;
mod proof;
mod rehearsal;
mod story;
mod summary;
mod tour;
mod words;

use std::path::PathBuf;

use anyhow::Context as _;
use tongban_types::Code;

use crate::exit::Exit;
use crate::failure::{Coded as _, Failure};
use crate::output::Output;
use crate::staging::{Federation, Layout, SIX_CITIES, Scheme, StageError, StageLine, Stop};

use account::Account;
use house::House;
use rehearsal::make_recovery_key;
use story::{AUTHORITY, Story};
pub(crate) use summary::ANSWER;
use summary::Summary;
use tour::Tour;

/// Voters of each city's group: its own node and the next two cities', or its own two and the next city's.
const VOTERS: usize = 3;

/// Dingxi speaks TCP alone, as a city does whose wall lets no UDP through.
const WITHOUT_QUIC: u32 = 621_100;

/// How the demonstration is asked for.
#[derive(Debug)]
pub(crate) struct Wishes {
    /// Check every step of it and say so, instead of telling it.
    pub(crate) tour: bool,
    /// End after the story instead of staying up.
    pub(crate) once: bool,
    /// Leave the folder where it is.
    pub(crate) keep: bool,
    /// Use this folder; it is left where it is.
    pub(crate) folder: Option<PathBuf>,
}

/// Plays it. Whatever happens, no process is left behind.
pub(crate) async fn play(wishes: &Wishes, output: Output) -> Result<Exit, Failure> {
    let mut stop = Stop::listen().context("listening for signals")?;
    let account = Account::begin(output, !wishes.tour);
    let house = House::open(wishes.folder.as_deref(), wishes.keep)?;
    let scheme = Scheme {
        // Where the case is decided: there it shows that a city which loses a node goes on.
        with_two: &[AUTHORITY],
        without_quic: &[WITHOUT_QUIC],
        recovery: Some(make_recovery_key(house.path()).map_err(as_demo)?),
        ..Scheme::of(&SIX_CITIES, VOTERS, StageLine::Own)
    };
    let layout = Layout::make(house.path(), &scheme).map_err(as_demo)?;
    let mut federation = Federation::prepare(layout)?;
    let told = tokio::select! {
        biased;
        () = stop.asked() => Ok(None),
        told = Box::pin(tell(&mut federation, &account, wishes.tour)) => told.map(Some),
    };
    let is_interrupted = matches!(told, Ok(None));
    // A folder in which something went wrong is worth a look.
    let (exit, is_wrong) = match told {
        Ok(Some(summary)) => {
            let exit = summary.exit();
            output.answer(&summary);
            if !wishes.once {
                open_house::welcome(&federation, &account)?;
                stop.asked().await;
            }
            (Ok(exit), exit != Exit::Yes)
        }
        Ok(None) => (Ok(Exit::No), false),
        Err(failure) => (Err(as_demo(failure)), true),
    };
    federation.end().await;
    if is_interrupted {
        account.note(words::INTERRUPTED, &[]);
    }
    house.leave(&account, is_wrong);
    exit
}

async fn tell(
    federation: &mut Federation,
    account: &Account,
    is_tour: bool,
) -> Result<Summary, Failure> {
    let mut story = Story::begin(federation, account)?;
    if is_tour {
        return Ok(Box::pin(Tour::begin(story, account).walk()).await);
    }
    story.tell().await
}

impl From<StageError> for Failure {
    fn from(error: StageError) -> Self {
        let exit = match &error {
            StageError::Refused(refused) => refused.exit(),
            StageError::TooLate { .. } => Exit::Internal,
        };
        let message = error.to_string();
        let cause = anyhow::Error::new(error).context(message);
        Self {
            code: Code::DEMO_FAILED,
            exit,
            next: next(),
            cause,
        }
    }
}

fn next() -> String {
    "tongban demo --once --keep".to_owned()
}

/// What fails here has failed in the demonstration, whatever else it was.
fn as_demo(failure: Failure) -> Failure {
    Failure {
        code: Code::DEMO_FAILED,
        exit: Exit::Internal,
        next: next(),
        ..failure
    }
}
