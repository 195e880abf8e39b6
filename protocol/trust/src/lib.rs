//! Who may be believed: keys and signatures, the registry of the federation, certificates of voter
//! majorities, and documents with their offline verifier. Pure: no clock, randomness or IO; times
//! and salts are arguments. What a believed message may *do* is not decided here but in
//! `tongban-machine`.

mod certificate;
mod document;
mod error;
mod json;
mod placement_file;
mod registry;
mod signing;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod verified;

pub use certificate::{check_voters_in_time, verify_majority};
pub use document::{
    Check, CheckId, CheckResult, ClaimError, CompactError, DisclosableClaim, DisclosureError,
    DocumentDraft, DocumentType, HeaderError, Indication, IssueError, Issuer, Report, SigningInput,
    SubIndication, verify_document,
};
pub use error::TrustError;
pub use json::{
    DEPTH_MAX as JSON_DEPTH_MAX, Fields, Json, JsonError, JsonExpected, JsonFault, JsonKind,
    ShapeError, ShapeProblem, canonical, compact, indented, read_strict,
};
pub use placement_file::{PLACEMENT_SCHEMA, PlacementFile, PlacementFileError};
pub use registry::{
    CityEntry, CityRule, GovernanceOf, Holder, KeyEntry, KeyHolder, KeyId, KeyState, NodeEnrolment,
    NodeEntry, NodeRule, Registry, RegistryDraft, RegistryError, RegistryFile, WholeRule,
    governance_hash, verify_first, verify_next,
};
pub use signing::{SigningKey, admit_key, admit_sealing_key, verify_signed, verify_strict};
pub use verified::{Attributed, BatchSignature, LeafPlace, Verified};
