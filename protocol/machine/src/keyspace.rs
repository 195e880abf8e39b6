//! Where each thing stands in a group's map. First byte: the kind. Numbers are big endian, so that
//! the order of keys is the order of numbers. Prefixes are permanent.

use tongban_types::{
    CaseNumber, CaseState, CaseVersion, CommandId, GroupId, ItemVersion, NodeId, Timestamp,
};

pub(crate) const GROUND: &[u8] = b"g";
pub(crate) const CALENDAR: &[u8] = b"y";
pub(crate) const STATE_HASH: &[u8] = b"H";

/// A range of keys that begin alike.
pub(crate) fn range_of(prefix: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut until = prefix.to_vec();
    while let Some(last) = until.last_mut() {
        if *last < u8::MAX {
            *last += 1;
            break;
        }
        until.pop();
    }
    (prefix.to_vec(), until)
}

fn key(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = Vec::with_capacity(64);
    key.push(kind);
    for part in parts {
        key.extend_from_slice(part);
    }
    key
}

fn number(case: CaseNumber) -> [u8; CaseNumber::LENGTH] {
    case.text()
}

fn group(id: GroupId) -> [u8; 4] {
    id.city().number().to_be_bytes()
}

/// Milliseconds as an order-preserving key: the sign bit is turned.
fn moment(at: Timestamp) -> [u8; 8] {
    (at.unix_ms() ^ i64::MIN).to_be_bytes()
}

pub(crate) fn case(case: CaseNumber) -> Vec<u8> {
    key(b'c', &[&number(case)])
}

pub(crate) const CASES: u8 = b'c';

pub(crate) fn form(case: CaseNumber) -> Vec<u8> {
    key(b'f', &[&number(case)])
}

pub(crate) fn document(case: CaseNumber) -> Vec<u8> {
    key(b'd', &[&number(case)])
}

pub(crate) const DOCUMENTS: &[u8] = b"d";

pub(crate) fn signing_input(case: CaseNumber) -> Vec<u8> {
    key(b'D', &[&number(case)])
}

pub(crate) fn movement(case: CaseNumber, version: CaseVersion) -> Vec<u8> {
    key(b'h', &[&number(case), &version.0.to_be_bytes()])
}

pub(crate) fn movements(case: CaseNumber) -> Vec<u8> {
    key(b'h', &[&number(case)])
}

pub(crate) fn by_state(state: CaseState, case: CaseNumber) -> Vec<u8> {
    key(b'l', &[&[state as u8], &number(case)])
}

pub(crate) fn in_state(state: CaseState) -> Vec<u8> {
    key(b'l', &[&[state as u8]])
}

pub(crate) fn remembered(id: CommandId) -> Vec<u8> {
    key(b'k', &[&id.0.0])
}

pub(crate) fn remembered_at(at: Timestamp, index: u64) -> Vec<u8> {
    key(b'K', &[&moment(at), &index.to_be_bytes()])
}

pub(crate) const REMEMBERED_ORDER: &[u8] = b"K";

pub(crate) fn parcel(position: u64) -> Vec<u8> {
    key(b'o', &[&position.to_be_bytes()])
}

pub(crate) fn waiting(to: GroupId, position: u64) -> Vec<u8> {
    key(b'w', &[&group(to), &position.to_be_bytes()])
}

pub(crate) const WAITING: &[u8] = b"w";

pub(crate) fn next_to_send(to: GroupId, case: CaseNumber) -> Vec<u8> {
    key(b's', &[&group(to), &number(case)])
}

pub(crate) fn outstanding(to: GroupId, case: CaseNumber, sequence: u32) -> Vec<u8> {
    key(b'p', &[&group(to), &number(case), &sequence.to_be_bytes()])
}

pub(crate) fn next_to_receive(from: GroupId, case: CaseNumber) -> Vec<u8> {
    key(b'r', &[&group(from), &number(case)])
}

pub(crate) fn received(from: GroupId, case: CaseNumber, sequence: u32) -> Vec<u8> {
    key(
        b'a',
        &[&group(from), &number(case), &sequence.to_be_bytes()],
    )
}

/// What a deadline of a case is for. Numbers are permanent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deadline {
    /// The notice is due: silence counts from here on.
    Notice = 0,
    /// The receiving city's mirror missed something: it is told again.
    Mirror = 1,
}

pub(crate) fn deadline(at: Timestamp, case: CaseNumber, deadline: Deadline) -> Vec<u8> {
    key(b't', &[&moment(at), &number(case), &[deadline as u8]])
}

pub(crate) const DEADLINES: &[u8] = b"t";

/// The key just behind every deadline before a moment.
pub(crate) fn deadline_bound(at: Timestamp) -> Vec<u8> {
    key(b't', &[&moment(at)])
}

pub(crate) fn report(voter: NodeId) -> Vec<u8> {
    key(b'v', &[&voter.as_u64().to_be_bytes()])
}

