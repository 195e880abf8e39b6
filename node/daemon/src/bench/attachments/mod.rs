//! How fast a file goes from city to city: fetched whole, verified and durably by the authority's node from
//! the one where it was handed in, beside rsync in its daemon mode over loopback; and what memory both nodes
//! take for it.

mod figures;
mod noise;
mod rsync;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;
use tokio::time::sleep;
use tongban_runtime::seams::Entropy as _;
use tongban_types::Role;

use self::figures::{Carried, CarriedFigures, Turn};
use self::noise::Noise;
use self::rsync::{Durability, Rsync, check_installed};
use super::exchange::cities;
use super::form::{OTHER_CITY, form_of_size};
use super::memory::{begin_peak, peak_kib, resident_kib};
use super::{WARM_UP, failed, in_federation, scratch};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::platform::OsEntropy;
use crate::staging::{Clerk, Desk, Federation, Layout, Scheme, StageLine, Stop};

pub(crate) use self::figures::ANSWER;

/// Voters of each group: all three nodes host both groups.
const VOTERS: usize = 3;

/// Where files are handed in, and the authority that fetches them: their places in the ring of three.
const GIVER: usize = 0;
const TAKER: usize = 2;

/// Bytes of the form.
const FORM_BYTES: usize = 1_024;

/// Bytes of one `PATCH`, as much as a node takes at once.
const PIECE_BYTES: u64 = 4 * 1024 * 1024;

/// A file of 64 GiB, whole, at 20 MiB a second.
const PATIENCE: Duration = Duration::from_hours(1);

/// What is measured.
#[derive(Clone, Debug)]
pub(crate) struct Attachments {
    /// Sizes of files, in MiB.
    pub(crate) mib: Vec<u64>,
    /// Files of each size.
    pub(crate) runs: usize,
    /// Leave the folder where it is.
    pub(crate) keep: bool,
}

impl Attachments {
    /// Measures. Whatever happens, no process is left behind.
    pub(crate) async fn measure(&self, output: Output) -> Result<Exit, Failure> {
        let mut stop = Stop::listen().context("listening for signals")?;
        check_installed().await?;
        let folder = scratch(self.keep)?;
        let cities = cities();
        let scheme = Scheme::of(&cities, VOTERS, StageLine::PlainUnbounded);
        let layout = Layout::make(folder.path(), &scheme)?;
        let kept = self.keep.then(|| folder.path());
        let run = async |federation: &mut Federation| self.run(federation, output).await;
        let measured = in_federation(layout, &mut stop, kept, output, run).await?;
        let Some(figures) = measured.map_err(as_attachments)? else {
            return Ok(Exit::No);
        };
        output.answer(&figures);
        Ok(Exit::Yes)
    }

    async fn run(
        &self,
        federation: &mut Federation,
        output: Output,
    ) -> anyhow::Result<CarriedFigures> {
        federation.start().await?;
        let mut stage = Stage::open(federation).await?;
        let mut sizes = Vec::new();
        for mib in &self.mib {
            let size = Box::pin(self.one_size(&mut stage, *mib, output));
            sizes.push(size.await?);
        }
        Ok(CarriedFigures {
            runs: self.runs,
            sizes,
        })
    }

    async fn one_size(
        &self,
        stage: &mut Stage<'_>,
        mib: u64,
        output: Output,
    ) -> anyhow::Result<Carried> {
        // One for each size: a node keeps a bounded number of uploads for one of them.
        let name = format!("bench-{mib}");
        let mut clerk = Clerk::at(patient(stage.federation, GIVER, Role::Clerk, &name)?);
        for pid in stage.nodes {
            begin_peak(pid)?;
        }
        let mut turns = Vec::new();
        for run in 1..=self.runs {
            output.talk(&format!("{mib} MiB, 第 {run} 轮, 共 {} 轮", self.runs));
            turns.push(stage.turn(&mut clerk, mib << 20).await?);
        }
        let mut above_idle = stage.idle_kib;
        for (pid, kib) in stage.nodes.into_iter().zip(&mut above_idle) {
            *kib = peak_kib(pid)?.saturating_sub(*kib);
        }
        Ok(Carried::of(mib, &turns, above_idle))
    }
}

/// The nodes at work, who hands in and who fetches there, and rsync.
struct Stage<'a> {
    federation: &'a Federation,
    officer: Desk,
    rsync: Rsync,
    /// What rsync serves.
    served: PathBuf,
    form: Value,
    noise: Noise,
    /// Processes of the giver and the taker.
    nodes: [u32; 2],
    /// What each took before any file came.
    idle_kib: [u64; 2],
}

