//! Backups over simulated disks, real logs and real replicas: what is whole, what was altered, who can open
//! one, and what comes back.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::sync::Arc;

use bytes::Bytes;
use tongban_machine::Machine;
use tongban_runtime::ports::{
    CommittedEntry, EntryBody, LocalLog, LocalTable, LocalWrite, ReplicatedState,
};
use tongban_runtime::seams::{AsyncRuntime, Disk, Signer};
use tongban_runtime::{
    BackupFault, BackupOpening, BackupSink, BackupSource, CheckedBackup, Replica, Restored,
    Restoring, WhatComesBack, check_backup, recovery_public, take_backup,
};
use tongban_sim::clock::{CivilSkew, SkewedClock};
use tongban_sim::disk::{DiskOptions, SimDisk};
use tongban_sim::entropy::SeededEntropy;
use tongban_sim::platform::SimPlatform;
use tongban_sim::runtime::{Owner, SimRuntime, World};
use tongban_sim::signer::drawn_keys;
use tongban_sim::store::{MemoryStore, StoreOptions};
use tongban_types::{BackedUpState, CityCode, Code, GroupId, Hash, KeyRole, Purpose};
use tongban_wal::{Wal, WalConfig};
use zeroize::Zeroizing;

type Log = Wal<SimRuntime, SimDisk>;

fn group() -> GroupId {
    GroupId(CityCode::new(350_100).unwrap())
}

fn seed() -> Zeroizing<[u8; 32]> {
    Zeroizing::new([3; 32])
}

/// One machine: its disk, its log, and its replica of one group.
struct House {
    owner: Owner,
    disk: SimDisk,
    log: Log,
    replica: Arc<Replica<SimPlatform>>,
}

impl House {
    async fn new(number: u16) -> Self {
        let owner = Owner::new(number);
        let disk = SimDisk::new(owner, DiskOptions::default());
        Self::over(owner, disk).await
    }

    /// What stands on a disk, opened again with an empty store.
    async fn over(owner: Owner, disk: SimDisk) -> Self {
        let log = Log::open(disk.clone(), WalConfig::default()).await.unwrap();
        let store = Arc::new(MemoryStore::new(owner, StoreOptions::default()));
        let machine = Arc::new(Machine::new(group(), Hash::default()));
        let replica = Replica::open(machine, store, disk.clone(), None).await;
        Self {
            owner,
            disk,
            log,
            replica: Arc::new(replica.unwrap()),
        }
    }

    /// Closes its log, and opens what stands on its disk.
    async fn opened_anew(self) -> Self {
        let (owner, disk) = (self.owner, self.disk.clone());
        self.log.close().await.unwrap();
        drop(self);
        Self::over(owner, disk).await
    }

    async fn apply(&self, indexes: std::ops::Range<u64>) {
        let entries = indexes.map(|index| CommittedEntry {
            index,
            position: index.to_be_bytes().to_vec(),
            body: EntryBody::Proposal(Bytes::from(index.to_string())),
        });
        self.replica.apply(entries.collect()).await.unwrap();
    }

    async fn keep(&self, table: LocalTable, key: &str, value: Vec<u8>) {
        let write = LocalWrite {
            table,
            key: key.into(),
            value: Some(value),
        };
        self.log.write(vec![write]).await.unwrap();
    }

    fn source(&self) -> BackupSource<SimPlatform> {
        BackupSource {
            node: "350100-01".parse().unwrap(),
            recovery: recovery_public(&seed()),
            local: Arc::new(self.log.clone()),
            replicas: vec![self.replica.clone()],
            files: vec![("registry.json".to_owned(), b"{}".to_vec())],
            signer: Arc::new(drawn_keys(self.owner, &[KeyRole::Receipt])),
            entropy: Arc::new(SeededEntropy::new(self.owner, 1)),
            clock: Arc::new(SkewedClock::new(CivilSkew::default())),
        }
    }

    async fn back_up(&self) -> Vec<u8> {
        let mut file = Collected::default();
        take_backup(&self.source(), None, &mut file).await.unwrap();
        file.bytes
    }
}

/// Holds what it is given; in the middle of it, something may happen.
#[derive(Default)]
struct Collected {
    bytes: Vec<u8>,
    meanwhile: Option<Arc<House>>,
}

