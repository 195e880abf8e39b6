//! What one log entry of an approval group holds. Every kind proves itself, whoever proposed it.

use serde::{Deserialize, Serialize};

use crate::command::{BatchHead, Command, CommandBatch, VoterReport};
use crate::keys::Signed;
use crate::parcel::{CertifiedParcels, Equivocation, Parcel, ParcelBatch};
use crate::placement::PlacementOrder;
use crate::records;

/// One log entry. Tags are permanent; new ones are appended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry {
    /// Orders of the group's own city, signed by its command key.
    Commands(CommandBatch),
    /// A voter's report of time and state: the encoded [`VoterReport`], signed by its voter key.
    Report(Signed),
    /// Parcels of another group, certified by its voters.
    Parcels(CertifiedParcels),
    /// A registry file, signed by governance keys.
    Registry(#[serde(with = "crate::run")] Vec<u8>),
    /// Registry files in the order of their versions, for a group that missed some: entered together
    /// or not at all, and only the last must not be expired.
    Registries(#[serde(with = "crate::run::list")] Vec<Vec<u8>>),
    /// Where a group's replicas stand: the encoded [`PlacementOrder`], signed by the governance key of
    /// that group's city.
    Placement(Signed),
}

// 1xx: what is inside a log. 2xx: what is signed. 3xx: what is stored by the machine.
records! {
    Entry = 100 v 1 "log entry";
    Command = 101 v 1 "command";
    BatchHead = 200 v 1 "head of a command batch";
    VoterReport = 201 v 1 "voter report";
    ParcelBatch = 202 v 1 "head of a parcel batch";
    Parcel = 203 v 1 "parcel";
    CertifiedParcels = 204 v 1 "certified parcels";
    Equivocation = 205 v 1 "equivocation";
    PlacementOrder = 212 v 1 "placement order";
}
