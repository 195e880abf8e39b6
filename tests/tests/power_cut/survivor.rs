//! What a power cut left of a node, opened by the node's own code: the log, the store, the newest
//! snapshot, the desk and the vault. Then the log is applied to its end, as a majority would have
//! it, and everything acknowledged must be there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use data_encoding::HEXLOWER;
use openraft_rt_tokio::TokioRuntime;
use tongban_machine::Machine;
use tongban_runtime::ports::{CommittedEntry, EntryBody, LocalLog, LocalTable, ReplicatedState};
use tongban_runtime::{
    Application, Forms, Hosted, KeyRing, NodeHandle, NodeSettings, Replica, RunningNode,
    RuntimeParts, Seeds, Tempo, Wait,
};
use tongban_store::{Bounds, SledStore};
use tongban_tests::city::{CITY, DISTRICT};
use tongban_tests::power_cut::Image;
use tongban_trust::{Registry, RegistryFile, governance_hash};
use tongban_types::{
    Actor, Calendar, Channel, CommandId, Entry, GroupId, HandlingMode, Hash, ItemVersion, KeyRole,
    NodeId, Role, decode,
};
use tongban_wal::{Wal, WalConfig};
use zeroize::Zeroizing;

use super::lives::Receipt;
use super::platform::{AlonePlatform, FileDisk, Leaderless, NoPeers, OsEntropy, SystemClock};

/// A node that does not open within this time is broken.
const PATIENCE: Duration = Duration::from_secs(30);
const CACHE_BYTES: u64 = 1024 * 1024;
/// Forms opened of an image, the newest ones: the others lie in the same places.
const FORMS: usize = 3;
const PAGE: usize = 100;
const CALENDAR: &str = include_str!("../../../protocol/calendar/2024-2026.json");

type Log = Wal<TokioRuntime, FileDisk>;

/// Opens images of one recorded node.
pub(crate) struct Opener {
    me: NodeId,
    group: GroupId,
    registry_file: Vec<u8>,
    registry: Arc<Registry>,
    signer: Arc<KeyRing>,
    calendar: Calendar,
}

/// A node at work on an image.
struct Survivor {
    log: Log,
    node: Arc<RunningNode<AlonePlatform>>,
}

impl Opener {
    /// With the keys of the recorded folder.
    pub(crate) fn new(me: &str, registry: &Path, folder: &Image) -> Result<Self> {
        let registry_file = std::fs::read(registry)?;
        let registry = RegistryFile::decode(&registry_file)?.registry().clone();
        Ok(Self {
            me: me.parse()?,
            group: GroupId(CITY.parse()?),
            registry_file,
            registry: Arc::new(registry),
            signer: Arc::new(key_ring(folder)?),
            calendar: serde_json::from_str(CALENDAR)?,
        })
    }

    /// Whether a folder holds everything acknowledged.
    pub(crate) fn check(&self, root: &Path, acks: &[Vec<u8>]) -> Result<()> {
        let receipts: Result<Vec<_>> = acks.iter().map(|ack| Receipt::decode(ack)).collect();
        let receipts = receipts?;
        let tokio = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let checked = tokio.block_on(async {
            tokio::time::timeout(PATIENCE, async {
                let survivor = self.open(root).await?;
                let checked = survivor.check(&receipts).await;
                survivor.node.stop().await;
                checked
            })
            .await
        });
        tokio.shutdown_background();
        checked.map_err(|_| anyhow!("no answer within {PATIENCE:?}"))?
    }

