//! What `apply` knows is in the log: registry, catalogue and calendar enter it here.

use std::sync::Arc;

use tongban_trust::{RegistryError, verify_first, verify_next};
use tongban_types::{Calendar, Code, Hash, ItemTerms, limits};

use crate::context::Context;
use crate::keyspace::{self, range_of};
use crate::query::registry_bytes;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::view::View;

/// Bytes of the registry under one key, below what one value may hold.
const PIECE_BYTES: usize = 24 * 1024;

/// Pieces of a registry at most.
const PIECES_MAX: usize = limits::REGISTRY_BYTES_MAX / PIECE_BYTES + 1;

/// Registries in the order of their versions, all or none. One that is expired by group time brings
/// no new nodes and keys in: it may only be passed through, on the way to one that is not.
pub(crate) fn on_registries(
    context: &mut Context<'_>,
    genesis: Hash,
    files: &[Vec<u8>],
) -> Result<Reply, Refusal> {
    let mut is_new = false;
    for file in files {
        is_new |= enter_registry(context, genesis, file)?;
    }
    if is_new
        && let Some(time) = context.time()
        && context.registry()?.is_expired(time)
    {
        return Err(Refusal::RegistryRefused(Code::REGISTRY_EXPIRED));
    }
    Ok(Reply::Done)
}

/// The first registry must be the one whose governance keys every node of the federation pins; each
/// later one must be signed by the threshold of the one before and of itself. Whether it is new here.
fn enter_registry(context: &mut Context<'_>, genesis: Hash, file: &[u8]) -> Result<bool, Refusal> {
    let refused = |error: RegistryError| Refusal::RegistryRefused(error.code());
    let verified = match context.registry.as_deref() {
        None => verify_first(file, genesis).map_err(refused)?,
        Some(_) if registry_bytes(&context.draft).as_deref() == Some(file) => return Ok(false),
        Some(current) => verify_next(current, file).map_err(refused)?,
    };
    let registry = verified.into_inner();
    put_current_aside(context);
    for (piece, bytes) in (0_u32..).zip(file.chunks(PIECE_BYTES)) {
        context
            .draft
            .put(keyspace::registry_piece(piece), bytes.to_vec());
    }
    context.ground.registry = registry.version();
    context.registry = Some(Arc::new(registry));
    Ok(true)
}

/// The registry in force becomes an older one, kept for groups that missed it; the oldest goes.
fn put_current_aside(context: &mut Context<'_>) {
    let version = context.ground.registry;
    let (from, until) = range_of(keyspace::REGISTRY_PIECES);
    let pieces = context.draft.scan(&from, &until, PIECES_MAX);
    for (piece, (key, bytes)) in (0_u32..).zip(pieces) {
        context.draft.delete(key);
        let aside = keyspace::older_registry_piece(version, piece);
        context.draft.put(aside, bytes);
    }
    let kept = limits::REGISTRIES_KEPT_MAX as u64;
    if let Some(oldest) = version.checked_sub(kept) {
        let (from, until) = range_of(&keyspace::older_registry(oldest));
        for (key, _) in context.draft.scan(&from, &until, PIECES_MAX) {
            context.draft.delete(key);
        }
    }
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

/// A newer calendar replaces the one in force; firm days reckoned before stay, provisional ones are
/// reckoned again ([`crate::dues`]).
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
    if leaves_years_out(context, calendar) {
        return Err(Refusal::CalendarLeavesYearsOut);
    }
    context.ground.calendar = version;
    context.draft.store(keyspace::CALENDAR.to_vec(), calendar);
    context.calendar = Some(Arc::new(calendar.clone()));
    Ok(Reply::Done)
}

/// A day of a year that is published no more would never become firm, and silence on it never count.
/// What was taken in a year ago may still enter, so the years behind that may go.
fn leaves_years_out(context: &Context<'_>, calendar: &Calendar) -> bool {
    let Some(in_force) = context.calendar.as_deref() else {
        return false;
    };
    let since = context.ground.time.china_day().ymd().0 - 2;
    let needed = in_force.years().iter().filter(|known| known.year >= since);
    let has = |year| calendar.years().iter().any(|known| known.year == year);
    needed.map(|known| known.year).any(|year| !has(year))
}
