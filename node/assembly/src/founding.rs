//! The governance keys a node began with, which sign the first registry of a group.

use tongban_runtime::NodeSettings;
use tongban_runtime::ports::{LocalLog, LocalTable, LocalWrite, LogFailed};
use tongban_trust::{RegistryFile, governance_hash};
use tongban_types::Hash;

/// The record the founding governance keys stand under.
const GOVERNANCE: &[u8] = b"governance";

/// The governance keys this start would begin with: those of the oldest registry it was given.
pub(crate) fn founding_governance(settings: &NodeSettings) -> Hash {
    let oldest = settings.older_registries.values().next();
    let oldest = oldest.and_then(|file| RegistryFile::decode(file).ok());
    match oldest {
        Some(file) => governance_hash(file.registry()),
        None => governance_hash(&settings.registry),
    }
}

/// The governance keys that may sign the first registry of a group, settled at the first start and
/// never again: what `apply` believes must not change with the registry a node holds today.
pub(crate) async fn settle_founding(
    log: &dyn LocalLog,
    begun_with: Hash,
) -> Result<Hash, LogFailed> {
    let settled = log.get(LocalTable::Founding, GOVERNANCE);
    if let Some(hash) = settled.and_then(|bytes| bytes.try_into().ok()) {
        return Ok(Hash(hash));
    }
    let write = LocalWrite {
        table: LocalTable::Founding,
        key: GOVERNANCE.to_vec(),
        value: Some(begun_with.0.to_vec()),
    };
    log.write(vec![write]).await?;
    Ok(begun_with)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Mutex;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[derive(Default)]
    struct Kept(Mutex<Option<Vec<u8>>>);

    #[async_trait::async_trait]
    impl LocalLog for Kept {
        fn get(&self, table: LocalTable, key: &[u8]) -> Option<Vec<u8>> {
            assert_eq!((table, key), (LocalTable::Founding, GOVERNANCE));
            self.0.lock().ok()?.clone()
        }

        fn scan(&self, _: LocalTable, _: &[u8], _: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
            Vec::new()
        }

        fn count(&self, _: LocalTable) -> usize {
            usize::from(self.0.lock().is_ok_and(|kept| kept.is_some()))
        }

        fn failed(&self) -> Option<LogFailed> {
            None
        }

        async fn write(&self, mut writes: Vec<LocalWrite>) -> Result<(), LogFailed> {
            if let Ok(mut kept) = self.0.lock() {
                *kept = writes.pop().and_then(|write| write.value);
            }
            Ok(())
        }
    }

    fn settle(log: &Kept, begun_with: Hash) -> Option<Hash> {
        let settling = pin!(settle_founding(log, begun_with));
        match settling.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(settled) => settled.ok(),
            Poll::Pending => None,
        }
    }

    #[test]
    fn the_governance_keys_of_the_first_start_stay_whatever_registry_is_held_later() {
        let log = Kept::default();
        assert_eq!(settle(&log, Hash([1; 32])), Some(Hash([1; 32])));
        assert_eq!(settle(&log, Hash([2; 32])), Some(Hash([1; 32])));
    }
}
