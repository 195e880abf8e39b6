//! openraft's own storage suite over our log and state machine.

use std::sync::Arc;

use openraft::testing::log::{StoreBuilder, Suite};
use openraft::{AsyncRuntime, StorageError};
use openraft_rt_tokio::TokioRuntime;
use tongban_types::{CityCode, GroupId};
use tongban_wal::{Wal, WalConfig};

use super::{LogStore, StateMachine};
use crate::raft_types::Types;
use crate::support::disk::MemoryDisk;
use crate::support::state::MemoryState;

type Log = LogStore<TokioRuntime, MemoryDisk>;
type Machine = StateMachine<TokioRuntime>;

struct Builder;

impl StoreBuilder<Types<TokioRuntime>, Log, Machine> for Builder {
    async fn build(&self) -> Result<((), Log, Machine), StorageError<Types<TokioRuntime>>> {
        let config = WalConfig {
            segment_bytes: 1 << 20,
            ..WalConfig::default()
        };
        let wal = Wal::open(MemoryDisk::default(), config).await.unwrap();
        let group = GroupId(CityCode::new(350_100).unwrap());
        let log = LogStore::new(wal, group, 1 << 20);
        let state = Arc::new(MemoryState::default());
        let machine = StateMachine::open(state, log.durable(), 5_000).unwrap();
        Ok(((), log, machine))
    }
}

#[test]
fn openrafts_storage_suite_passes_on_our_storage() {
    TokioRuntime::run(async {
        Suite::test_all(Builder).await.unwrap();
    });
}
