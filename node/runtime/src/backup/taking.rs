//! Making a backup, of a node that runs or one that is stopped, in one pass and in bounded memory.

use std::sync::Arc;

use async_trait::async_trait;
use sha2::{Digest, Sha256};
use tongban_types::limits::{BACKUP_CHUNK_BYTES, BACKUP_PARTS_MAX, BACKUP_TEXT_BYTES_MAX};
use tongban_types::{
    BACKUP_MAGIC, BackupHead, BackupManifest, BackupPart, BackupPiece, Hash, KeyRole, NodeId,
    Purpose, SealingPublicKey, encode, sha256,
};
use zeroize::Zeroizing;

use super::fault::BackupFault;
use super::frame::{FrameKind, frame};
use super::seal::{BackupCipher, ChunkPlace};
use super::{BEFORE_STATES, BEHIND_STATES, RecordPage};
use crate::handle::NodeHandle;
use crate::ports::{LocalLog, LocalTable};
use crate::replica::Replica;
use crate::seams::{Platform, Signer, WallClock};
use crate::signal::give_way;

/// Pairs looked at together while a table is read.
const SCANNED_PAIRS: usize = 256;

/// Takes the bytes of a backup, in order.
#[async_trait]
pub trait BackupSink: Send {
    /// Takes some; an error ends the backup.
    async fn put(&mut self, bytes: Vec<u8>) -> std::io::Result<()>;
}

/// What a backup is made of.
pub struct BackupSource<P: Platform> {
    /// Whose it is.
    pub node: NodeId,
    /// The key it is sealed to.
    pub recovery: SealingPublicKey,
    /// The node's own records.
    pub local: Arc<dyn LocalLog>,
    /// The groups it keeps a replica of.
    pub replicas: Vec<Arc<Replica<P>>>,
    /// The registries it holds, by name.
    pub files: Vec<(String, Vec<u8>)>,
    /// Signs what it says of itself.
    pub signer: Arc<P::Signer>,
    /// Draws its key.
    pub entropy: Arc<P::Entropy>,
    /// Dates it.
    pub clock: Arc<P::Clock>,
}

impl<P: Platform> std::fmt::Debug for BackupSource<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BackupSource(of {})", self.node)
    }
}

/// Makes a backup. What was drawn or stored at the desk is taken first, then the states, keys last; between
/// them a node that runs brings its replica up to date with its group, if there is a majority to ask.
pub async fn take_backup<P: Platform>(
    source: &BackupSource<P>,
    running: Option<&dyn NodeHandle>,
    sink: &mut dyn BackupSink,
) -> Result<BackupManifest, BackupFault> {
    let mut writing = Writing::begin(source, sink).await?;
    for (name, bytes) in &source.files {
        let part = BackupPart::File { name: name.clone() };
        writing.whole(part, bytes).await?;
    }
    for table in BEFORE_STATES {
        writing.records(&*source.local, table).await?;
    }
    let caught_up = match running {
        Some(node) => node.catch_up().await.is_ok(),
        None => false,
    };
    for replica in &source.replicas {
        writing.state(replica).await?;
    }
    for table in BEHIND_STATES {
        writing.records(&*source.local, table).await?;
    }
    writing.end(source, caught_up).await
}

/// A backup being written.
struct Writing<'a> {
    sink: &'a mut dyn BackupSink,
    cipher: BackupCipher,
    head: Hash,
    pieces: Vec<BackupPiece>,
    /// Chunks of the part under way, and the hash over its frames.
    chunks: u32,
    hasher: Sha256,
}

