//! Reading a group's state: for the shell, the API and the tests. Nothing here changes anything.

use std::collections::BTreeMap;

use tongban_types::{
    CaseNumber, CaseState, CaseVersion, CertifiedParcels, CommandId, Equivocation, GroupId, Hash,
    ItemTerms, ItemVersion, Parcel, ParcelBatch, PlacedParcel, RequestTag, Sealed, Timestamp,
    decode, limits, merkle_paths,
};

use crate::keyspace::{self, range_of};
use crate::record::{
    CaseRecord, DocumentStage, Ground, Movement, ReceivedPacket, Remembered, StoredBatch,
    StoredParcel,
};
use crate::reply::Reply;
use crate::view::{View, Write, WriteSet, load};

/// Something the city owes the world until a command says it is done. Doing one twice does no harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Fix the signing input of a granted case's document.
    PrepareDocument(CaseNumber),
    /// Sign the input that is fixed, and enter the document.
    IssueDocument(CaseNumber),
}

/// A packet of ours that is not answered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unanswered {
    /// The group it is for.
    pub to: GroupId,
    /// Its position in our outbox.
    pub position: u64,
}

/// A piece of a list of cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseListing {
    /// The cases, in the order of their numbers.
    pub cases: Vec<CaseRecord>,
    /// Where to go on; `None` at the end.
    pub next: Option<CaseNumber>,
}

/// How far the documents of a list are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentList {
    /// Granted, and not signed yet: known where the case is owned.
    Pending,
    /// Issued.
    Issued,
}

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
    load(view, &keyspace::form(number))
}

/// The sealed signing input of a case's document, once fixed.
pub fn signing_input_of(view: &dyn View, number: CaseNumber) -> Option<Sealed> {
    load(view, &keyspace::signing_input(number))
}

/// The sealed document of a case, once issued.
pub fn issued_document(view: &dyn View, number: CaseNumber) -> Option<Sealed> {
    load(view, &keyspace::document(number))
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
    let prefix = keyspace::in_state(state);
    let (first, until) = range_of(&prefix);
    let first = from.map_or(first, |number| keyspace::by_state(state, number));
    let keys = view.scan(&first, &until, limit.saturating_add(1));
    let numbers: Vec<CaseNumber> = keys
        .iter()
        .filter_map(|(key, _)| keyspace::read_case(key, prefix.len()))
        .collect();
    let cases = numbers
        .iter()
        .take(limit)
        .filter_map(|number| load_case(view, *number))
        .collect();
    CaseListing {
        cases,
        next: numbers.get(limit).copied(),
    }
}

/// Numbers of cases in one state from a number on, in order, without reading the cases.
pub fn numbers_in_state(
    view: &dyn View,
    state: CaseState,
    from: Option<CaseNumber>,
    limit: usize,
) -> Vec<CaseNumber> {
    let prefix = keyspace::in_state(state);
    let (first, until) = range_of(&prefix);
    let first = from.map_or(first, |number| keyspace::by_state(state, number));
    let keys = view.scan(&first, &until, limit);
    keys.iter()
        .filter_map(|(key, _)| keyspace::read_case(key, prefix.len()))
        .collect()
}

/// Cases with a document, or with one that is to come, from a number on, in order. Read from lists of their own,
/// whatever else the group holds.
pub fn cases_with_document(
    view: &dyn View,
    list: Option<DocumentList>,
    from: Option<CaseNumber>,
    limit: usize,
) -> CaseListing {
    // The first of each list hold the first of both.
    let most = limit.saturating_add(1);
    let mut numbers = Vec::new();
    if list != Some(DocumentList::Issued) {
        let first = from.map(keyspace::owed);
        numbers.extend(numbers_below(view, keyspace::OWED, first, most));
    }
    if list != Some(DocumentList::Pending) {
        let first = from.map(keyspace::document);
        numbers.extend(numbers_below(view, keyspace::DOCUMENTS, first, most));
    }
    numbers.sort_unstable();
    numbers.dedup();
    let cases = numbers
        .iter()
        .take(limit)
        .filter_map(|number| load_case(view, *number))
        .collect();
    CaseListing {
        cases,
        next: numbers.get(limit).copied(),
    }
}

