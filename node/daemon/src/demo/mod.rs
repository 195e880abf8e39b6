//! The demonstration: six cities as six processes, one case across provinces, a leader killed on the
//! way, and a count at the end of what was promised. It uses what operators and clerks use: the
//! commands' code, the configurations, the HTTP API.

mod account;
mod audit;
mod house;
mod open_house;
mod proof;
mod story;
mod summary;

use std::path::PathBuf;

use anyhow::Context as _;
use tongban_types::Code;

use crate::exit::Exit;
use crate::failure::{Coded as _, Failure};
use crate::output::Output;
use crate::staging::{Federation, Layout, SIX_CITIES, StageError, StageLine, Stop};

use account::Account;
use house::House;
use story::Story;
use summary::Summary;

/// Voters of each city's group: its own node and the next two cities'.
const VOTERS: usize = 3;

/// How the demonstration is asked for.
#[derive(Debug)]
pub(crate) struct Wishes {
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
    let mut account = Account::begin(output);
    let house = House::open(wishes.folder.as_deref(), wishes.keep)?;
    let layout =
        Layout::make(house.path(), &SIX_CITIES, VOTERS, StageLine::Own).map_err(as_demo)?;
    let mut federation = Federation::prepare(layout)?;
    let told = tokio::select! {
        biased;
        () = stop.asked() => Ok(None),
        told = Box::pin(tell(&mut federation, &mut account)) => told.map(Some),
    };
    let exit = match told {
        Ok(Some(summary)) => {
            let exit = summary.exit();
            if !wishes.once {
                open_house::welcome(&federation, &mut account)?;
                stop.asked().await;
            }
            federation.end().await;
            output.answer(&summary);
            Ok(exit)
        }
        Ok(None) => {
            federation.end().await;
            account.tell("已中断, 六个进程都已结束");
            Ok(Exit::No)
        }
        Err(failure) => {
            federation.end().await;
            Err(as_demo(failure))
        }
    };
    house.leave(&mut account, exit.is_err());
    exit
}

async fn tell(federation: &mut Federation, account: &mut Account) -> Result<Summary, Failure> {
    account.tell("六个城市各有密钥, 名册由六把治理密钥中的五把签名");
    federation.start().await?;
    let pids: Vec<String> = federation.pids().iter().map(ToString::to_string).collect();
    account.tell(&format!(
        "六个城市的节点已就绪, 六个进程: {}",
        pids.join(" ")
    ));
    let mut story = Story::begin(federation, account)?;
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
