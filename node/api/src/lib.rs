//! HTTP JSON API, one operation a file; and what stands at its door: the catalogue that checks
//! forms, and access tokens with their roles. It knows the runtime's handle and nothing behind it.
//! Addresses, TLS and configuration are the daemon's.

mod authorization;
mod catalogue;
mod file_body;
mod json_schema;
mod limits;
mod links;
mod metrics;
mod openapi;
mod operations;
mod places;
mod problem;
mod rates;
mod refusal;
mod rendering;
mod request;
mod router;
mod said;
mod serving;
mod shapes;
mod state;
mod streaming;
mod trace;

pub use authorization::{
    AccessToken, FileTokenBook, ListedToken, NewToken, Operation, Session, TokenBook,
    TokenBookError, TokenFileFault,
};
pub use catalogue::{
    Catalogue, CatalogueError, CheckedForm, Fee, FieldFault, FormFault, Guide, Item, Material,
    MaterialForm, MaterialSource, Names, Reach,
};
pub use json_schema::{JsonSchema, SchemaFault};
pub use links::{PeerLink, PeerLinks, PeerState};
pub use metrics::RequestMetrics;
pub use openapi::openapi_json;
pub use operations::status_json;
pub use rates::{Rates, RatesInForce};
pub use router::router;
pub use said::Said;
pub use serving::{Line, serve};
pub use shapes::{
    ActedShape, CaseShape, CollectedShape, DocumentShape, DrainShape, GroupShape, MembersShape,
    OpenedCaseShape, OrderShape, PeerShape, PeersShape, PingShape, PlacedShape, PlanShape,
    ProblemShape, StatusShape, StoredCaseShape,
};
pub use state::{ApiState, BackupPieces, BeginBackup};
pub use trace::{CallingSpan, RequestTrace, SpanId, TakeUpTrace, TraceId};
