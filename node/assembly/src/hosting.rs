//! Taking up one group on a node: its state, and its part in Raft.

use std::sync::Arc;

use async_trait::async_trait;
use tongban_consensus::{GroupConfig, RaftGroup};
use tongban_machine::Machine;
use tongban_runtime::ports::GroupHandle;
use tongban_runtime::seams::Platform;
use tongban_runtime::{GroupOpener, Hosted, Replica, Told, Witness};
use tongban_trust::Registry;
use tongban_types::{GroupId, Hash, NodeId};
use tongban_wal::Wal;

use crate::error::StartError;
use crate::set_aside::SetAside;
use crate::tempo::RaftTempo;

/// What the groups of a node are opened over.
pub(crate) struct Hosting<P: Platform> {
    pub(crate) me: NodeId,
    pub(crate) genesis: Hash,
    pub(crate) store: Arc<P::Store>,
    pub(crate) disk: P::Disk,
    pub(crate) transport: Arc<P::Transport>,
    pub(crate) wal: Wal<P::Runtime, P::Disk>,
    pub(crate) raft: RaftTempo,
    pub(crate) witness: Option<Arc<dyn Witness>>,
}

impl<P: Platform> Hosting<P> {
    /// The groups this node takes part in: those it began with, less those it left, and those it was
    /// told to join.
    pub(crate) fn groups(&self, registry: &Registry) -> Vec<GroupId> {
        let groups = registry.cities().map(|(city, _)| GroupId(city));
        groups
            .filter(|group| self.hosts(registry, *group))
            .collect()
    }

    fn hosts(&self, registry: &Registry, group: GroupId) -> bool {
        match Told::read(&self.wal, group) {
            // Until its removal is committed it may be needed for a majority.
            Some(told) if told.has_left => false,
            Some(told) if told.names(self.me) => true,
            _ => registry.voters(group).contains(&self.me) || self.has_log(group),
        }
    }

    /// Whether the group ever ran here.
    fn has_log(&self, group: GroupId) -> bool {
        self.wal.vote(group).is_some() || self.wal.last(group).is_some()
    }

    /// Opens one group.
    pub(crate) async fn open_group(
        &self,
        group: GroupId,
        registry: &Registry,
    ) -> Result<Hosted<P>, StartError> {
        let replica = Replica::<P>::open(
            Arc::new(Machine::new(group, self.genesis)),
            self.store.clone(),
            self.disk.clone(),
            self.witness.clone(),
        );
        let replica = replica.await;
        let replica = Arc::new(replica.map_err(|source| StartError::State { group, source })?);
        let founding = registry.voters(group).to_vec();
        if let Some(reason) = replica.set_aside_reason() {
            let aside = set_aside(&replica, founding, reason.to_owned());
            return Ok(Hosted {
                group: aside,
                replica,
            });
        }
        let mut config = GroupConfig::new(group, self.me, founding.clone(), Vec::new());
        config.joins = Told::read(&self.wal, group).is_some() || !founding.contains(&self.me);
        self.raft.put_into(&mut config);
        let started = RaftGroup::<P::Runtime>::start(
            config,
            self.transport.clone(),
            self.wal.clone(),
            replica.clone(),
        );
        let group: GroupHandle = match started.await {
            Ok(raft) => {
                replica.start_checking();
                raft
            }
            // It met other states as it took its log up.
            Err(reason) if replica.has_diverged() => {
                set_aside(&replica, founding, reason.to_string())
            }
            Err(source) => return Err(StartError::Group { group, source }),
        };
        Ok(Hosted { group, replica })
    }
}

fn set_aside<P: Platform>(
    replica: &Replica<P>,
    voters: Vec<NodeId>,
    reason: String,
) -> GroupHandle {
    Arc::new(SetAside {
        group: replica.group(),
        voters,
        applied_index: replica.applied_index(),
        reason,
    })
}

#[async_trait]
impl<P: Platform> GroupOpener<P> for Hosting<P> {
    async fn open(&self, group: GroupId, registry: Arc<Registry>) -> Result<Hosted<P>, String> {
        let opened = self.open_group(group, &registry).await;
        opened.map_err(|error| {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            format!("{error}: {}", source.unwrap_or_default())
        })
    }
}
