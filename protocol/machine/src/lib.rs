//! The replicated state machine of one city: cases, catalogue, parcels, group time, and what is owed
//! to the world. Deterministic: an entry and a view in, a write set and replies out. No clock, no
//! randomness, no IO; what `apply` knows is in the log.

mod apply;
mod certificates;
mod checked;
mod clock;
mod context;
mod dues;
mod handlers;
mod keyspace;
mod memory;
mod outbox;
mod placement;
mod plan;
mod query;
mod record;
mod refusal;
mod reply;
mod view;

pub use apply::{Alarm, Applied, Comparison, Machine, is_about_places, is_of_parcels};
pub use checked::CheckedEntry;
pub use placement::{
    Members, NextStep, Placement, ordered_placement, placement_of, placement_order,
    placement_orders,
};
pub use plan::{PlacementPlan, judge_order, plan_order, tolerance};
pub use query::{
    CaseListing, DocumentList, Effect, Unanswered, Unsignable, answer_given, cases_in_state,
    cases_with_document, changed_cases, count_in_state, effects, equivocations, evidence_count,
    form_of, ground, has_case, is_awaited, issued_document, item_terms, items, last_hash_point,
    list_cases, load_case, movements, next_deadline, next_notice, numbers_in_state, parcel_batch,
    parcel_bytes, recall_command, receive_position, received_certificate, registry_bytes,
    registry_bytes_of, signing_input_of, state_hash, steps_behind, unanswered,
};
pub use record::{
    Acceptance, CaseRecord, DecisionRecord, DocumentStage, Ground, Lease, Movement, Request,
    ReviewRecord, Standpoint,
};
pub use refusal::Refusal;
pub use reply::{EntryReply, ParcelFate, Reply};
pub use view::{MemoryView, View, Write, WriteSet};
