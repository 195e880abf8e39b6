//! Cases: one with its form and its steps, those an entry changed, and lists of them.

use tongban_types::{
    CaseNumber, CaseState, CaseVersion, GroupId, PacketBody, Parcel, Sealed, decode,
};

use super::parcels::received_certificate;
use crate::keyspace::{self, range_of};
use crate::record::{CaseRecord, FormPlace, Movement};
use crate::view::{View, Write, WriteSet, load};

/// A piece of a list of cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseListing {
    /// The cases, in the order of their numbers.
    pub cases: Vec<CaseRecord>,
    /// Where to go on; `None` at the end.
    pub next: Option<CaseNumber>,
}

/// A case.
pub fn load_case(view: &dyn View, number: CaseNumber) -> Option<CaseRecord> {
    load(view, &keyspace::case(number))
}

/// Whether there is a case of this number: cheaper than what is in it.
pub fn has_case(view: &dyn View, number: CaseNumber) -> bool {
    view.get(&keyspace::case(number)).is_some()
}

/// The sealed form of a case, as last corrected.
pub fn form_of(view: &dyn View, number: CaseNumber) -> Option<Sealed> {
    match load(view, &keyspace::form(number))? {
        FormPlace::Here(form) => Some(form.into_owned()),
        FormPlace::InPacket(sequence) => {
            let intake = GroupId(number.intake_city());
            let taken_in = received_certificate(view, intake, number, sequence)?;
            match decode(&taken_in.parcels.first()?.bytes).ok()? {
                Parcel::Packet(packet) => match packet.body {
                    PacketBody::Transfer { form, .. } | PacketBody::Correction { form, .. } => {
                        Some(form)
                    }
                    _ => None,
                },
                Parcel::Answer(_) => None,
            }
        }
    }
}

/// The steps of a case, oldest first, at most `limit`.
pub fn movements(view: &dyn View, number: CaseNumber, limit: usize) -> Vec<Movement> {
    let (from, until) = range_of(&keyspace::movements(number));
    let pairs = view.scan(&from, &until, limit);
    pairs
        .iter()
        .filter_map(|(_, value)| postcard::from_bytes(value).ok())
        .collect()
}

/// The steps of a case behind a version, each with the version it led to, oldest first, at most `limit`.
pub fn steps_behind(
    view: &dyn View,
    number: CaseNumber,
    version: CaseVersion,
    limit: usize,
) -> Vec<(CaseVersion, Movement)> {
    let prefix = keyspace::movements(number);
    let (_, until) = range_of(&prefix);
    let pairs = view.scan(&keyspace::movement(number, version.next()), &until, limit);
    let read = |(key, value): &(Vec<u8>, Vec<u8>)| {
        let version = key.get(prefix.len()..)?.try_into().ok()?;
        let version = CaseVersion(u32::from_be_bytes(version));
        Some((version, postcard::from_bytes(value).ok()?))
    };
    pairs.iter().filter_map(read).collect()
}

/// The cases that an entry's writes leave otherwise than they were, in the order of their numbers.
pub fn changed_cases(writes: &WriteSet) -> impl Iterator<Item = CaseRecord> {
    let (from, until) = range_of(&[keyspace::CASES]);
    writes
        .range(from..until)
        .filter_map(|(_, write)| match write {
            Write::Put(value) => postcard::from_bytes(value).ok(),
            Write::Delete => None,
        })
}

/// Cases from a number on, in order.
pub fn list_cases(view: &dyn View, from: Option<CaseNumber>, limit: usize) -> CaseListing {
    let (first, until) = range_of(&[keyspace::CASES]);
    let first = from.map_or(first, keyspace::case);
    let pairs = view.scan(&first, &until, limit.saturating_add(1));
    let mut cases: Vec<CaseRecord> = pairs
        .iter()
        .filter_map(|(_, value)| postcard::from_bytes(value).ok())
        .collect();
    let next = cases.get(limit).map(|case| case.envelope.number);
    cases.truncate(limit);
    CaseListing { cases, next }
}

/// Cases in one state from a number on, in order.
pub fn cases_in_state(
    view: &dyn View,
    state: CaseState,
    from: Option<CaseNumber>,
    limit: usize,
) -> CaseListing {
    let numbers = numbers_in_state(view, state, from, limit.saturating_add(1));
    listing_of(view, &numbers, limit)
}

/// Numbers of cases in one state from a number on, in order, without reading the cases.
pub fn numbers_in_state(
    view: &dyn View,
    state: CaseState,
    from: Option<CaseNumber>,
    limit: usize,
) -> Vec<CaseNumber> {
    let first = from.map(|number| keyspace::by_state(state, number));
    numbers_below(view, &keyspace::in_state(state), first, limit)
}

/// How many cases are in one state, at most `limit`, without reading their numbers.
pub fn count_in_state(view: &dyn View, state: CaseState, limit: usize) -> usize {
    let (first, until) = range_of(&keyspace::in_state(state));
    view.scan(&first, &until, limit).len()
}

/// The cases of the first `limit` numbers; the one behind them, where there is one, is where to go on.
pub(super) fn listing_of(view: &dyn View, numbers: &[CaseNumber], limit: usize) -> CaseListing {
    let shown = numbers.iter().take(limit);
    CaseListing {
        cases: shown
            .filter_map(|number| load_case(view, *number))
            .collect(),
        next: numbers.get(limit).copied(),
    }
}

/// The cases whose numbers end the keys behind a prefix, from a key on.
pub(super) fn numbers_below(
    view: &dyn View,
    prefix: &[u8],
    from: Option<Vec<u8>>,
    limit: usize,
) -> Vec<CaseNumber> {
    let (first, until) = range_of(prefix);
    let keys = view.scan(&from.unwrap_or(first), &until, limit);
    keys.iter()
        .filter_map(|(key, _)| keyspace::read_case(key, prefix.len()))
        .collect()
}
