//! A group's replica over simulated disk and store: its snapshots while it goes on, and what it
//! takes in of another's.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tongban_machine::Machine;
use tongban_runtime::Replica;
use tongban_runtime::ports::{
    CommittedEntry, EntryBody, ReplicatedState, SnapshotFile, StateFailed,
};
use tongban_runtime::seams::{AsyncRuntime, Disk, DiskFile};
use tongban_sim::disk::{DiskOptions, SimDisk};
use tongban_sim::platform::SimPlatform;
use tongban_sim::runtime::{Owner, SimRuntime, World};
use tongban_sim::store::{MemoryStore, StoreOptions};
use tongban_types::{CityCode, GroupId, Hash};

fn group() -> GroupId {
    GroupId(CityCode::new(350_100).unwrap())
}

/// A replica, and the store and the disk under it.
struct House {
    replica: Arc<Replica<SimPlatform>>,
    store: Arc<MemoryStore>,
    disk: SimDisk,
}

impl House {
    async fn new() -> Self {
        let owner = Owner::new(1);
        let disk = SimDisk::new(owner, DiskOptions::default());
        let store = Arc::new(MemoryStore::new(owner, StoreOptions::default()));
        Self::open(store, disk).await
    }

    async fn open(store: Arc<MemoryStore>, disk: SimDisk) -> Self {
        let machine = Arc::new(Machine::new(group(), Hash::default()));
        let replica = Replica::open(machine, store.clone(), disk.clone(), None);
        Self {
            replica: Arc::new(replica.await.unwrap()),
            store,
            disk,
        }
    }

    /// Entries that are refused, each of which still moves the state's hash.
    async fn apply(&self, indexes: std::ops::Range<u64>) {
        let entries = indexes.map(|index| CommittedEntry {
            index,
            position: index.to_be_bytes().to_vec(),
            body: EntryBody::Proposal(Bytes::from(index.to_string())),
        });
        let entries: Vec<_> = entries.collect();
        let count = entries.len();
        assert_eq!(self.replica.apply(entries).await.unwrap().len(), count);
    }

    /// Receives bytes as a snapshot and checks it.
    async fn receive(&self, bytes: &[u8]) -> Result<SnapshotFile, StateFailed> {
        let name = self.replica.begin_receive().unwrap();
        for (piece, offset) in bytes.chunks(100).zip((0..).step_by(100)) {
            self.replica.receive(&name, offset, piece).unwrap();
        }
        let checked = self.replica.check_received(&name).await;
        if checked.is_err() {
            self.replica.discard(&name);
        }
        checked
    }

    fn files(&self) -> usize {
        self.disk.list("snapshots").unwrap().len()
    }

    fn hash(&self) -> Hash {
        self.replica.read(tongban_machine::state_hash).unwrap()
    }
}

fn bytes_of(file: &SnapshotFile) -> Bytes {
    let length = usize::try_from(file.length).unwrap();
    file.bytes.read(0, length).unwrap()
}

#[test]
fn a_snapshot_is_read_to_its_end_though_newer_ones_took_its_place() {
    World::reset(1);
    World::block_on(async {
        let house = House::new().await;
        house.apply(1..9).await;
        let first = house.replica.cut_snapshot().await.unwrap();
        let whole = bytes_of(&first);
        house.apply(9..40).await;
        let second = house.replica.cut_snapshot().await.unwrap();
        assert_eq!((first.index, second.index), (8, 39));
        assert_eq!(house.files(), 1);
        assert_eq!(bytes_of(&first), whole);
        assert_eq!(house.replica.current_snapshot().unwrap().name, second.name);
    });
}

#[test]
fn a_snapshot_of_another_replica_is_installed_and_makes_the_states_equal() {
    World::reset(2);
    World::block_on(async {
        let (sender, receiver) = (House::new().await, House::new().await);
        sender.apply(1..40).await;
        receiver.apply(1..3).await;
        receiver.replica.cut_snapshot().await.unwrap();
        let file = sender.replica.cut_snapshot().await.unwrap();
        let received = receiver.receive(&bytes_of(&file)).await.unwrap();
        assert_ne!(sender.hash(), receiver.hash());
        receiver.replica.install(&received).await.unwrap();
        assert_eq!(sender.hash(), receiver.hash());
        assert_eq!(receiver.replica.position().unwrap(), Some(file.position));
        assert_eq!(receiver.files(), 1);
        // One that goes on where the other does.
        sender.apply(40..50).await;
        receiver.apply(40..50).await;
        assert_eq!(sender.hash(), receiver.hash());
    });
}