#[async_trait::async_trait]
impl BackupSink for Collected {
    async fn put(&mut self, bytes: Vec<u8>) -> std::io::Result<()> {
        self.bytes.extend(bytes);
        if let Some(house) = &self.meanwhile {
            let from = house.replica.applied_index() + 1;
            house.apply(from..from + 3).await;
        }
        Ok(())
    }
}

async fn restore(
    file: &[u8],
    seed: &Zeroizing<[u8; 32]>,
    house: &House,
    wanted: WhatComesBack,
) -> Result<Restored, BackupFault> {
    let checked = check_backup(file)?;
    let mut opening = BackupOpening::begin(file, &checked, seed)?;
    let mut restoring = Restoring::into(&house.log, &house.disk, wanted);
    while let Some(chunk) = opening.next_chunk()? {
        restoring.put(chunk).await?;
    }
    Ok(restoring.finish())
}

fn states(checked: &CheckedBackup) -> Vec<BackedUpState> {
    checked.states().copied().collect()
}

async fn filled(number: u16) -> House {
    let house = House::new(number).await;
    house.apply(1..40).await;
    for case in 0..3_000 {
        let key = format!("case {case:05}");
        house.keep(LocalTable::Vault, &key, vec![7; 32]).await;
    }
    house
        .keep(LocalTable::Desk, "waiting", vec![8; 28_000])
        .await;
    house.keep(LocalTable::Counters, "day", vec![9]).await;
    house
}

#[test]
fn what_comes_back_is_what_was_there_and_no_counter_with_it() {
    World::reset(1);
    World::block_on(async {
        let house = filled(1).await;
        let file = house.back_up().await;
        assert!(!file.windows(32).any(|window| window == [7; 32]));
        let checked = check_backup(&file[..]).unwrap();
        let promised = states(&checked);
        assert_eq!(promised.len(), 1);
        assert_eq!(house.replica.describe().await.unwrap(), Some(promised[0]));
        let fresh = House::new(2).await;
        let wanted = WhatComesBack::RecordsAndStates;
        let restored = restore(&file, &seed(), &fresh, wanted).await.unwrap();
        assert_eq!(restored.states, promised);
        assert_eq!(restored.records, checked.records());
        assert_eq!(restored.files["registry.json"], b"{}");
        for table in [LocalTable::Vault, LocalTable::Desk] {
            let scan = |house: &House| house.log.scan(table, b"", usize::MAX);
            assert!(!scan(&house).is_empty());
            assert_eq!(scan(&fresh), scan(&house));
        }
        assert_eq!(fresh.log.count(LocalTable::Counters), 0);
        // Opened anew, the replica holds the very state that was promised.
        let opened = fresh.opened_anew().await;
        assert_eq!(opened.replica.describe().await.unwrap(), Some(promised[0]));
    });
}

#[test]
fn a_backup_leaves_no_state_where_a_node_comes_back() {
    World::reset(2);
    World::block_on(async {
        let file = filled(1).await.back_up().await;
        let fresh = House::new(2).await;
        let restored = restore(&file, &seed(), &fresh, WhatComesBack::Records).await;
        assert_eq!(restored.unwrap().states, []);
        assert_eq!(fresh.disk.list("snapshots").unwrap(), Vec::<String>::new());
    });
}

#[test]
fn a_backup_holds_the_state_of_one_moment_though_the_group_goes_on() {
    World::reset(3);
    World::block_on(async {
        let house = Arc::new(filled(1).await);
        let mut file = Collected {
            meanwhile: Some(house.clone()),
            ..Collected::default()
        };
        take_backup(&house.source(), None, &mut file).await.unwrap();
        let promised = states(&check_backup(&file.bytes[..]).unwrap());
        assert!(promised[0].index < house.replica.applied_index());
        assert_eq!(house.disk.list("snapshots").unwrap(), Vec::<String>::new());
        let fresh = House::new(2).await;
        let wanted = WhatComesBack::RecordsAndStates;
        restore(&file.bytes, &seed(), &fresh, wanted).await.unwrap();
        let opened = fresh.opened_anew().await;
        assert_eq!(opened.replica.describe().await.unwrap(), Some(promised[0]));
    });
}