impl<'a> Stage<'a> {
    async fn open(federation: &'a Federation) -> anyhow::Result<Self> {
        let folder = &federation.layout.folder;
        let served = folder.join("served");
        std::fs::create_dir(&served).context("the folder that rsync serves")?;
        let rsync = Rsync::start(folder, &served).await?;
        let form: Value = serde_json::from_str(&form_of_size(OTHER_CITY, FORM_BYTES)?)?;
        let first = patient(federation, GIVER, Role::Clerk, "bench-first")?;
        let mut first = Clerk::at(first);
        // The first one waits until leaders, calendars and items are there.
        let case = first.collect(OTHER_CITY.item, &form, true).await;
        let case = case.context("the first application")?;
        first.desk().until_state(&case, &["received"]).await?;
        sleep(WARM_UP).await;
        let nodes = [federation.pid(GIVER)?, federation.pid(TAKER)?];
        Ok(Self {
            federation,
            officer: patient(federation, TAKER, Role::Officer, "bench")?,
            rsync,
            served,
            form,
            noise: Noise::of(OsEntropy.next_u64()),
            nodes,
            idle_kib: [resident_kib(nodes[0])?, resident_kib(nodes[1])?],
        })
    }

    /// One file of `size` bytes, every way.
    async fn turn(&mut self, clerk: &mut Clerk, size: u64) -> anyhow::Result<Turn> {
        let name = "file";
        let copy = self.served.join(name);
        let (case, hash) = self.hand_in(clerk, size, &copy).await?;
        let begun = Instant::now();
        let last = self.officer.read_file_from(&case, &hash, size - 1).await;
        let nodes = begun.elapsed();
        last.context("the file at the other city")?;
        let whole = self.federation.site(TAKER).data.join("blobs/whole");
        let whole = std::fs::metadata(whole.join(&hash)).context("the file at the other city")?;
        ensure!(whole.len() == size, "取得的文件不完整 (it is not whole)");
        let rsync = self.rsync.fetch(name, size, Durability::Later, PATIENCE);
        let rsync = rsync.await?;
        let durable = self.rsync.fetch(name, size, Durability::AtItsEnd, PATIENCE);
        let rsync_durable = durable.await?;
        self.rsync.remove_fetched()?;
        std::fs::remove_file(&copy).context("the copy for rsync")?;
        Ok(Turn {
            nodes,
            rsync,
            rsync_durable,
        })
    }

    /// Hands a case with a file in that no run had before, and leaves a copy of the file for rsync; the case
    /// and the hash of the file, once the other city has the case.
    async fn hand_in(
        &mut self,
        clerk: &mut Clerk,
        size: u64,
        copy: &Path,
    ) -> anyhow::Result<(String, String)> {
        let mut file = File::create(copy).await.context("a copy for rsync")?;
        let desk = clerk.desk();
        let place = desk.begin_upload(size).await?;
        let mut offset = 0;
        while offset < size {
            let length = PIECE_BYTES.min(size - offset);
            let piece = self.noise.take(usize::try_from(length)?);
            file.write_all(&piece).await.context("a copy for rsync")?;
            desk.append(&place, offset, piece).await?;
            offset += length;
        }
        // What rsync reads is no longer being written, as little as what the node reads.
        file.sync_all().await.context("a copy for rsync")?;
        let hash = desk.until_whole(&place).await?;
        let named =
            json!({"name": "file.bin", "media_type": "application/octet-stream", "hash": hash});
        let case = clerk
            .collect_with(OTHER_CITY.item, &self.form, &[named], true)
            .await?;
        let path = format!("/api/v1/cases/{case}");
        let what = format!("{case} 到达属地 (at its authority)");
        self.officer
            .until(&what, &path, |answer| {
                let is_known = answer.json()["attachments"][0]["hash"] == hash.as_str();
                is_known.then_some(())
            })
            .await?;
        Ok((case, hash))
    }
}

/// A person who waits as long as a large file takes.
fn patient(federation: &Federation, place: usize, role: Role, name: &str) -> anyhow::Result<Desk> {
    let token = federation.token(place, role, name);
    let token = token.map_err(|failure| failure.cause)?;
    Ok(Desk::patient(federation.site(place), &token, PATIENCE))
}

fn as_attachments(cause: anyhow::Error) -> Failure {
    failed("tongban bench attachments --keep", cause)
}
