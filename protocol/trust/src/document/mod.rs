//! Documents: SD-JWT (RFC 9901) signed with Ed25519, profile 0: without holder binding, status list
//! and log. Issuing is deterministic, verifying is offline.

mod claims;
mod compact;
mod disclosure;
mod examination;
mod issue;
mod report;
mod verify;

pub use claims::{ClaimError, DocumentType};
pub use compact::{CompactError, HeaderError};
pub use disclosure::DisclosureError;
pub use issue::{DisclosableClaim, DocumentDraft, IssueError, SigningInput};
pub use report::{Check, CheckId, CheckResult, Indication, Issuer, Report, SubIndication};
pub use verify::verify_document;
