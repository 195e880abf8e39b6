//! Reading a group's state: for the shell, the API and the tests. Nothing here changes anything. What is known of
//! the group as a whole stands here; its cases, documents and parcels are in the rooms below.

mod cases;
mod documents;
mod parcels;

use tongban_types::{CommandId, Hash, ItemTerms, ItemVersion, RequestTag, Timestamp, limits};

use crate::keyspace::{self, Deadline, range_of};
use crate::record::{Ground, Remembered};
use crate::reply::Reply;
use crate::view::{View, load};

pub use cases::{
    CaseListing, cases_in_state, changed_cases, count_in_state, form_of, has_case, list_cases,
    load_case, movements, numbers_in_state, steps_behind,
};
pub use documents::{
    DocumentList, Effect, cases_with_document, effects, issued_document, signing_input_of,
};
pub use parcels::{
    Unanswered, Unsignable, answer_given, equivocations, evidence_count, is_awaited, parcel_batch,
    parcel_bytes, receive_position, received_certificate, unanswered,
};

/// Counters and what is known of the group as a whole.
pub fn ground(view: &dyn View) -> Ground {
    load(view, keyspace::GROUND).unwrap_or_default()
}

/// The chained hash of everything applied.
pub fn state_hash(view: &dyn View) -> Hash {
    load(view, keyspace::STATE_HASH).unwrap_or_default()
}

/// The last index whose state hash is kept to compare with other replicas, and that hash.
pub fn last_hash_point(view: &dyn View) -> Option<(u64, Hash)> {
    let (from, until) = range_of(keyspace::HASH_POINTS);
    let (key, value) = view
        .scan(&from, &until, limits::HASH_POINTS_MAX + 8)
        .pop()?;
    let index = key.get(keyspace::HASH_POINTS.len()..)?.try_into().ok()?;
    Some((
        u64::from_be_bytes(index),
        postcard::from_bytes(&value).ok()?,
    ))
}

/// The terms of an item in the catalogue.
pub fn item_terms(view: &dyn View, item: ItemVersion) -> Option<ItemTerms> {
    load(view, &keyspace::item(item))
}

/// The whole catalogue.
pub fn items(view: &dyn View) -> Vec<ItemTerms> {
    let (from, until) = range_of(keyspace::ITEMS);
    let limit = usize::try_from(limits::ITEMS_MAX).unwrap_or(usize::MAX);
    let pairs = view.scan(&from, &until, limit);
    pairs
        .iter()
        .filter_map(|(_, value)| postcard::from_bytes(value).ok())
        .collect()
}

/// The registry file in force, as it was signed.
pub fn registry_bytes(view: &dyn View) -> Option<Vec<u8>> {
    let (from, until) = range_of(keyspace::REGISTRY_PIECES);
    let pieces = view.scan(&from, &until, limits::REGISTRY_BYTES_MAX / 1024);
    let bytes: Vec<u8> = pieces.into_iter().flat_map(|(_, piece)| piece).collect();
    (!bytes.is_empty()).then_some(bytes)
}

/// The registry file of a version as it was signed, if it is in force or one of the older ones kept.
pub fn registry_bytes_of(view: &dyn View, version: u64) -> Option<Vec<u8>> {
    if ground(view).registry == version {
        return registry_bytes(view);
    }
    let (from, until) = range_of(&keyspace::older_registry(version));
    let pieces = view.scan(&from, &until, limits::REGISTRY_BYTES_MAX / 1024);
    let bytes: Vec<u8> = pieces.into_iter().flat_map(|(_, piece)| piece).collect();
    (!bytes.is_empty()).then_some(bytes)
}

/// The next deadline: something fires as soon as group time is past it.
pub fn next_deadline(view: &dyn View) -> Option<Timestamp> {
    let (from, until) = range_of(keyspace::DEADLINES);
    let (key, _) = view.scan(&from, &until, 1).pop()?;
    keyspace::read_deadline(&key).map(|(at, ..)| at)
}

/// The next deadline that an officer can be in time for: silence counts as acceptance as soon as group time
/// is past it.
pub fn next_notice(view: &dyn View) -> Option<Timestamp> {
    let (mut from, until) = range_of(keyspace::DEADLINES);
    // Few are of another kind, so that one page tells mostly.
    loop {
        let page = view.scan(&from, &until, limits::DEADLINES_PER_ENTRY_MAX);
        let deadlines = page
            .iter()
            .filter_map(|(key, _)| keyspace::read_deadline(key));
        let mut notices = deadlines.filter(|(.., kind)| *kind == Deadline::Notice);
        if let Some((at, ..)) = notices.next() {
            return Some(at);
        }
        from.clone_from(&page.last()?.0);
        from.push(0);
    }
}

/// What was asked under a command id and the reply it got, while it is remembered.
pub fn recall_command(view: &dyn View, id: CommandId) -> Option<(RequestTag, Reply)> {
    let remembered: Remembered = load(view, &keyspace::remembered(id))?;
    Some((remembered.request, remembered.reply))
}