pub(crate) fn item(item: ItemVersion) -> Vec<u8> {
    key(
        b'i',
        &[item.code.as_str().as_bytes(), &item.version.to_be_bytes()],
    )
}

pub(crate) const ITEMS: &[u8] = b"i";

pub(crate) fn registry_piece(piece: u32) -> Vec<u8> {
    key(b'R', &[&piece.to_be_bytes()])
}

pub(crate) const REGISTRY_PIECES: &[u8] = b"R";

/// The placement of a group by its newest order.
pub(crate) fn placement(of: GroupId) -> Vec<u8> {
    key(b'z', &[&group(of)])
}

pub(crate) fn placement_order(of: GroupId, version: u64) -> Vec<u8> {
    key(b'Z', &[&group(of), &version.to_be_bytes()])
}

pub(crate) fn placement_orders(of: GroupId) -> Vec<u8> {
    key(b'Z', &[&group(of)])
}

pub(crate) fn older_registry(version: u64) -> Vec<u8> {
    key(b'Q', &[&version.to_be_bytes()])
}

pub(crate) fn older_registry_piece(version: u64, piece: u32) -> Vec<u8> {
    key(b'Q', &[&version.to_be_bytes(), &piece.to_be_bytes()])
}

pub(crate) fn hash_point(index: u64) -> Vec<u8> {
    key(b'P', &[&index.to_be_bytes()])
}

pub(crate) const HASH_POINTS: &[u8] = b"P";

pub(crate) fn owed(case: CaseNumber) -> Vec<u8> {
    key(b'e', &[&number(case)])
}

pub(crate) const OWED: &[u8] = b"e";

pub(crate) fn evidence(number: u64) -> Vec<u8> {
    key(b'x', &[&number.to_be_bytes()])
}

pub(crate) const EVIDENCE: &[u8] = b"x";

pub(crate) fn evidence_of(from: GroupId) -> Vec<u8> {
    key(b'y', &[&group(from)])
}

/// The moment of a deadline's key, the case and what it is for.
pub(crate) fn read_deadline(key: &[u8]) -> Option<(Timestamp, CaseNumber, Deadline)> {
    let rest = key.strip_prefix(DEADLINES)?;
    let (at, rest) = rest.split_at_checked(8)?;
    let at = i64::from_be_bytes(at.try_into().ok()?) ^ i64::MIN;
    let (deadline, case) = rest.split_last()?;
    let case = std::str::from_utf8(case).ok()?.parse().ok()?;
    let deadline = match deadline {
        0 => Deadline::Notice,
        1 => Deadline::Mirror,
        _ => return None,
    };
    Some((Timestamp::from_unix_ms(at), case, deadline))
}

/// Marks that the mirror of a case missed something; the value is when it is told again.
pub(crate) fn stale_mirror(case: CaseNumber) -> Vec<u8> {
    key(b'm', &[&number(case)])
}

/// Marks a case with a day that is provisional by a calendar.
pub(crate) fn provisional(calendar: u32, case: CaseNumber) -> Vec<u8> {
    key(b'u', &[&calendar.to_be_bytes(), &number(case)])
}

/// The marks of all calendars before one.
pub(crate) fn provisional_before(calendar: u32) -> (Vec<u8>, Vec<u8>) {
    (key(b'u', &[]), key(b'u', &[&calendar.to_be_bytes()]))
}

/// The case of a provisional mark.
pub(crate) fn read_provisional(key: &[u8]) -> Option<CaseNumber> {
    read_case(key, 1 + 4)
}

/// The moment of a remembered-order key.
pub(crate) fn read_remembered_at(key: &[u8]) -> Option<Timestamp> {
    let at = key.strip_prefix(REMEMBERED_ORDER)?.get(..8)?;
    Some(Timestamp::from_unix_ms(
        i64::from_be_bytes(at.try_into().ok()?) ^ i64::MIN,
    ))
}

/// The group and position of a waiting parcel's key.
pub(crate) fn read_waiting(key: &[u8]) -> Option<(u32, u64)> {
    let rest = key.strip_prefix(WAITING)?;
    let (to, position) = rest.split_at_checked(4)?;
    Some((
        u32::from_be_bytes(to.try_into().ok()?),
        u64::from_be_bytes(position.try_into().ok()?),
    ))
}

/// The case whose number ends a key.
pub(crate) fn read_case(key: &[u8], prefix: usize) -> Option<CaseNumber> {
    std::str::from_utf8(key.get(prefix..)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_ends_after_the_last_key_that_begins_so() {
        assert_eq!(range_of(b"w").1, b"x");
        assert_eq!(range_of(&[b'l', 0xff]).1, b"m");
    }

    #[test]
    fn moments_before_1970_come_first() {
        let early = moment(Timestamp::from_unix_ms(-5));
        let late = moment(Timestamp::from_unix_ms(5));
        assert!(early < late);
    }
}
