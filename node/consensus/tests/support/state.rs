//! A replicated state in memory: the proposals it applied, by index, and its snapshot files.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use tongban_runtime::ports::{
    CommittedEntry, EntryBody, Placement, ReplicatedState, SnapshotBytes, SnapshotFile, StateFailed,
};

/// Bytes a snapshot may have here.
const ROOM_BYTES: u64 = 1 << 30;

/// The state; clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryState(Arc<Mutex<Content>>);

#[derive(Clone, Debug, Default)]
struct Content {
    position: Vec<u8>,
    proposals: BTreeMap<u64, Bytes>,
    files: BTreeMap<String, Vec<u8>>,
    current: Option<SnapshotFile>,
    files_made: u64,
    last_index: u64,
    applied_twice: bool,
}

struct HeldBytes(Bytes);

impl SnapshotBytes for HeldBytes {
    fn read(&self, offset: u64, length: usize) -> Result<Bytes, StateFailed> {
        let from = usize::try_from(offset).unwrap();
        Ok(self.0.slice(from..self.0.len().min(from + length)))
    }
}

impl MemoryState {
    /// The same node's state after its store was lost: only the snapshot files are left.
    pub(crate) fn without_store(&self) -> Self {
        let content = self.0.lock().unwrap();
        Self(Arc::new(Mutex::new(Content {
            files: content.files.clone(),
            current: content.current.clone(),
            files_made: content.files_made,
            ..Content::default()
        })))
    }

    /// How many snapshot files there are, received ones included.
    pub(crate) fn file_count(&self) -> usize {
        self.0.lock().unwrap().files.len()
    }

    /// What was applied, in order.
    pub(crate) fn proposals(&self) -> Vec<Bytes> {
        let content = self.0.lock().unwrap();
        assert!(!content.applied_twice, "an index was applied twice");
        content.proposals.values().cloned().collect()
    }
}

impl Content {
    fn new_name(&mut self, kind: &str) -> String {
        self.files_made += 1;
        format!("snapshots/{kind}-{}", self.files_made)
    }

    fn file(name: String, bytes: &[u8]) -> Option<SnapshotFile> {
        let (index, rest) = bytes.split_first_chunk::<8>()?;
        let position = take(&mut &*rest)?.to_vec();
        Some(SnapshotFile {
            name,
            length: bytes.len() as u64,
            index: u64::from_le_bytes(*index),
            position,
            bytes: Arc::new(HeldBytes(Bytes::copy_from_slice(bytes))),
        })
    }

    fn to_file(&self) -> Vec<u8> {
        let mut file = self.last_index.to_le_bytes().to_vec();
        put(&mut file, &self.position);
        for (index, bytes) in &self.proposals {
            file.extend_from_slice(&index.to_le_bytes());
            put(&mut file, bytes);
        }
        file.extend_from_slice(b"whole");
        file
    }

    fn replace_by(&mut self, file: &[u8]) -> Option<()> {
        let (index, mut rest) = file.strip_suffix(b"whole")?.split_first_chunk::<8>()?;
        let position = take(&mut rest)?.to_vec();
        let mut proposals = BTreeMap::new();
        while !rest.is_empty() {
            let (index, behind) = rest.split_first_chunk::<8>()?;
            rest = behind;
            let bytes = Bytes::copy_from_slice(take(&mut rest)?);
            proposals.insert(u64::from_le_bytes(*index), bytes);
        }
        self.position = position;
        self.proposals = proposals;
        self.last_index = u64::from_le_bytes(*index);
        Some(())
    }
}

fn put(file: &mut Vec<u8>, bytes: &[u8]) {
    file.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    file.extend_from_slice(bytes);
}

fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, behind) = rest.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (bytes, behind) = behind.split_at_checked(length)?;
    *rest = behind;
    Some(bytes)
}

#[async_trait]
impl ReplicatedState for MemoryState {
    fn position(&self) -> Result<Option<Vec<u8>>, StateFailed> {
        let content = self.0.lock().unwrap();
        Ok((!content.position.is_empty()).then(|| content.position.clone()))
    }

    fn placement_behind(&self, entries: &[Bytes]) -> Result<Option<Placement>, StateFailed> {
        let content = self.0.lock().unwrap();
        let all = content.proposals.values().chain(entries);
        let orders = all.filter_map(|bytes| read_order(bytes));
        Ok(orders.max_by_key(|order| order.version))
    }

