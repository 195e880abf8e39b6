//! The vault alone under an offline recovery key: all its records sealed to an X25519 key whose private half
//! is kept away from every node, so that a city that loses its machines can still read its cases. A backup of
//! a whole node is in `backup`.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tongban_types::{Code, NodeId, SealingPublicKey, decode, encode, records};
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::key_ring::{KeyRing, Seeds};
use crate::ports::{LocalLog, LocalTable, LocalWrite, LogFailed};
use crate::sealing::PairwiseKey;
use crate::seams::{Entropy, Signer};

/// Names what is sealed, so that it opens as nothing else.
const INFO: &[u8] = b"tongban/vault-backup/v1";

/// Records written back at once: some kilobytes each at most, below what one write of the log takes.
const WRITTEN_MAX: usize = 1_024;

/// A vault as a node kept it, sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct VaultBackup {
    /// Whose vault it is.
    node: NodeId,
    /// The HPKE encapsulation of the key it is sealed under.
    encapped: [u8; 32],
    nonce: [u8; 24],
    ciphertext: Vec<u8>,
}

/// What is sealed: the vault's records, keys and values. Wiped when dropped.
#[derive(Serialize, Deserialize, ZeroizeOnDrop)]
struct VaultRecords(Vec<(Vec<u8>, Vec<u8>)>);

// 42x: files that leave a node.
records! {
    VaultBackup = 420 v 1 "backup of a vault";
    VaultRecords = 421 v 1 "records of a vault";
}

/// A backup, opened.
pub struct OpenedVault {
    /// Whose vault it was.
    pub node: NodeId,
    records: VaultRecords,
}

impl std::fmt::Debug for OpenedVault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OpenedVault(of {})", self.node)
    }
}

/// Why a backup is not made or not opened.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum VaultBackupFault {
    /// Nothing can be sealed to the key.
    #[error("the recovery key is no X25519 key")]
    NoRecoveryKey,
    /// The file is no backup of a vault.
    #[error("the file is no backup of a vault")]
    Malformed,
    /// The key is another, or the file was altered.
    #[error("the backup does not open under this recovery key, or was altered")]
    NotOpened,
}

impl VaultBackupFault {
    /// The code `explain` describes.
    pub const fn code(self) -> Code {
        match self {
            Self::NoRecoveryKey => Code::KEY_NOT_ADMISSIBLE,
            Self::Malformed => Code::MALFORMED_RECORD,
            Self::NotOpened => Code::SEAL_BROKEN,
        }
    }
}

/// Seals a node's vault to a recovery key; the file, and how many records it holds.
pub fn back_up_vault(
    log: &dyn LocalLog,
    node: NodeId,
    to: SealingPublicKey,
    entropy: &impl Entropy,
) -> Result<(Vec<u8>, usize), VaultBackupFault> {
    let records = VaultRecords(log.scan(LocalTable::Vault, b"", usize::MAX));
    let count = records.0.len();
    let text = Zeroizing::new(encode(&records));
    let seal = PairwiseKey::towards(entropy, to, INFO).ok_or(VaultBackupFault::NoRecoveryKey)?;
    let nonce = entropy.array();
    let aad = node.to_string();
    let payload = Payload {
        msg: &text,
        aad: aad.as_bytes(),
    };
    let ciphertext = XChaCha20Poly1305::new(&Key::from(*seal.key))
        .encrypt(&XNonce::from(nonce), payload)
        .expect("a vault is far below the cipher's bound of 256 GiB");
    let backup = VaultBackup {
        node,
        encapped: seal.encapped,
        nonce,
        ciphertext,
    };
    Ok((encode(&backup), count))
}

/// Opens a backup with the private half of the recovery key.
pub fn open_vault_backup(
    bytes: &[u8],
    seed: &Zeroizing<[u8; 32]>,
) -> Result<OpenedVault, VaultBackupFault> {
    let backup: VaultBackup = decode(bytes).map_err(|_| VaultBackupFault::Malformed)?;
    let key = KeyRing::new(&Seeds::new(), seed)
        .open_pairwise(&backup.encapped, INFO)
        .ok_or(VaultBackupFault::NotOpened)?;
    let aad = backup.node.to_string();
    let payload = Payload {
        msg: &backup.ciphertext,
        aad: aad.as_bytes(),
    };
    let text = XChaCha20Poly1305::new(&Key::from(*Zeroizing::new(key)))
        .decrypt(&XNonce::from(backup.nonce), payload)
        .map_err(|_| VaultBackupFault::NotOpened)?;
    let text = Zeroizing::new(text);
    let records = decode(&text).map_err(|_| VaultBackupFault::Malformed)?;
    Ok(OpenedVault {
        node: backup.node,
        records,
    })
}