/// The cases whose numbers end the keys behind a prefix, from a key on.
fn numbers_below(
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

/// What the city owes the world, from a case on, in order of case numbers.
pub fn effects(
    view: &dyn View,
    from: Option<CaseNumber>,
    limit: usize,
) -> impl Iterator<Item = Effect> {
    let (first, until) = range_of(keyspace::OWED);
    let first = from.map_or(first, keyspace::owed);
    let keys = view.scan(&first, &until, limit);
    let owed: Vec<Effect> = keys
        .iter()
        .filter_map(|(key, _)| keyspace::read_case(key, keyspace::OWED.len()))
        .filter_map(|number| match load_case(view, number)?.document {
            DocumentStage::Owed => Some(Effect::PrepareDocument(number)),
            DocumentStage::Prepared { .. } => Some(Effect::IssueDocument(number)),
            DocumentStage::None | DocumentStage::Issued { .. } => None,
        })
        .collect();
    owed.into_iter()
}

/// The next deadline: something fires as soon as group time is past it.
pub fn next_deadline(view: &dyn View) -> Option<Timestamp> {
    let (from, until) = range_of(keyspace::DEADLINES);
    let (key, _) = view.scan(&from, &until, 1).pop()?;
    keyspace::read_deadline(&key).map(|(at, ..)| at)
}

/// Packets not answered yet, by group and position, from one on.
pub fn unanswered(view: &dyn View, from: Option<Unanswered>, limit: usize) -> Vec<Unanswered> {
    let (first, until) = range_of(keyspace::WAITING);
    let first = from.map_or(first, |packet| {
        keyspace::waiting(packet.to, packet.position)
    });
    let keys = view.scan(&first, &until, limit);
    keys.iter()
        .filter_map(|(key, _)| read_unanswered(key))
        .collect()
}

fn read_unanswered(key: &[u8]) -> Option<Unanswered> {
    let (city, position) = keyspace::read_waiting(key)?;
    let city = tongban_types::CityCode::new(city).ok()?;
    Some(Unanswered {
        to: GroupId(city),
        position,
    })
}

/// The batch that starts at a position of our outbox, as voters sign it.
pub fn find_batch(view: &dyn View, first: u64) -> Option<ParcelBatch> {
    load::<StoredBatch>(view, &keyspace::batch(first)).map(|stored| stored.batch)
}

/// The parcels at distinct positions of our outbox that are still there, by the batches they stand in, in order.
pub fn place_parcels(view: &dyn View, positions: &[u64]) -> Vec<(ParcelBatch, Vec<PlacedParcel>)> {
    let mut by_batch: BTreeMap<u64, Vec<(u64, Vec<u8>)>> = BTreeMap::new();
    for position in positions {
        if let Some(StoredParcel { first, bytes }) = load(view, &keyspace::parcel(*position)) {
            by_batch.entry(first).or_default().push((*position, bytes));
        }
    }
    by_batch
        .into_iter()
        .filter_map(|(first, parcels)| {
            let batch: StoredBatch = load(view, &keyspace::batch(first))?;
            Some((batch.batch, place_in(first, &batch.leaves, parcels)))
        })
        .collect()
}

/// Gives each parcel its place and its path, all paths of the batch for the hashes of one tree.
fn place_in(first: u64, leaves: &[Hash], parcels: Vec<(u64, Vec<u8>)>) -> Vec<PlacedParcel> {
    let (_, mut paths) = merkle_paths(leaves);
    let place = |(position, bytes): (u64, Vec<u8>)| {
        let index = position.checked_sub(first)?;
        let path = paths.get_mut(usize::try_from(index).ok()?)?;
        Some(PlacedParcel {
            index: u32::try_from(index).ok()?,
            path: std::mem::take(path),
            bytes,
        })
    };
    let mut placed: Vec<PlacedParcel> = parcels.into_iter().filter_map(place).collect();
    placed.sort_unstable_by_key(|parcel| parcel.index);
    placed
}

/// Where in our outbox the answer stands to a packet that was taken in before; `None` if it was not, or if
/// another one stood at its place.
pub fn answer_given(view: &dyn View, placed: &PlacedParcel) -> Option<u64> {
    let Ok(Parcel::Packet(packet)) = decode(&placed.bytes) else {
        return None;
    };
    let key = keyspace::received(packet.from, packet.case, packet.sequence);
    let received: ReceivedPacket = load(view, &key)?;
    (received.hash == placed.hash()).then_some(received.answer)
}

/// Whether the packet that an answer is to still waits for one.
pub fn is_awaited(view: &dyn View, placed: &PlacedParcel) -> bool {
    let Ok(Parcel::Answer(answer)) = decode(&placed.bytes) else {
        // Whatever it is, it is for the group to judge.
        return true;
    };
    let key = keyspace::outstanding(answer.from, answer.case, answer.sequence);
    load::<u64>(view, &key).is_some()
}

/// What was asked under a command id and the reply it got, while it is remembered.
pub fn recall_command(view: &dyn View, id: CommandId) -> Option<(RequestTag, Reply)> {
    let remembered: Remembered = load(view, &keyspace::remembered(id))?;
    Some((remembered.request, remembered.reply))
}

/// The sequence a group's next packet about a case must have.
pub fn receive_position(view: &dyn View, from: GroupId, case: CaseNumber) -> u32 {
    load(view, &keyspace::next_to_receive(from, case)).unwrap_or(0)
}

/// How many proofs of equivocation are kept.
pub fn evidence_count(view: &dyn View) -> u64 {
    ground(view).evidence
}

/// The proofs of equivocation this group holds.
pub fn equivocations(view: &dyn View) -> Vec<Equivocation> {
    let (from, until) = range_of(keyspace::EVIDENCE);
    let bound = usize::try_from(limits::EVIDENCE_MAX * 2).unwrap_or(usize::MAX);
    let halves: Vec<CertifiedParcels> = view
        .scan(&from, &until, bound)
        .iter()
        .filter_map(|(_, value)| decode(value).ok())
        .collect();
    let mut proofs = Vec::with_capacity(halves.len() / 2);
    let mut halves = halves.into_iter();
    while let (Some(first), Some(second)) = (halves.next(), halves.next()) {
        proofs.push(Equivocation { first, second });
    }
    proofs
}

/// The certificate under which a packet was taken in.
pub fn received_certificate(
    view: &dyn View,
    from: GroupId,
    case: CaseNumber,
    sequence: u32,
) -> Option<CertifiedParcels> {
    load::<ReceivedPacket>(view, &keyspace::received(from, case, sequence))
        .and_then(|received| received.certificate)
}
