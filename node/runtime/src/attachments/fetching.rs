//! Files fetched from other nodes of a case's parties: range after range, each a request of its own, some
//! of them ahead. Who sends what does not belong to the file is left at the first bad group, and the
//! next one goes on from there.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use openraft_rt::AsyncRuntime;
use tongban_machine::load_case;
use tongban_types::{
    Attachment, CaseNumber, CityCode, Code, NodeId, encode,
    limits::{BLOB_GROUP_LOG, BLOB_RANGE_BYTES},
};

use super::Files;
use super::limits::{
    FETCHES_MAX, FETCHES_OF_CITY_MAX, IDLE_ROUNDS_MAX, RANGE_TIMEOUT, RANGES_AHEAD, READERS_GONE,
};
use crate::blob_store::BlobError;
use crate::core::instant;
use crate::handle::NodeError;
use crate::seams::{Lane, Platform, Transport, TransportError};
use crate::signal::Signal;
use crate::wire::FileRequest;

/// One file on its way.
pub(super) struct Fetch<P: Platform> {
    /// Where its case was handed in, and whose word it is that the file exists.
    city: CityCode,
    /// Bytes verified.
    verified: AtomicU64,
    /// Whether a holder sent something that was true of the file.
    came: AtomicBool,
    /// When somebody last waited for it or read of it.
    wanted: Mutex<Instant<P>>,
    /// How it ended.
    ended: OnceLock<Result<(), NodeError>>,
    /// Rings at each range and at the end.
    progress: Signal<P::Runtime>,
}

type Instant<P> = <<P as Platform>::Runtime as AsyncRuntime>::Instant;

impl<P: Platform> Fetch<P> {
    fn of(city: CityCode) -> Self {
        Self {
            city,
            verified: AtomicU64::new(0),
            came: AtomicBool::new(false),
            wanted: Mutex::new(instant::<P::Runtime>()),
            ended: OnceLock::new(),
            progress: Signal::new(),
        }
    }

    /// Notes that somebody reads it.
    pub(super) fn want(&self) {
        *self.wanted.lock().unwrap_or_else(PoisonError::into_inner) = instant::<P::Runtime>();
    }

    fn is_wanted(&self) -> bool {
        let last = *self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        instant::<P::Runtime>() - last < READERS_GONE
    }
}

/// How one holder did.
enum Turn {
    Whole,
    /// It does not answer, or not this.
    Silent,
    Lied,
}

impl<P: Platform> Files<P> {
    /// Returns once a file is verified up to an offset; fetches it if nobody does yet.
    pub(super) async fn until_fetched(
        self: &Arc<Self>,
        case: CaseNumber,
        file: &Attachment,
        upto: u64,
    ) -> Result<(), NodeError> {
        let fetch = self.fetch_of(case, file)?;
        let mut heard = fetch.progress.listen();
        loop {
            heard.mark();
            fetch.want();
            if fetch.verified.load(Ordering::Acquire) >= upto {
                return Ok(());
            }
            if let Some(ended) = fetch.ended.get() {
                return ended.clone();
            }
            heard.heard(RANGE_TIMEOUT).await;
        }
    }

    fn fetch_of(
        self: &Arc<Self>,
        case: CaseNumber,
        file: &Attachment,
    ) -> Result<Arc<Fetch<P>>, NodeError> {
        let mut fetches = self.fetches();
        if let Some(fetch) = fetches.get(&file.blob) {
            return Ok(fetch.clone());
        }
        let city = case.intake_city();
        let of_city = fetches.values().filter(|fetch| fetch.city == city);
        if fetches.len() >= FETCHES_MAX || of_city.count() >= FETCHES_OF_CITY_MAX {
            return Err(NodeError::Busy);
        }
        let fetch = Arc::new(Fetch::of(city));
        fetches.insert(file.blob, fetch.clone());
        let (files, file, started) = (self.clone(), file.clone(), fetch.clone());
        self.core.spawn("fetch of a file", async move {
            let ended = files.fetch(case, &file, &started).await;
            if let Err(error) = &ended {
                tracing::info!(%case, %error, "a file could not be fetched");
                // Its room and its open files are for those that come.
                if let Err(error) = files.store.end_receive(file.blob).await {
                    tracing::warn!(%error, "what came of a file is not closed");
                }
            }
            // First out of the list, so that who comes now begins anew.
            files.fetches().remove(&file.blob);
            let _ = started.ended.set(ended);
            started.progress.ring();
        });
        Ok(fetch)
    }

