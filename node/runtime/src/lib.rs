//! How a node runs: the effect loop, the desk, the vault, and the seams to the outside. What may be
//! decided is in `tongban-machine`; Raft, the log, the store and libp2p are other rooms.

mod acts;
mod attachments;
mod backup;
mod blob_store;
mod catching_up;
mod certify;
mod channels;
mod core;
#[cfg(test)]
mod counting;
mod courier;
mod desk;
mod document;
mod draining;
mod entering;
mod feed;
#[cfg(fuzzing)]
pub mod fuzzing;
mod gauges;
mod gifts;
mod groups;
mod handle;
mod health;
mod key_ring;
mod moving;
mod numbers;
mod opener;
mod pairwise;
mod placing;
pub mod ports;
mod proposer;
mod receiving;
mod refusals;
mod relay;
mod replica;
mod rests;
mod running;
mod sealing;
pub mod seams;
mod shown_placements;
mod signal;
mod snapshot;
mod steward;
mod store_view;
mod submit;
mod switchboard;
mod telling;
mod template;
mod timekeeper;
mod told;
mod vault;
mod vault_backup;
mod wire;
mod with_files;

pub use crate::core::{Forms, Hosted, NodeSettings, RouteRaft, Tempo};
pub use attachments::Attachments;
pub use backup::{
    BackupChunk, BackupFault, BackupOpening, BackupSink, BackupSource, CheckedBackup, Examination,
    Restored, Restoring, TableCounts, WhatComesBack, check_backup, examine, recovery_public,
    table_name, take_backup,
};
pub use blob_store::{BlobError, BlobStore, NoBlobs, Upload, UploadId};
pub use draining::{Hindrance, hindrances};
pub use feed::{Change, ChangePlace, Changes};
pub use gauges::{AppliedCounts, GroupGauges, NodeGauges};
pub use groups::Groups;
pub use handle::{
    Act, Acted, Application, CasePage, Collected, GroupReport, NodeError, NodeHandle, NodeHealth,
    NodeReport, OpenedCase, OpenedMovement, Oversized, StoredCase, Wait,
};
pub use key_ring::{KeyRing, Seeds};
pub use opener::GroupOpener;
pub use replica::{Replica, Witness};
pub use running::{RunningNode, RuntimeParts};
pub use signal::{Listener, Signal};
pub use store_view::StoreView;
pub use template::{ClaimTemplate, DocumentTemplate};
pub use told::{Told, groups_told};
pub use vault_backup::{OpenedVault, VaultBackupFault, back_up_vault, open_vault_backup};

// What the handle shows of the machine, so that its users need not know the machine itself.
pub use tongban_machine::{
    Acceptance, CaseRecord, DecisionRecord, DocumentList, DocumentStage, Movement, PlacementPlan,
    Refusal, Request, ReviewRecord, Standpoint,
};