#[test]
fn a_file_that_is_no_whole_snapshot_is_refused_and_leaves_state_and_folder_as_they_are() {
    World::reset(3);
    World::block_on(async {
        let house = House::new().await;
        house.apply(1..40).await;
        let whole = bytes_of(&house.replica.cut_snapshot().await.unwrap());
        let hash = house.hash();
        for at in 0..whole.len() {
            let mut damaged = whole.to_vec();
            damaged[at] ^= 1;
            let refused = [&damaged[..], &whole[..at]];
            for bytes in refused {
                let checked = house.receive(bytes).await;
                assert!(matches!(checked, Err(StateFailed::Rejected { .. })), "{at}");
            }
        }
        assert_eq!((house.hash(), house.files()), (hash, 1));
    });
}

#[test]
fn cutting_and_installing_at_once_never_mix() {
    for seed in 0..20 {
        World::reset(seed);
        World::block_on(async {
            let (sender, receiver) = (House::new().await, Arc::new(House::new().await));
            sender.apply(1..40).await;
            receiver.apply(1..9).await;
            let file = sender.replica.cut_snapshot().await.unwrap();
            let received = receiver.receive(&bytes_of(&file)).await.unwrap();
            let beside = Arc::clone(&receiver);
            let cut = SimRuntime::spawn(async move { beside.replica.cut_snapshot().await });
            receiver.replica.install(&received).await.unwrap();
            let cut = cut.await.unwrap().unwrap();
            assert!([8, 39].contains(&cut.index));
            assert_eq!(receiver.replica.current_snapshot().unwrap().index, 39);
            assert_eq!((sender.hash(), receiver.files()), (receiver.hash(), 1));
        });
    }
}

#[test]
fn nobody_reads_a_state_that_is_half_filled() {
    World::reset(5);
    World::block_on(async {
        let (sender, receiver) = (House::new().await, House::new().await);
        sender.apply(1..40).await;
        receiver.apply(1..9).await;
        let (old, new) = (receiver.hash(), sender.hash());
        let file = sender.replica.cut_snapshot().await.unwrap();
        let received = receiver.receive(&bytes_of(&file)).await.unwrap();
        let mut install = pin!(receiver.replica.install(&received));
        let (mut refused, mut seen) = (0, Vec::new());
        poll_fn(|context| {
            let poll = install.as_mut().poll(context);
            let is_filling = receiver.replica.is_filling();
            match receiver.replica.read(tongban_machine::state_hash) {
                Ok(hash) if !is_filling => seen.push(hash),
                Err(StateFailed::Filling) if is_filling => refused += 1,
                other => panic!("{is_filling} {other:?}"),
            }
            poll
        })
        .await
        .unwrap();
        assert!(refused > 0, "it was never looked at half filled");
        assert!(
            seen.iter().all(|hash| [old, new].contains(hash)),
            "{seen:?}"
        );
        assert_eq!(receiver.hash(), new);
    });
}

#[test]
fn a_snapshot_that_got_damaged_keeps_no_node_from_starting_and_is_replaced_while_it_runs() {
    World::reset(6);
    World::block_on(async {
        let (house, other) = (House::new().await, House::new().await);
        house.apply(1..40).await;
        let kept = house.replica.cut_snapshot().await.unwrap();
        let file = house.disk.open(&kept.name).unwrap();
        let middle = kept.length / 2;
        let byte = kept.bytes.read(middle, 1).unwrap()[0];
        file.write_at(middle, &[byte ^ 1]).unwrap();

        let again = House::open(house.store.clone(), house.disk.clone()).await;
        assert_eq!(again.hash(), house.hash());
        let damaged = bytes_of(&again.replica.current_snapshot().unwrap());
        let refused = other.receive(&damaged).await;
        assert!(matches!(refused, Err(StateFailed::Rejected { .. })));

        again.replica.start_checking();
        let mut seconds = 0..60;
        while other
            .receive(&bytes_of(&again.replica.current_snapshot().unwrap()))
            .await
            .is_err()
        {
            assert!(seconds.next().is_some(), "nobody replaced it");
            SimRuntime::sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(again.files(), 1);
    });
}

#[test]
fn a_state_that_is_gone_is_filled_from_no_damaged_snapshot() {
    World::reset(7);
    World::block_on(async {
        let house = House::new().await;
        house.apply(1..40).await;
        let kept = house.replica.cut_snapshot().await.unwrap();
        let empty = || Arc::new(MemoryStore::new(Owner::new(1), StoreOptions::default()));
        let filled = House::open(empty(), house.disk.clone()).await;
        assert_eq!(filled.hash(), house.hash());
        let file = house.disk.open(&kept.name).unwrap();
        let last = kept.bytes.read(kept.length - 1, 1).unwrap()[0];
        file.write_at(kept.length - 1, &[last ^ 1]).unwrap();
        let passed_over = House::open(empty(), house.disk.clone()).await;
        assert_eq!(passed_over.replica.position().unwrap(), None);
        assert!(passed_over.replica.current_snapshot().is_none());
    });
}