    async fn fetch(
        &self,
        case: CaseNumber,
        file: &Attachment,
        fetch: &Fetch<P>,
    ) -> Result<(), NodeError> {
        {
            let _naming = self.naming.lock().await;
            let named = self.references.name(case, file.blob).await;
            named.map_err(|error| NodeError::Failed(error.to_string()))?;
        }
        let mut liars = BTreeSet::new();
        let mut idle = 0;
        loop {
            let stood = self.stands(file, fetch).await?;
            for holder in self.holders(case) {
                if liars.contains(&holder) {
                    continue;
                }
                match self.fetch_from(holder, case, file, fetch).await? {
                    Turn::Whole => return self.note_whole(case, file, fetch).await,
                    Turn::Silent => {}
                    Turn::Lied => {
                        let code = Code::BLOB_LIED;
                        tracing::warn!(%case, %holder, %code, "a node sent what is not the file");
                        self.core.refusals.count(Lane::File, code);
                        liars.insert(holder);
                    }
                }
            }
            idle = if self.stands(file, fetch).await? > stood {
                0
            } else {
                idle + 1
            };
            if idle >= IDLE_ROUNDS_MAX {
                return Err(NodeError::FileUnreachable);
            }
            self.core.rest(self.core.pause(idle + 4)).await;
            if self.core.is_stopping() || !fetch.is_wanted() {
                return Err(NodeError::FileUnreachable);
            }
        }
    }

    /// A file that lay here already, for another case, did not come by this one.
    async fn note_whole(
        &self,
        case: CaseNumber,
        file: &Attachment,
        fetch: &Fetch<P>,
    ) -> Result<(), NodeError> {
        if !fetch.came.load(Ordering::Acquire) {
            return Ok(());
        }
        let noted = self.references.note_came(case, file.blob).await;
        noted.map_err(|error| NodeError::Failed(error.to_string()))
    }

    /// From where the file is missing.
    async fn stands(&self, file: &Attachment, fetch: &Fetch<P>) -> Result<u64, NodeError> {
        let at = self.store.begin_receive(file.blob, file.size).await?;
        fetch.verified.store(at, Ordering::Release);
        Ok(at)
    }

    /// Nodes that may hold a file of a case: where it was handed in first, connected ones before others.
    fn holders(&self, case: CaseNumber) -> Vec<NodeId> {
        let record = self.core.own().and_then(|own| {
            own.replica
                .read(|view| load_case(view, case))
                .ok()
                .flatten()
        });
        let mut cities = BTreeSet::from([self.core.city(), case.intake_city()]);
        cities.extend(record.map(|record| record.envelope.authority));
        let connected = self.core.transport.connected();
        let registry = self.core.registry();
        let mut holders: Vec<NodeId> = registry
            .nodes()
            .map(|(node, _)| node)
            .filter(|node| cities.contains(&node.city()) && *node != self.core.me)
            .collect();
        let is_first = |node: &NodeId| {
            (node.city(), node.number()) == (case.intake_city(), case.node_number())
        };
        holders.sort_by_key(|node| (!connected.contains(node), !is_first(node), *node));
        holders
    }

    async fn fetch_from(
        &self,
        holder: NodeId,
        case: CaseNumber,
        file: &Attachment,
        fetch: &Fetch<P>,
    ) -> Result<Turn, NodeError> {
        let mut asked = self.stands(file, fetch).await?;
        let mut ahead = FuturesOrdered::new();
        loop {
            while ahead.len() < RANGES_AHEAD && asked < file.size {
                let length = range_from(asked, file.size);
                ahead.push_back(self.range(holder, case, file, asked, length));
                asked += length;
            }
            let Some((length, answered)) = ahead.next().await else {
                return Ok(Turn::Whole);
            };
            let proof = match answered {
                Ok(proof) => proof,
                Err(error) => {
                    tracing::debug!(%case, %holder, %error, "a range does not come");
                    return Ok(Turn::Silent);
                }
            };
            match self.store.receive(file.blob, length, proof).await {
                Ok(upto) => {
                    fetch.came.store(true, Ordering::Release);
                    fetch.verified.store(upto, Ordering::Release);
                    fetch.progress.ring();
                    if upto < file.size && !fetch.is_wanted() {
                        return Err(NodeError::FileUnreachable);
                    }
                }
                Err(BlobError::Lied { .. }) => return Ok(Turn::Lied),
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn range(
        &self,
        holder: NodeId,
        case: CaseNumber,
        file: &Attachment,
        offset: u64,
        length: u64,
    ) -> (u64, Result<Bytes, TransportError>) {
        let request = FileRequest {
            case,
            blob: file.blob,
            offset,
            length,
        };
        let body = Bytes::from(encode(&request));
        let transport = &self.core.transport;
        let answered = transport.request(holder, Lane::File, body, RANGE_TIMEOUT);
        (length, answered.await)
    }
}

/// Up to the next border of ranges, so that a fetch that went on in the middle asks whole ones again.
fn range_from(offset: u64, size: u64) -> u64 {
    debug_assert!(offset.is_multiple_of(1024 << BLOB_GROUP_LOG));
    let border = (offset / BLOB_RANGE_BYTES + 1) * BLOB_RANGE_BYTES;
    border.min(size) - offset
}
