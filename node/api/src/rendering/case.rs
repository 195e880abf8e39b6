//! A case in JSON: what stands in the clear in the log, without the person.

use serde::Serialize;
use tongban_runtime::{
    Acceptance, CaseRecord, DecisionRecord, DocumentStage, OpenedMovement, Request, ReviewRecord,
    Standpoint, StoredCase,
};
use tongban_types::{Channel, Decision, DueTime, HandlingMode, ItemVersion};
use utoipa::ToSchema;

use super::{ActorView, PlaceView, china_time};
use crate::openapi::{
    CaseNumberKind, CaseStateKind, ChannelKind, CodeKind, DecisionKind, HandlingModeKind,
    ItemCodeKind, Moment, Sha256Kind,
};

/// A case of a list, or the head of one that is shown whole.
#[derive(Serialize, ToSchema)]
#[schema(as = Case)]
pub(crate) struct CaseView<'a> {
    #[schema(value_type = CaseNumberKind)]
    number: String,
    item: ItemView,
    #[schema(value_type = HandlingModeKind)]
    mode: HandlingMode,
    #[schema(value_type = CaseStateKind)]
    state: &'static str,
    state_zh: &'static str,
    version: u32,
    #[schema(value_type = Moment)]
    since: String,
    standpoint: &'static str,
    intake: PlaceView,
    authority: PlaceView,
    authority_division: PlaceView,
    #[schema(value_type = ChannelKind)]
    channel: Channel,
    #[schema(value_type = Moment)]
    collected_at: String,
    collected_by: ActorView<'a>,
    transfers: u32,
    #[schema(value_type = Option<CodeKind>)]
    transfer_refused: Option<String>,
    #[schema(value_type = Option<Moment>)]
    received_at: Option<String>,
    #[schema(value_type = Option<Moment>)]
    noticed_at: Option<String>,
    notice_due: Option<DueView>,
    accepted: Option<AcceptedView<'a>>,
    review: Option<ReviewView<'a>>,
    decision: Option<DecisionView<'a>>,
    promise_due: Option<DueView>,
    statutory_due: Option<DueView>,
    document: DocumentView,
    pending: Option<&'static str>,
    #[schema(value_type = Option<CodeKind>)]
    request_refused: Option<String>,
}

/// A case that only this desk has.
#[derive(Serialize, ToSchema)]
#[schema(as = StoredCase)]
pub(crate) struct StoredView<'a> {
    #[schema(value_type = CaseNumberKind)]
    number: String,
    item: ItemView,
    authority: PlaceView,
    #[schema(value_type = ChannelKind)]
    channel: Channel,
    #[schema(value_type = Moment)]
    collected_at: String,
    collected_by: ActorView<'a>,
    /// Why the group refused it when it was tried last; it is tried again.
    #[schema(value_type = Option<CodeKind>)]
    refused: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ItemVersion)]
pub(crate) struct ItemView {
    #[schema(value_type = ItemCodeKind)]
    code: String,
    version: u32,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Due)]
struct DueView {
    #[schema(value_type = Moment)]
    at: String,
    /// Reckoned past the last published calendar.
    provisional: bool,
    calendar: u32,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Acceptance)]
struct AcceptedView<'a> {
    #[schema(value_type = Moment)]
    at: String,
    by: ActorView<'a>,
    /// The law accepts, not a person.
    deemed: bool,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Review)]
struct ReviewView<'a> {
    #[schema(value_type = Moment)]
    at: String,
    by: ActorView<'a>,
    #[schema(value_type = DecisionKind)]
    recommend: Decision,
}

#[derive(Serialize, ToSchema)]
#[schema(as = DecisionMade)]
struct DecisionView<'a> {
    #[schema(value_type = Moment)]
    at: String,
    by: ActorView<'a>,
    #[schema(value_type = DecisionKind)]
    decision: Decision,
}

#[derive(Serialize, ToSchema)]
#[schema(as = DocumentStage)]
struct DocumentView {
    stage: &'static str,
    #[schema(value_type = Option<Sha256Kind>)]
    sha256: Option<String>,
}

/// One step of a case's life.
#[derive(Serialize, ToSchema)]
#[schema(as = Movement)]
pub(crate) struct MovementView<'a> {
    #[schema(value_type = CaseStateKind)]
    state: &'static str,
    state_zh: &'static str,
    #[schema(value_type = Moment)]
    at: String,
    #[schema(value_type = Moment)]
    committed_at: String,
    actor: ActorView<'a>,
    words: Option<&'a str>,
}