#[test]
fn a_backup_given_up_half_way_leaves_the_group_able_to_go_on_and_be_backed_up_again() {
    World::reset(4);
    World::block_on(async {
        let house = Arc::new(filled(1).await);
        let beside = house.clone();
        let broken_off =
            SimRuntime::spawn(async move { take_backup(&beside.source(), None, &mut Full).await });
        let ended = broken_off.await.unwrap();
        assert_eq!(ended.unwrap_err().code(), Code::FILE_UNUSABLE);
        house.apply(40..50).await;
        let promised = states(&check_backup(&house.back_up().await[..]).unwrap());
        assert_eq!(promised[0].index, 49);
    });
}

/// Takes nothing.
struct Full;

#[async_trait::async_trait]
impl BackupSink for Full {
    async fn put(&mut self, _: Vec<u8>) -> std::io::Result<()> {
        Err(std::io::Error::other("full"))
    }
}

#[test]
fn a_byte_changed_or_missing_anywhere_is_noticed_without_any_key() {
    World::reset(5);
    World::block_on(async {
        let house = House::new(1).await;
        house.apply(1..9).await;
        house.keep(LocalTable::Vault, "case", vec![7; 32]).await;
        let file = house.back_up().await;
        for at in 0..file.len() {
            let mut altered = file.clone();
            altered[at] ^= 1;
            let refused = check_backup(&altered[..]).unwrap_err().code();
            let codes = [Code::BACKUP_ALTERED, Code::BACKUP_NOT_WHOLE];
            assert!(codes.contains(&refused), "{at}: {refused}");
            let cut = check_backup(&file[..at]).unwrap_err();
            assert_eq!(cut.code(), Code::BACKUP_NOT_WHOLE, "{at}");
        }
        let longer = [&file[..], b"x"].concat();
        let refused = check_backup(&longer[..]).unwrap_err();
        assert_eq!(refused.code(), Code::BACKUP_ALTERED);
    });
}

#[test]
fn another_recovery_key_opens_nothing_and_is_told_whose_it_was() {
    World::reset(6);
    World::block_on(async {
        let file = filled(1).await.back_up().await;
        let fresh = House::new(2).await;
        let other = Zeroizing::new([4; 32]);
        let refused = restore(&file, &other, &fresh, WhatComesBack::Records).await;
        let refused = refused.unwrap_err();
        assert_eq!(refused.code(), Code::BACKUP_NOT_OPENED);
        let public = recovery_public(&seed()).0;
        let BackupFault::NotOpened { made_for } = refused else {
            panic!("{refused}")
        };
        assert_eq!(made_for.len(), 64);
        for (at, byte) in public.iter().enumerate() {
            assert_eq!(made_for[2 * at..2 * at + 2], format!("{byte:02x}"));
        }
        assert_eq!(fresh.log.count(LocalTable::Vault), 0);
    });
}

#[test]
fn chunks_of_one_backup_open_in_no_other_place() {
    World::reset(7);
    World::block_on(async {
        let house = filled(1).await;
        let (first, second) = (house.back_up().await, house.back_up().await);
        assert_ne!(first, second, "each has a key of its own");
        // Whoever can sign for the node still cannot mix sealed chunks: the seal itself refuses.
        let checked = check_backup(&first[..]).unwrap();
        let head = 8 + 4 + usize::from(first[11]);
        let mixed = [&first[..head], &second[head..]].concat();
        let mut opening = BackupOpening::begin(&mixed[..], &checked, &seed()).unwrap();
        let refused = opening.next_chunk().unwrap_err();
        assert_eq!(refused.code(), Code::BACKUP_ALTERED);
    });
}

#[test]
fn who_signed_a_backup_is_the_receipt_key_of_its_node() {
    World::reset(8);
    World::block_on(async {
        let house = filled(1).await;
        let checked = check_backup(&house.back_up().await[..]).unwrap();
        let keys = drawn_keys(house.owner, &[KeyRole::Receipt]);
        assert_eq!(keys.public(KeyRole::Receipt), Some(checked.signer));
        assert_eq!(Purpose::BackupManifest.role(), KeyRole::Receipt);
        let mut source = house.source();
        source.signer = Arc::new(drawn_keys(house.owner, &[KeyRole::Command]));
        let refused = take_backup(&source, None, &mut Collected::default()).await;
        assert_eq!(refused.unwrap_err().code(), Code::KEY_FILE_MISSING);
    });
}