impl OpenedVault {
    /// Puts back what the vault does not have, durably; how many records that were.
    pub async fn restore(&self, log: &dyn LocalLog) -> Result<usize, LogFailed> {
        let absent: Vec<_> = self
            .records
            .0
            .iter()
            .filter(|(key, _)| log.get(LocalTable::Vault, key).is_none())
            .collect();
        for piece in absent.chunks(WRITTEN_MAX) {
            let writes = piece.iter().map(|(key, value)| LocalWrite {
                table: LocalTable::Vault,
                key: key.clone(),
                value: Some(value.clone()),
            });
            log.write(writes.collect()).await?;
        }
        Ok(absent.len())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::pin::pin;
    use std::sync::{Mutex, MutexGuard, PoisonError};
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::counting::Counting;
    use crate::recovery_public;

    #[derive(Default)]
    struct Records(Mutex<BTreeMap<Vec<u8>, Vec<u8>>>);

    impl Records {
        fn lock(&self) -> MutexGuard<'_, BTreeMap<Vec<u8>, Vec<u8>>> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    #[async_trait::async_trait]
    impl LocalLog for Records {
        fn get(&self, _: LocalTable, key: &[u8]) -> Option<Vec<u8>> {
            self.lock().get(key).cloned()
        }

        fn scan(&self, table: LocalTable, _: &[u8], _: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
            assert_eq!(table, LocalTable::Vault);
            self.lock().clone().into_iter().collect()
        }

        fn count(&self, _: LocalTable) -> usize {
            self.lock().len()
        }

        fn failed(&self) -> Option<LogFailed> {
            None
        }

        async fn write(&self, writes: Vec<LocalWrite>) -> Result<(), LogFailed> {
            for write in writes {
                self.lock()
                    .extend(write.value.map(|value| (write.key, value)));
            }
            Ok(())
        }
    }

    fn restored(opened: &OpenedVault, log: &Records) -> usize {
        match pin!(opened.restore(log)).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(count)) => count,
            _ => usize::MAX,
        }
    }

    #[test]
    fn a_vault_comes_back_by_its_recovery_key_and_by_no_other() {
        let entropy = Counting::default();
        let node: NodeId = "610500-01".parse().unwrap();
        let vault = Records::default();
        vault.lock().insert(b"a case".to_vec(), vec![7; 32]);
        vault.lock().insert(b"pseudonym".to_vec(), vec![8; 32]);
        let seed = Zeroizing::new([3; 32]);
        let public = recovery_public(&seed);
        let (file, count) = back_up_vault(&vault, node, public, &entropy).unwrap();
        assert_eq!(count, 2);
        assert!(!file.windows(8).any(|window| window == [7; 8]));
        let opened = open_vault_backup(&file, &seed).unwrap();
        assert_eq!(opened.node, node);
        let empty = Records::default();
        assert_eq!(restored(&opened, &empty), 2);
        assert_eq!(*empty.lock(), *vault.lock());
        let own = Records::default();
        own.lock().insert(b"pseudonym".to_vec(), vec![9; 32]);
        assert_eq!(restored(&opened, &own), 1, "what is there stays");
        assert_eq!(own.lock()[b"pseudonym".as_slice()], [9; 32]);
        let refused = |file: &[u8], seed| open_vault_backup(file, &seed).map(|_| ()).unwrap_err();
        let wrong = refused(&file, Zeroizing::new([4; 32]));
        assert_eq!(
            (wrong, wrong.code()),
            (VaultBackupFault::NotOpened, Code::SEAL_BROKEN)
        );
        let mut altered = file.clone();
        let last = altered.len() - 1;
        altered[last] ^= 1;
        assert_eq!(refused(&altered, seed.clone()), VaultBackupFault::NotOpened);
        assert_eq!(refused(b"no backup", seed), VaultBackupFault::Malformed);
        let no_key = back_up_vault(&vault, node, SealingPublicKey([0; 32]), &entropy);
        assert_eq!(no_key.unwrap_err(), VaultBackupFault::NoRecoveryKey);
    }
}