    async fn apply(&self, entries: Vec<CommittedEntry>) -> Result<Vec<Bytes>, StateFailed> {
        let mut content = self.0.lock().unwrap();
        let mut replies = Vec::new();
        for entry in entries {
            content.position = entry.position;
            content.last_index = entry.index;
            match entry.body {
                EntryBody::Nothing => replies.push(Bytes::new()),
                EntryBody::Proposal(bytes) => {
                    replies.push(Bytes::from(entry.index.to_string()));
                    let before = content.proposals.insert(entry.index, bytes);
                    content.applied_twice |= before.is_some();
                }
            }
        }
        Ok(replies)
    }

    async fn cut_snapshot(&self) -> Result<SnapshotFile, StateFailed> {
        let mut content = self.0.lock().unwrap();
        let bytes = content.to_file();
        let file = Content::file(content.new_name("cut"), &bytes).unwrap();
        if let Some(older) = content.current.take() {
            content.files.remove(&older.name);
        }
        content.files.insert(file.name.clone(), bytes);
        content.current = Some(file.clone());
        Ok(file)
    }

    fn current_snapshot(&self) -> Option<SnapshotFile> {
        self.0.lock().unwrap().current.clone()
    }

    fn check_room(&self, length: u64, left: u64) -> Result<(), StateFailed> {
        assert!(left <= length);
        if length <= ROOM_BYTES {
            return Ok(());
        }
        Err(StateFailed::Rejected {
            reason: "there is no room for it".to_owned(),
        })
    }

    fn begin_receive(&self) -> Result<String, StateFailed> {
        let mut content = self.0.lock().unwrap();
        let name = content.new_name("received");
        content.files.insert(name.clone(), Vec::new());
        Ok(name)
    }

    fn receive(&self, name: &str, offset: u64, piece: &[u8]) -> Result<(), StateFailed> {
        let mut content = self.0.lock().unwrap();
        let file = content.files.get_mut(name).unwrap();
        let from = usize::try_from(offset).unwrap();
        file.resize(file.len().max(from + piece.len()), 0);
        file[from..from + piece.len()].copy_from_slice(piece);
        Ok(())
    }

    async fn check_received(&self, name: &str) -> Result<SnapshotFile, StateFailed> {
        let bytes = self.0.lock().unwrap().files[name].clone();
        let is_whole = Content::default().replace_by(&bytes).is_some();
        let file = is_whole.then(|| Content::file(name.to_owned(), &bytes));
        file.flatten().ok_or_else(|| StateFailed::Rejected {
            reason: "it is not whole".to_owned(),
        })
    }

    fn discard(&self, name: &str) {
        let mut content = self.0.lock().unwrap();
        if content
            .current
            .as_ref()
            .is_none_or(|file| file.name != name)
        {
            content.files.remove(name);
        }
    }

    async fn install(&self, file: &SnapshotFile) -> Result<(), StateFailed> {
        let mut content = self.0.lock().unwrap();
        let bytes = content.files[&file.name].clone();
        content.replace_by(&bytes).unwrap();
        if let Some(older) = content.current.replace(file.clone())
            && older.name != file.name
        {
            content.files.remove(&older.name);
        }
        Ok(())
    }
}

/// An order as this double writes it: a tag that says it is about places where real entries have theirs,
/// then the version, the voters and the learners.
pub(crate) fn write_order(version: u8, voters: &[u64], learners: &[u64]) -> Bytes {
    let mut bytes = vec![0, 0, 0, 0, 5, version];
    for nodes in [voters, learners] {
        bytes.push(u8::try_from(nodes.len()).unwrap());
        for node in nodes {
            bytes.extend_from_slice(&node.to_le_bytes());
        }
    }
    bytes.into()
}

fn read_order(bytes: &[u8]) -> Option<Placement> {
    let (version, mut rest) = bytes.strip_prefix(&[0, 0, 0, 0, 5])?.split_first()?;
    let mut nodes = || {
        let (count, behind) = rest.split_first()?;
        let (nodes, behind) = behind.split_at_checked(usize::from(*count) * 8)?;
        rest = behind;
        let nodes = nodes.chunks(8).map(|node| node.try_into().unwrap());
        let nodes = nodes.map(|node| tongban_types::NodeId::from_u64(u64::from_le_bytes(node)));
        nodes.collect::<Result<Vec<_>, _>>().ok()
    };
    Some(Placement {
        version: u64::from(*version),
        voters: nodes()?,
        learners: nodes()?,
    })
}
