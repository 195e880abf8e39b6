//! What `apply` knows is in the log: registry, catalogue and calendar enter it here.

use std::sync::Arc;

use tongban_trust::{RegistryError, verify_first, verify_next};
use tongban_types::{Calendar, Hash, ItemTerms, limits};

use crate::context::Context;
use crate::keyspace::{self, range_of};
use crate::query::registry_bytes;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::view::View;

/// Bytes of the registry under one key, below what one value may hold.
const PIECE_BYTES: usize = 24 * 1024;

/// The first registry must be the one whose governance keys every node of the federation pins; each
/// later one must be signed by the threshold of the one before and of itself.
pub(crate) fn on_registry(
    context: &mut Context<'_>,
    genesis: Hash,
    file: &[u8],
) -> Result<Reply, Refusal> {
    let refused = |error: RegistryError| Refusal::RegistryRefused(error.code());
    let verified = match context.registry.as_deref() {
        None => verify_first(file, genesis).map_err(refused)?,
        Some(_) if registry_bytes(&context.draft).as_deref() == Some(file) => {
            return Ok(Reply::Done);
        }
        Some(current) => verify_next(current, file).map_err(refused)?,
    };
    let registry = verified.into_inner();
    let (from, until) = range_of(keyspace::REGISTRY_PIECES);
    let pieces_max = limits::REGISTRY_BYTES_MAX / PIECE_BYTES + 1;
    for (key, _) in context.draft.scan(&from, &until, pieces_max) {
        context.draft.delete(key);
    }
    for (piece, bytes) in (0_u32..).zip(file.chunks(PIECE_BYTES)) {
        context
            .draft
            .put(keyspace::registry_piece(piece), bytes.to_vec());
    }
    context.ground.registry = registry.version();
    context.registry = Some(Arc::new(registry));
    Ok(Reply::Done)
}

/// An item's terms never change under a version: cases are bound to it.
pub(super) fn on_item(context: &mut Context<'_>, terms: &ItemTerms) -> Result<Reply, Refusal> {
    let key = keyspace::item(terms.item);
    let type_bounded = terms
        .document_type
        .as_ref()
        .is_none_or(|name| name.len() <= 128);
    if terms.item.version == 0 || !type_bounded {
        return Err(Refusal::Malformed);
    }
    match context.draft.load::<ItemTerms>(&key) {
        Some(present) if present == *terms => return Ok(Reply::Done),
        Some(_) => return Err(Refusal::ItemExists),
        None => {}
    }
    if context.ground.items >= limits::ITEMS_MAX {
        return Err(Refusal::CatalogueFull);
    }
    context.ground.items += 1;
    context.draft.store(key, terms);
    Ok(Reply::Done)
}

/// A newer calendar replaces the one in force; due dates reckoned before keep the version they were
/// reckoned by.
pub(super) fn on_calendar(
    context: &mut Context<'_>,
    calendar: &Calendar,
) -> Result<Reply, Refusal> {
    let version = calendar.version();
    if version == context.ground.calendar {
        let same = context.calendar.as_deref() == Some(calendar);
        return if same {
            Ok(Reply::Done)
        } else {
            Err(Refusal::Superseded)
        };
    }
    if version < context.ground.calendar {
        return Err(Refusal::Superseded);
    }
    context.ground.calendar = version;
    context.draft.store(keyspace::CALENDAR.to_vec(), calendar);
    context.calendar = Some(Arc::new(calendar.clone()));
    Ok(Reply::Done)
}