    async fn open(&self, root: &Path) -> Result<Survivor> {
        for folder in ["wal", "state", "snapshots"] {
            std::fs::create_dir_all(root.join(folder))?;
        }
        let disk = FileDisk::new(root);
        let (store, _) = SledStore::open(&root.join("state"), Bounds::with_cache(CACHE_BYTES))?;
        let store = Arc::new(store);
        let log = Log::open(disk.clone(), WalConfig::default()).await?;
        let machine = Machine::new(self.group, governance_hash(&self.registry));
        let replica = Replica::open(Arc::new(machine), store.clone(), disk, None).await?;
        replay(&log, &replica, self.group).await?;
        let node = RunningNode::prepare(RuntimeParts {
            blobs: Arc::new(tongban_runtime::NoBlobs),
            settings: self.settings(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
            transport: Arc::new(NoPeers),
            signer: self.signer.clone(),
            store,
            local: Arc::new(log.clone()),
            route_raft: |_| None,
        })
        .await?;
        let hosted = Hosted {
            group: Arc::new(Leaderless(self.group)),
            replica: Arc::new(replica),
        };
        node.run(BTreeMap::from([(self.group, hosted)]), None);
        Ok(Survivor { log, node })
    }

    fn settings(&self) -> NodeSettings {
        NodeSettings {
            me: self.me,
            registry_file: self.registry_file.clone(),
            registry: self.registry.clone(),
            items: Vec::new(),
            templates: BTreeMap::new(),
            calendar: self.calendar.clone(),
            tempo: Tempo::default(),
            forms: Forms::Sealed,
            older_registries: BTreeMap::new(),
        }
    }
}

/// Applies the log from where the state stands to its end. What is there was durable at a majority
/// or may yet be: applying all of it forgets nothing.
async fn replay(log: &Log, replica: &Replica<AlonePlatform>, group: GroupId) -> Result<()> {
    let applied = replica.applied_index();
    let purged = log.purged(group).map_or(0, |(upto, _)| upto);
    ensure!(
        purged <= applied,
        "the log is purged up to {purged} and the state stands at {applied}"
    );
    ensure!(
        applied == 0 || log.vote(group).is_some(),
        "there is state without a log"
    );
    let Some((last, _)) = log.last(group) else {
        return Ok(());
    };
    let mut next = if applied == 0 && purged == 0 {
        0
    } else {
        applied + 1
    };
    while next <= last {
        let entries = log.entries(group, next..=last, 1 << 20)?;
        let batch: Vec<CommittedEntry> = (next..)
            .zip(entries)
            .map(|(index, entry)| {
                ensure!(entry.index == index, "entry {index} is missing");
                let is_proposal = decode::<Entry>(&entry.bytes).is_ok();
                let body = if is_proposal {
                    EntryBody::Proposal(entry.bytes)
                } else {
                    EntryBody::Nothing
                };
                Ok(CommittedEntry {
                    index,
                    position: Vec::new(),
                    body,
                })
            })
            .collect::<Result<_>>()?;
        ensure!(!batch.is_empty(), "entry {next} is missing");
        next += batch.len() as u64;
        replica.apply(batch).await?;
    }
    Ok(())
}

impl Survivor {
    async fn check(&self, receipts: &[Receipt]) -> Result<()> {
        let mut known = self.cases()?;
        for receipt in receipts {
            self.check_kept(receipt, &known)
                .with_context(|| format!("case {} is lost", receipt.case))?;
        }
        for receipt in receipts.iter().rev().take(FORMS) {
            self.check_form(receipt)
                .with_context(|| format!("form of {}", receipt.case))?;
        }
        // It goes on, and gives no number twice.
        known.extend(receipts.iter().map(|receipt| receipt.case.clone()));
        let next = self.collect().await?;
        ensure!(!known.contains(&next), "number {next} is given twice");
        Ok(())
    }

    /// Numbers in the group's state.
    fn cases(&self) -> Result<BTreeSet<String>> {
        let mut numbers = BTreeSet::new();
        let mut from = None;
        loop {
            let page = self.node.cases(None, from, PAGE)?;
            numbers.extend(
                page.cases
                    .iter()
                    .map(|case| case.envelope.number.to_string()),
            );
            match page.next {
                Some(next) => from = Some(next),
                None => return Ok(numbers),
            }
        }
    }

    fn check_kept(&self, receipt: &Receipt, group: &BTreeSet<String>) -> Result<()> {
        if !group.contains(&receipt.case) {
            let waiting = self.node.case(receipt.case.parse()?)?;
            ensure!(waiting.receipt.is_some(), "the desk has no receipt of it");
        }
        let key = self.log.get(LocalTable::Vault, receipt.case.as_bytes());
        ensure!(key.is_some_and(|key| key.len() == 32), "its key is gone");
        Ok(())
    }

    fn check_form(&self, receipt: &Receipt) -> Result<()> {
        let case = self.node.case(receipt.case.parse()?)?;
        let form = case.form.context("its key does not open it")?;
        let form = String::from_utf8(form)?;
        ensure!(form.contains(&receipt.phone), "it is another's form");
        ensure!(case.receipt.is_some(), "there is no receipt");
        Ok(())
    }

    async fn collect(&self) -> Result<String> {
        let actor = Actor {
            city: CITY.parse()?,
            person: "window".parse()?,
            role: Role::Clerk,
        };
        let application = Application {
            attachments: Vec::new(),
            item: ItemVersion {
                code: "000109900001".parse()?,
                version: 1,
            },
            item_file: Hash::default(),
            mode: HandlingMode::CollectedElsewhere,
            authority_division: DISTRICT.parse()?,
            subject: "the first after the cut".to_owned(),
            form: b"{}".to_vec(),
            channel: Channel::Window,
            hand_over: false,
        };
        let id = CommandId::derive(b"after the cut", b"1");
        let collected = self
            .node
            .collect(actor, id, application, Wait::Stored)
            .await?;
        Ok(collected.case.to_string())
    }
}

fn key_ring(folder: &Image) -> Result<KeyRing> {
    let seed = |role: &str| -> Result<Zeroizing<[u8; 32]>> {
        let file = folder.0.get(&format!("keys/{role}.key"));
        let digits = file.and_then(Option::as_ref).context("a key file")?;
        let bytes = HEXLOWER.decode(digits.trim_ascii_end())?;
        Ok(Zeroizing::new(bytes.try_into().ok().context("32 bytes")?))
    };
    let roles = [
        KeyRole::Transport,
        KeyRole::Command,
        KeyRole::Voter,
        KeyRole::Receipt,
        KeyRole::Issuer,
    ];
    let mut seeds = Seeds::new();
    for role in roles {
        seeds.insert(role, seed(role.name())?);
    }
    Ok(KeyRing::new(&seeds, &seed("sealing")?))
}
