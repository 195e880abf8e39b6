//! The `OpenAPI` 3.1 document: what the operations' files say of themselves, and what is true of all of
//! them. An operation is documented where it is written (`#[utoipa::path]` above its handler) and
//! comes in by `routes!` in `operations/mod.rs`; there is no other way in, so none goes undocumented.

mod common;
mod kinds;
mod parameters;
mod problems;
mod server_event;

use std::sync::LazyLock;

use bytes::Bytes;

use crate::operations;

pub(crate) use kinds::{
    CaseNumberKind, CaseStateKind, ChannelKind, CityKind, CodeKind, DecisionKind, DivisionKind,
    FormKind, HandlingModeKind, ItemCodeKind, Moment, NodeIdKind, RoleKind, Sha256Kind,
};
pub(crate) use parameters::{
    CasePath, Cursor, Exclude, Fresh, GroupPath, IdempotencyKey, IfMatch, LastEventId, Limit,
    MeantMethod, MeantOffset, NodePath, OfItem, Prefer, Switch, TusResumable, UploadLength,
    UploadOffset, UploadPath, query_parameter,
};
pub(crate) use problems::{
    ActProblems, AppendProblems, BackupProblems, CaseProblems, CollectProblems, GroupProblems,
    HandOverProblems, ListProblems, NoRegistryProblem, NotReadyProblem, PingProblems,
    PlacementProblems,
};
pub(crate) use server_event::ServerEvent;

/// Groups of operations, in the order they are shown in.
pub(crate) mod tag {
    /// Cases.
    pub(crate) const CASES: &str = "办件 cases";
    /// What is done to a case.
    pub(crate) const ACTS: &str = "办理 acts";
    /// What is handed in beside a form.
    pub(crate) const FILES: &str = "附件 files";
    /// The catalogue.
    pub(crate) const ITEMS: &str = "事项 items";
    /// Cities and nodes.
    pub(crate) const FEDERATION: &str = "联盟 federation";
    /// The node itself.
    pub(crate) const NODE: &str = "节点 node";
    /// This description.
    pub(crate) const SELF: &str = "说明 documentation";
}

static TEXT: LazyLock<Bytes> = LazyLock::new(|| {
    let text = common::complete(operations::routes().into_openapi()).to_pretty_json();
    Bytes::from(text.expect("the document holds only texts, numbers and lists"))
});

/// The whole document as JSON text.
pub fn openapi_json() -> Bytes {
    TEXT.clone()
}

#[cfg(test)]
mod tests;