impl<'a> Writing<'a> {
    async fn begin<P: Platform>(
        source: &BackupSource<P>,
        sink: &'a mut dyn BackupSink,
    ) -> Result<Self, BackupFault> {
        let set_up = BackupCipher::set_up(&*source.entropy, source.recovery);
        let (key, encapped) = set_up.ok_or(BackupFault::NoRecoveryKey)?;
        let head = encode(&BackupHead {
            node: source.node,
            begun_at: source.clock.now(),
            recovery: source.recovery,
            encapped,
        });
        let mut bytes = BACKUP_MAGIC.to_vec();
        let length = u32::try_from(head.len()).expect("a head has some hundred bytes");
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&head);
        sink.put(bytes).await?;
        let head = sha256(&head);
        Ok(Self {
            sink,
            cipher: BackupCipher::new(key, head),
            head,
            pieces: Vec::new(),
            chunks: 0,
            hasher: Sha256::new(),
        })
    }

    async fn chunk(&mut self, text: &[u8], is_last: bool) -> Result<(), BackupFault> {
        let place = ChunkPlace {
            part: u32::try_from(self.pieces.len()).expect("parts are bounded"),
            chunk: self.chunks,
            is_last,
        };
        if text.len() > BACKUP_TEXT_BYTES_MAX {
            return Err(BackupFault::TooMuch { what: "a record" });
        }
        let framed = frame(place.kind(), &self.cipher.seal(place, text));
        self.hasher.update(&framed);
        self.chunks += 1;
        self.sink.put(framed).await?;
        Ok(())
    }

    fn close(&mut self, part: BackupPart) -> Result<(), BackupFault> {
        if self.pieces.len() == BACKUP_PARTS_MAX {
            let what = "the number of groups and files";
            return Err(BackupFault::TooMuch { what });
        }
        let hasher = std::mem::replace(&mut self.hasher, Sha256::new());
        self.pieces.push(BackupPiece {
            part,
            chunks: std::mem::take(&mut self.chunks),
            sealed: Hash(hasher.finalize().into()),
        });
        Ok(())
    }

    async fn whole(&mut self, part: BackupPart, bytes: &[u8]) -> Result<(), BackupFault> {
        let mut pieces = bytes.chunks(BACKUP_CHUNK_BYTES).peekable();
        if pieces.peek().is_none() {
            self.chunk(&[], true).await?;
        }
        while let Some(piece) = pieces.next() {
            self.chunk(piece, pieces.peek().is_none()).await?;
        }
        self.close(part)
    }

    /// A table as it is read from its beginning to its end; what is added meanwhile may be in it.
    async fn records(
        &mut self,
        local: &dyn LocalLog,
        table: LocalTable,
    ) -> Result<(), BackupFault> {
        let (mut from, mut pairs) = (Vec::new(), 0_u64);
        let mut page = RecordPage::default();
        let mut bytes = 0;
        loop {
            let found = local.scan(table, &from, SCANNED_PAIRS);
            let is_end = found.len() < SCANNED_PAIRS;
            for (key, value) in found {
                from.clone_from(&key);
                from.push(0);
                pairs += 1;
                bytes += key.len() + value.len() + 8;
                page.0.push((key, value));
                if bytes >= BACKUP_CHUNK_BYTES {
                    let text = Zeroizing::new(encode(&page));
                    self.chunk(&text, false).await?;
                    page = RecordPage::default();
                    bytes = 0;
                }
            }
            if is_end {
                break;
            }
            give_way().await;
        }
        let text = Zeroizing::new(encode(&page));
        self.chunk(&text, true).await?;
        let table = table as u8;
        self.close(BackupPart::Records { table, pairs })
    }

    async fn state<P: Platform>(&mut self, replica: &Replica<P>) -> Result<(), BackupFault> {
        let Some(aside) = replica.cut_aside().await? else {
            return Ok(());
        };
        let mut at = 0;
        while at < aside.file.length {
            let piece = aside.file.bytes.read(at, BACKUP_CHUNK_BYTES)?;
            at += piece.len() as u64;
            self.chunk(&piece, at >= aside.file.length).await?;
        }
        self.close(BackupPart::State(aside.state))
    }

    async fn end<P: Platform>(
        self,
        source: &BackupSource<P>,
        caught_up: bool,
    ) -> Result<BackupManifest, BackupFault> {
        let manifest = BackupManifest {
            head: self.head,
            ended_at: source.clock.now(),
            caught_up,
            attachments: source.local.count(LocalTable::Files) as u64,
            pieces: self.pieces,
        };
        let bytes = encode(&manifest);
        let message = Purpose::BackupManifest.message(&bytes);
        let signer = source.signer.public(KeyRole::Receipt);
        let signature = source.signer.sign(KeyRole::Receipt, &message);
        let (signer, signature) = signer.zip(signature).ok_or(BackupFault::NoReceiptKey)?;
        let mut signed = signer.0.to_vec();
        signed.extend_from_slice(&signature.0);
        signed.extend_from_slice(&bytes);
        self.sink.put(frame(FrameKind::Manifest, &signed)).await?;
        Ok(manifest)
    }
}
