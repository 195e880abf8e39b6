//! The node's own records: written in the same order as votes and entries, kept in memory.

use async_trait::async_trait;
use bytes::Bytes;
use openraft_rt::AsyncRuntime;
use tongban_runtime::ports::{LocalLog, LocalTable, LocalWrite, LogFailed};
use tongban_runtime::seams::Disk;

use crate::Wal;
use crate::config::{LOCAL_BYTES_MAX, LOCAL_KEY_BYTES_MAX};
use crate::format::{LocalChange, Record, encode_change};

#[async_trait]
impl<R: AsyncRuntime + Send + Sync, D: Disk> LocalLog for Wal<R, D> {
    fn get(&self, table: LocalTable, key: &[u8]) -> Option<Vec<u8>> {
        self.shared().tables_ref().get(table as u8, key)
    }

    fn scan(&self, table: LocalTable, from: &[u8], limit: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.shared().tables_ref().scan(table as u8, from, limit)
    }

    fn count(&self, table: LocalTable) -> usize {
        self.shared().tables_ref().count(table as u8)
    }

    fn failed(&self) -> Option<LogFailed> {
        Self::failed(self)
    }

    async fn write(&self, writes: Vec<LocalWrite>) -> Result<(), LogFailed> {
        let changes = Bytes::from(encode(&writes)?);
        self.write_durably(Record::Local { changes }).await
    }
}

fn encode(writes: &[LocalWrite]) -> Result<Vec<u8>, LogFailed> {
    let too_large = |what: &str, length: usize, length_max: usize| LogFailed {
        reason: format!("{what} of {length} bytes is beyond {length_max}"),
    };
    let mut bytes = Vec::new();
    for write in writes {
        let value = write.value.as_deref();
        if write.key.len() > LOCAL_KEY_BYTES_MAX {
            let length = write.key.len();
            return Err(too_large("a local key", length, LOCAL_KEY_BYTES_MAX));
        }
        let length = bytes.len() + value.map_or(0, <[u8]>::len);
        if length > LOCAL_BYTES_MAX {
            return Err(too_large("a local write", length, LOCAL_BYTES_MAX));
        }
        let change = LocalChange {
            table: write.table as u8,
            key: &write.key,
            value,
        };
        encode_change(change, &mut bytes);
    }
    Ok(bytes)
}
