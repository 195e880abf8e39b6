//! Files fetched from other nodes of a case's parties: range after range, each a request of its own, some
//! of them ahead. Who sends what does not belong to the file is left at the first bad group, and the
//! next one goes on from there.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use tongban_machine::load_case;
use tongban_types::{
    Attachment, CaseNumber, Code, NodeId, encode,
    limits::{BLOB_GROUP_LOG, BLOB_RANGE_BYTES},
};

use super::Files;
use super::limits::{FETCHES_MAX, IDLE_ROUNDS_MAX, RANGE_TIMEOUT, RANGES_AHEAD};
use crate::blob_store::BlobError;
use crate::handle::NodeError;
use crate::seams::{Lane, Platform, Transport, TransportError};
use crate::signal::Signal;
use crate::wire::FileRequest;

/// One file on its way.
pub(super) struct Fetch<P: Platform> {
    /// Bytes verified.
    verified: AtomicU64,
    /// How it ended.
    ended: OnceLock<Result<(), NodeError>>,
    /// Rings at each range and at the end.
    progress: Signal<P::Runtime>,
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
        if fetches.len() >= FETCHES_MAX {
            return Err(NodeError::Busy);
        }
        let fetch = Arc::new(Fetch {
            verified: AtomicU64::new(0),
            ended: OnceLock::new(),
            progress: Signal::new(),
        });
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
                    Turn::Whole => return Ok(()),
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
            if self.core.is_stopping() {
                return Err(NodeError::FileUnreachable);
            }
        }
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
                    fetch.verified.store(upto, Ordering::Release);
                    fetch.progress.ring();
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
