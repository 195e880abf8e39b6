//! One machine of the world: its disk, store, clock and keys, which outlive its crashes, and the
//! node on it, which does not.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use tongban_assembly::{Node, NodeParts, RaftTempo};
use tongban_runtime::{
    BlobStore, Forms, NoBlobs, NodeGauges, NodeHandle, NodeSettings, Tempo, Witness,
};
use tongban_types::NodeId;
use tongban_wal::WalConfig;

use super::federation::{self, Federation};
use super::options::{Options, Plant};
use crate::clock::{CivilSkew, SkewedClock};
use crate::disk::SimDisk;
use crate::entropy::SeededEntropy;
use crate::net::SimNet;
use crate::platform::SimPlatform;
use crate::runtime::{Owner, World, lock};
use crate::signer::SimSigner;
use crate::store::MemoryStore;

/// The node on a machine.
enum Slot {
    Down,
    Starting,
    Up(Node<SimPlatform>),
    Failed(String),
}

/// A machine.
pub struct Machine {
    place: usize,
    disk: SimDisk,
    store: Arc<MemoryStore>,
    clock: Arc<SkewedClock>,
    signer: Arc<SimSigner>,
    files: OnceLock<Arc<dyn BlobStore>>,
    starts: AtomicU32,
    slot: Mutex<Slot>,
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine")
            .field("node", &self.node())
            .finish_non_exhaustive()
    }
}

impl Machine {
    /// A machine that was never switched on.
    pub fn new(place: usize, federation: &Federation, options: &Options, skew: CivilSkew) -> Self {
        let owner = federation::owner(place);
        Self {
            place,
            disk: SimDisk::new(owner, options.disk.clone()),
            store: Arc::new(MemoryStore::new(owner, options.store.clone())),
            clock: Arc::new(SkewedClock::new(skew)),
            signer: federation.signer(place),
            files: OnceLock::new(),
            starts: AtomicU32::new(0),
            slot: Mutex::new(Slot::Down),
        }
    }

    /// Its node.
    pub fn node(&self) -> NodeId {
        federation::node(self.place)
    }

    /// Its number in the world.
    pub fn owner(&self) -> Owner {
        federation::owner(self.place)
    }

    /// Its disk.
    pub fn disk(&self) -> &SimDisk {
        &self.disk
    }

    /// Its store.
    pub fn store(&self) -> &Arc<MemoryStore> {
        &self.store
    }

    /// Its civil clock.
    pub fn clock(&self) -> &SkewedClock {
        &self.clock
    }

    /// Where its nodes keep files from their next start on; without it they keep none. Said once.
    pub fn keep_files(&self, files: Arc<dyn BlobStore>) {
        let said = self.files.set(files);
        assert!(said.is_ok(), "a machine has one place for files");
    }

    /// What is asked of its node, once it is up.
    pub fn handle(&self) -> Option<Arc<dyn NodeHandle>> {
        match &*lock(&self.slot) {
            Slot::Up(node) => Some(node.handle()),
            _ => None,
        }
    }

    /// What its node measures of itself, once it is up.
    pub fn gauges(&self) -> Option<NodeGauges> {
        match &*lock(&self.slot) {
            Slot::Up(node) => Some(node.gauges()),
            _ => None,
        }
    }

    /// How often it was switched on.
    pub fn starts(&self) -> u32 {
        self.starts.load(Ordering::Relaxed)
    }

    /// Whether it is switched off.
    pub fn is_down(&self) -> bool {
        matches!(&*lock(&self.slot), Slot::Down)
    }

    /// Why its node did not start, if it did not.
    pub fn start_failure(&self) -> Option<String> {
        match &*lock(&self.slot) {
            Slot::Failed(reason) => Some(reason.clone()),
            _ => None,
        }
    }

    /// Switches it on; its node is up a moment later.
    pub fn start(
        self: &Arc<Self>,
        federation: &Federation,
        options: &Options,
        net: &SimNet,
        witness: Arc<dyn Witness>,
    ) {
        let number = self.starts.fetch_add(1, Ordering::Relaxed);
        *lock(&self.slot) = Slot::Starting;
        let files = self.files.get().cloned();
        let parts = NodeParts::<SimPlatform> {
            blobs: files.unwrap_or_else(|| Arc::new(NoBlobs)),
            settings: settings(self.node(), federation),
            disk: self.disk.mount(),
            store: self.store.clone(),
            transport: Arc::new(net.transport(self.node())),
            clock: self.clock.clone(),
            entropy: Arc::new(SeededEntropy::new(self.owner(), number)),
            signer: self.signer.clone(),
            wal: WalConfig {
                segment_bytes: options.segment_bytes,
                ..WalConfig::default()
            },
            raft: RaftTempo {
                snapshot_every_entries: Some(options.snapshot_every_entries),
                kept_entries: Some(options.kept_entries),
                leader_restore: options.plant == Some(Plant::LeaderRestore),
                ..RaftTempo::default()
            },
            witness: Some(witness),
        };
        let machine = self.clone();
        World::spawn(self.owner(), async move {
            let started = Box::pin(Node::start(parts)).await;
            *lock(&machine.slot) = match started {
                Ok(node) => Slot::Up(node),
                Err(error) => Slot::Failed(chain(&error)),
            };
        });
    }

    /// Switches it off in the middle of whatever it does. What it had not synced is kept or lost by
    /// the draw; says how many unsynced operations there were.
    pub fn crash(&self, net: &SimNet) -> usize {
        let unsynced = self.disk.pending();
        net.power_off(self.node());
        let slot = std::mem::replace(&mut *lock(&self.slot), Slot::Down);
        drop(slot);
        World::kill(self.owner());
        self.disk.crash();
        self.store.crash();
        unsynced
    }
}

fn settings(me: NodeId, federation: &Federation) -> NodeSettings {
    NodeSettings {
        me,
        registry_file: federation.registry_file.clone(),
        registry: federation.registry.clone(),
        older_registries: std::collections::BTreeMap::new(),
        items: vec![federation.item.clone()],
        templates: [(federation.item.item, federation.template.clone())].into(),
        calendar: federation.calendar.clone(),
        tempo: Tempo::default(),
        forms: Forms::Sealed,
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
