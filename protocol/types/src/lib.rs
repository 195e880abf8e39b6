//! Vocabulary of Tongban: identifiers, time, limits, codes, hashes, codec, and the records that are
//! written to logs and wires. No rule lives here, only shapes; what may be done with them is in
//! `tongban-machine`, and who may be believed in `tongban-trust`.

mod attachment;
mod backup;
mod calendar;
mod case;
mod case_number;
mod check_character;
mod codec;
mod codes;
mod command;
mod credit;
mod division;
mod division_table;
mod entry;
mod hash;
mod ids;
mod item;
mod keys;
pub mod limits;
mod parcel;
mod people;
mod placement;
mod receipt;
mod resident;
pub mod run;
mod sealed;
mod time;

pub use attachment::{Attachment, BlobHash, Layout, Manifest, Package};
pub use backup::{
    BACKUP_MAGIC, BackedUpState, BackupHead, BackupManifest, BackupPart, BackupPiece,
};
pub use calendar::{Calendar, CalendarYear, DueDay, Holiday, UnsoundCalendar};
pub use case::{CaseEnvelope, CaseState, CaseVersion, Channel, Decision, DueTime};
pub use case_number::CaseNumber;
pub use codec::{DecodeError, Record, decode, encode};
pub use codes::{Code, CodeEntry};
pub use command::{
    AskCorrection, BatchHead, Collect, Command, CommandBatch, CommandBody, CommandId, Correct,
    Decide, IssueDocument, OnCase, PrepareDocument, RequestTag, Review, VoterReport, WithReason,
};
pub use credit::CreditCode;
pub use division::{Division, DivisionLevel};
pub use entry::Entry;
pub use hash::{
    Hash, leaf_hash, merkle_path, merkle_paths, merkle_root, root_from_path, sha256, sha256_parts,
};
pub use ids::{CityCode, GroupId, MalformedId, NodeId};
pub use item::{HandlingMode, ItemCode, ItemTerms, ItemVersion};
pub use keys::{KeyRole, PublicKey, Purpose, SealingPublicKey, Signature, Signed};
pub use parcel::{
    Answer, CertifiedParcels, Equivocation, IssuedDocument, Packet, PacketBody, Parcel,
    ParcelBatch, PlacedParcel, Standing, Step, Verdict,
};
pub use people::{Actor, PersonId, Role};
pub use placement::PlacementOrder;
pub use receipt::{Receipt, ReceiptBody, ReplicatedReceipt};
pub use resident::ResidentId;
pub use sealed::{Sealed, SealedUse};
pub use time::{CHINA_OFFSET_MS, CivilDay, DAY_MS, Timestamp};