impl<'a> From<&'a CaseRecord> for CaseView<'a> {
    fn from(record: &'a CaseRecord) -> Self {
        let envelope = &record.envelope;
        Self {
            number: envelope.number.to_string(),
            item: envelope.item.into(),
            mode: envelope.mode,
            state: record.state.name(),
            state_zh: record.state.zh(),
            version: record.version.0,
            since: china_time(record.since),
            standpoint: match record.standpoint {
                Standpoint::Owner => "owner",
                Standpoint::Mirror => "mirror",
            },
            intake: envelope.intake.into(),
            authority: envelope.authority.into(),
            authority_division: envelope.authority_division.into(),
            channel: envelope.channel,
            collected_at: china_time(envelope.collected_at),
            collected_by: (&envelope.collected_by).into(),
            transfers: record.transfers,
            transfer_refused: record.transfer_refused.map(|code| code.to_string()),
            received_at: record.received_at.map(china_time),
            noticed_at: record.noticed_at.map(china_time),
            notice_due: record.notice_due.map(DueView::from),
            accepted: record.accepted.as_ref().map(AcceptedView::from),
            review: record.review.as_ref().map(ReviewView::from),
            decision: record.decision.as_ref().map(DecisionView::from),
            promise_due: record.promise_due.map(DueView::from),
            statutory_due: record.statutory_due.map(DueView::from),
            document: record.document.into(),
            pending: record.pending.map(|request| match request {
                Request::Correction => "correction",
                Request::Withdrawal => "withdrawal",
                Request::Delivery => "delivery",
            }),
            request_refused: record.request_refused.map(|code| code.to_string()),
        }
    }
}

impl<'a> From<&'a StoredCase> for StoredView<'a> {
    fn from(stored: &'a StoredCase) -> Self {
        Self {
            number: stored.number.to_string(),
            item: stored.item.into(),
            authority: stored.authority.into(),
            channel: stored.channel,
            collected_at: china_time(stored.collected_at),
            collected_by: (&stored.collected_by).into(),
            refused: stored.refused.map(|code| code.to_string()),
        }
    }
}

impl From<ItemVersion> for ItemView {
    fn from(item: ItemVersion) -> Self {
        Self {
            code: item.code.to_string(),
            version: item.version,
        }
    }
}

impl From<DueTime> for DueView {
    fn from(due: DueTime) -> Self {
        Self {
            at: china_time(due.at),
            provisional: due.provisional,
            calendar: due.calendar,
        }
    }
}

impl<'a> From<&'a Acceptance> for AcceptedView<'a> {
    fn from(acceptance: &'a Acceptance) -> Self {
        Self {
            at: china_time(acceptance.at),
            by: (&acceptance.by).into(),
            deemed: acceptance.deemed,
        }
    }
}

impl<'a> From<&'a ReviewRecord> for ReviewView<'a> {
    fn from(review: &'a ReviewRecord) -> Self {
        Self {
            at: china_time(review.at),
            by: (&review.by).into(),
            recommend: review.recommend,
        }
    }
}

impl<'a> From<&'a DecisionRecord> for DecisionView<'a> {
    fn from(decision: &'a DecisionRecord) -> Self {
        Self {
            at: china_time(decision.at),
            by: (&decision.by).into(),
            decision: decision.decision,
        }
    }
}

impl From<DocumentStage> for DocumentView {
    fn from(stage: DocumentStage) -> Self {
        let (stage, sha256) = stage_of(stage);
        Self { stage, sha256 }
    }
}

/// The name of a stage, and the hash of the document that is issued.
pub(crate) fn stage_of(stage: DocumentStage) -> (&'static str, Option<String>) {
    match stage {
        DocumentStage::None => ("none", None),
        DocumentStage::Owed => ("owed", None),
        DocumentStage::Prepared { .. } => ("prepared", None),
        DocumentStage::Issued { hash } => ("issued", Some(hash.to_string())),
    }
}

impl<'a> From<&'a OpenedMovement> for MovementView<'a> {
    fn from(opened: &'a OpenedMovement) -> Self {
        let movement = &opened.movement;
        Self {
            state: movement.state.name(),
            state_zh: movement.state.zh(),
            at: china_time(movement.at),
            committed_at: china_time(movement.committed_at),
            actor: (&movement.actor).into(),
            words: opened.words.as_deref(),
        }
    }
}
