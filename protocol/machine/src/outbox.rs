//! Parcels on their way out: packets in order per (to, case), and what happens to a packet's place once
//! it is answered.

use tongban_types::{
    Answer, CaseNumber, GroupId, Hash, Packet, PacketBody, Parcel, Timestamp, Verdict, limits,
    sha256,
};

use crate::context::Context;
use crate::keyspace::{self, Deadline};
use crate::refusal::Refusal;
use crate::view::View;

/// Sends the next packet of a case to a group.
pub(crate) fn send_packet(
    context: &mut Context<'_>,
    to: GroupId,
    case: CaseNumber,
    body: PacketBody,
) {
    let key = keyspace::next_to_send(to, case);
    let sequence: u32 = context.draft.load(&key).unwrap_or(0);
    context.draft.store(key, &sequence.saturating_add(1));
    let packet = Packet {
        from: context.group,
        to,
        case,
        sequence,
        deadline: context.ground.time.plus_ms(limits::PACKET_LIFE_MS),
        body,
    };
    let position = context.send(&Parcel::Packet(Box::new(packet)));
    context
        .draft
        .store(keyspace::outstanding(to, case, sequence), &position);
    context
        .draft
        .put(keyspace::waiting(to, position), Vec::new());
}

/// The packet last sent to a group about a case, if it is not answered yet.
pub(crate) fn last_unanswered(
    context: &Context<'_>,
    to: GroupId,
    case: CaseNumber,
) -> Option<Packet> {
    let next: u32 = context.draft.load(&keyspace::next_to_send(to, case))?;
    let position = outstanding(context, to, case, next.checked_sub(1)?)?;
    read_packet(&context.draft.get(&keyspace::parcel(position))?)
}

/// Whether enough of our own time went by since a packet was sent to say it again.
pub(crate) fn may_repeat(context: &Context<'_>, packet: &Packet) -> bool {
    context.ground.time >= repeat_at(packet)
}

/// When a packet may be said again.
fn repeat_at(packet: &Packet) -> Timestamp {
    let sent = packet.deadline.plus_ms(-limits::PACKET_LIFE_MS);
    sent.plus_ms(limits::RESEND_AFTER_MS)
}

/// Marks that a mirror missed what a packet said. It is told again by itself, in this very entry or
/// as soon as that packet may be said again.
pub(crate) fn mark_stale_mirror(context: &mut Context<'_>, packet: &Packet) {
    forget_stale_mirror(context, packet.case);
    let at = repeat_at(packet);
    context
        .draft
        .store(keyspace::stale_mirror(packet.case), &at);
    let key = keyspace::deadline(at, packet.case, Deadline::Mirror);
    context.draft.put(key, Vec::new());
}

/// The mirror is told now.
pub(crate) fn forget_stale_mirror(context: &mut Context<'_>, case: CaseNumber) {
    let mark = keyspace::stale_mirror(case);
    if let Some(at) = context.draft.load::<Timestamp>(&mark) {
        context.draft.delete(mark);
        context
            .draft
            .delete(keyspace::deadline(at, case, Deadline::Mirror));
    }
}

fn outstanding(context: &Context<'_>, to: GroupId, case: CaseNumber, sequence: u32) -> Option<u64> {
    context
        .draft
        .load(&keyspace::outstanding(to, case, sequence))
}

fn read_packet(stored: &[u8]) -> Option<Packet> {
    match tongban_types::decode(stored) {
        Ok(Parcel::Packet(packet)) => Some(*packet),
        _ => None,
    }
}

/// Whether an answer is to exactly the packet we sent there; one that never saw it names none.
fn is_answer_to(answer: &Answer, stored: &[u8]) -> bool {
    let unseen = answer.verdict == Verdict::NotReceived && answer.packet == Hash::default();
    unseen || answer.packet == sha256(stored)
}

/// Takes the packet an answer is to out of the outbox and returns it; `None` if no such packet
/// waits. Answers of a case are taken in the order of its packets, so that what became of a transfer
/// is known before what became of a request behind it.
pub(crate) fn settle(
    context: &mut Context<'_>,
    answer: &Answer,
) -> Result<Option<Packet>, Refusal> {
    let (to, case, sequence) = (answer.from, answer.case, answer.sequence);
    let Some(position) = outstanding(context, to, case, sequence) else {
        return Ok(None);
    };
    if let Some(before) = sequence.checked_sub(1)
        && outstanding(context, to, case, before).is_some()
    {
        return Err(Refusal::OutOfOrder {
            expected: before,
            got: sequence,
        });
    }
    let Some(stored) = context
        .draft
        .get(&keyspace::parcel(position))
        .filter(|stored| is_answer_to(answer, stored))
    else {
        return Ok(None);
    };
    let Some(packet) = read_packet(&stored) else {
        return Ok(None);
    };
    context
        .draft
        .delete(keyspace::outstanding(to, case, sequence));
    context.draft.delete(keyspace::waiting(to, position));
    context.draft.delete(keyspace::parcel(position));
    Ok(Some(packet))
}
