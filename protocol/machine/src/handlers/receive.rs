//! Parcels of another group: packets are entered once, in order per case, and answered; answers
//! settle our own packets.

use tongban_trust::check_voters_in_time;
use tongban_types::{
    Actor, Answer, CaseEnvelope, CaseState, CertifiedParcels, GroupId, Packet, PacketBody, Parcel,
    ParcelBatch, PlacedParcel, Sealed, SealedUse, Verdict, decode, encode, leaf_hash, limits,
    root_from_path,
};

use super::collect::{check_form, check_package, check_words, fresh_record};
use super::settle::on_answer;
use super::tell::{on_standing, tell_intake};
use crate::context::{Context, require_state};
use crate::dues::{clear_notice, restart_notice, start_notice};
use crate::keyspace;
use crate::record::{CaseRecord, ReceivedPacket, Standpoint};
use crate::refusal::Refusal;
use crate::reply::{ParcelFate, Reply};

/// Takes in the parcels of one certificate, each by itself.
pub(crate) fn on_parcels(
    context: &mut Context<'_>,
    certified: &CertifiedParcels,
) -> Vec<Result<Reply, Refusal>> {
    if let Err(refusal) = check_certificate(context, certified) {
        return vec![Err(refusal)];
    }
    let take = |placed: &PlacedParcel| {
        let savepoint = context.savepoint();
        let fate = on_parcel(context, certified, placed);
        if fate.is_err() {
            context.take_back(savepoint);
        }
        fate.map(Reply::Parcel)
    };
    certified.parcels.iter().map(take).collect()
}

/// What certified parcels show whatever the state holds: their certificate speaks for each of them, they
/// are for this group, and each is named once, in the order of its batch, or whoever holds one certificate
/// could fill an entry with one parcel. One that does not decode may be of a version newer than ours; those
/// beside it do not wait for it.
pub(crate) fn check_proof(
    context: &Context<'_>,
    certified: &CertifiedParcels,
) -> Result<(), Refusal> {
    check_certificate(context, certified)?;
    let judge = |placed| match check_parcel(context, &certified.batch, placed) {
        Ok(_) | Err(Refusal::Malformed) => Ok(()),
        Err(refusal) => Err(refusal),
    };
    certified.parcels.iter().try_for_each(judge)?;
    let ascends = |left: &PlacedParcel, right: &PlacedParcel| left.index < right.index;
    if certified.parcels.is_sorted_by(ascends) {
        Ok(())
    } else {
        Err(Refusal::Malformed)
    }
}

/// A majority of the sending group's voters signed, each with a key in its time.
fn check_certificate(context: &Context<'_>, certified: &CertifiedParcels) -> Result<(), Refusal> {
    let registry = context.registry()?;
    let (batch, signatures) = (certified.batch, &certified.signatures);
    let voters = context.placement(batch.group)?.voters;
    let in_time = match context.time() {
        Some(at) => check_voters_in_time(registry, signatures, at),
        None => Ok(()),
    };
    in_time
        .and_then(|()| {
            let certificates = context.certificates;
            certificates.verify(registry, voters, batch, signatures)
        })
        .map_err(|error| Refusal::CertificateRefused(error.code()))
}

/// The parcel, if it stands in the batch that was signed and is from the batch's group to this one.
fn check_parcel(
    context: &Context<'_>,
    batch: &ParcelBatch,
    placed: &PlacedParcel,
) -> Result<Parcel, Refusal> {
    let root = root_from_path(
        leaf_hash(&placed.bytes),
        placed.index as usize,
        batch.count as usize,
        &placed.path,
    );
    if root != Some(batch.root) {
        return Err(Refusal::BadSignature);
    }
    let parcel: Parcel = decode(&placed.bytes).map_err(|_| Refusal::Malformed)?;
    // A group sends itself nothing: its own cases are acted on by its own city's command key alone.
    let is_ours = batch.group == context.group;
    if is_ours || parcel.from() != batch.group || parcel.to() != context.group {
        return Err(Refusal::ParcelForOther);
    }
    Ok(parcel)
}

fn on_parcel(
    context: &mut Context<'_>,
    certified: &CertifiedParcels,
    placed: &PlacedParcel,
) -> Result<ParcelFate, Refusal> {
    match check_parcel(context, &certified.batch, placed)? {
        Parcel::Answer(answer) => on_answer(context, answer),
        Parcel::Packet(packet) => on_packet(context, certified, placed, &packet),
    }
}

fn on_packet(
    context: &mut Context<'_>,
    certified: &CertifiedParcels,
    placed: &PlacedParcel,
    packet: &Packet,
) -> Result<ParcelFate, Refusal> {
    let (from, case, sequence) = (packet.from, packet.case, packet.sequence);
    let hash = placed.hash();
    let received_key = keyspace::received(from, case, sequence);
    if let Some(before) = context.draft.load::<ReceivedPacket>(&received_key) {
        if before.hash == hash {
            return Ok(ParcelFate::AnsweredBefore {
                answer: before.answer,
            });
        }
        if !before.is_contested {
            if let Some(first) = &before.certificate {
                keep_evidence(context, first, &single(certified, placed));
            }
            let contested = ReceivedPacket {
                is_contested: true,
                ..before
            };
            context.draft.store(received_key, &contested);
        }
        return Ok(ParcelFate::NotEntered(Refusal::Equivocation.code()));
    }
    let next_key = keyspace::next_to_receive(from, case);
    let expected: u32 = context.draft.load(&next_key).unwrap_or(0);
    if sequence != expected {
        return Err(Refusal::OutOfOrder {
            expected,
            got: sequence,
        });
    }
    if context.ground.time.unix_ms() == 0 {
        return Err(Refusal::NoTime);
    }
    let verdict = enter(context, packet)?;
    let answer = Answer {
        from: context.group,
        to: from,
        case,
        sequence,
        packet: hash,
        verdict,
        at: context.ground.time,
    };
    let position = context.send(&Parcel::Answer(answer));
    let is_kept = verdict == Verdict::Entered || context.case(case).is_some();
    let received = ReceivedPacket {
        hash,
        answer: position,
        certificate: is_kept.then(|| single(certified, placed)),
        is_contested: false,
    };
    context.draft.store(received_key, &received);
    context.draft.store(next_key, &sequence.saturating_add(1));
    Ok(ParcelFate::Answered { answer: position })
}

/// Carries a packet out. A refusal is an answer too; it leaves nothing behind but that answer. Where
/// this group is not set up yet, the packet is not entered at all: the sender repeats it.
fn enter(context: &mut Context<'_>, packet: &Packet) -> Result<Verdict, Refusal> {
    if context.ground.time > packet.deadline {
        return Ok(Verdict::NotReceived);
    }
    let savepoint = context.savepoint();
    match enter_body(context, packet) {
        Ok(()) => Ok(Verdict::Entered),
        Err(refusal) => {
            context.take_back(savepoint);
            if refusal.is_passing() {
                Err(refusal)
            } else {
                Ok(Verdict::Refused(refusal.code()))
            }
        }
    }
}

fn enter_body(context: &mut Context<'_>, packet: &Packet) -> Result<(), Refusal> {
    match &packet.body {
        PacketBody::Transfer { envelope, form } => on_transferred(context, packet, envelope, form),
        PacketBody::Correction {
            form,
            form_hash,
            at,
            actor,
        } => {
            let mut record = case_of_intake(context, packet, actor)?;
            require_state(&record, &[CaseState::CorrectionAsked])?;
            check_form(form)?;
            record.form = *form_hash;
            context.keep_form_of(packet);
            restart_notice(context, &mut record, *at)?;
            context.move_case(&mut record, CaseState::Corrected, *at, actor, None);
            tell_intake(context, &record);
            Ok(())
        }
        PacketBody::Withdrawal { reason, at, actor } => {
            let mut record = case_of_intake(context, packet, actor)?;
            if record.state.is_decided() {
                return Err(Refusal::AlreadyDecided);
            }
            check_words(reason, SealedUse::Reason)?;
            clear_notice(context, &mut record);
            let words = Some(reason.clone());
            context.move_case(&mut record, CaseState::Withdrawn, *at, actor, words);
            tell_intake(context, &record);
            Ok(())
        }
        PacketBody::Delivery { at, actor } => {
            let mut record = case_of_intake(context, packet, actor)?;
            super::deliver::require_deliverable(&record)?;
            context.move_case(&mut record, CaseState::Delivered, *at, actor, None);
            tell_intake(context, &record);
            Ok(())
        }
        PacketBody::Standing(standing) => on_standing(context, packet.from, packet.case, standing),
    }
}

fn on_transferred(
    context: &mut Context<'_>,
    packet: &Packet,
    envelope: &CaseEnvelope,
    form: &Sealed,
) -> Result<(), Refusal> {
    let consistent = envelope.number == packet.case
        && GroupId(envelope.intake) == packet.from
        && envelope.number.intake_city() == envelope.intake
        && envelope.number.day() == envelope.collected_at.china_day()
        && envelope.collected_by.city == envelope.intake
        && GroupId(envelope.authority) == context.group;
    if !consistent {
        return Err(Refusal::InconsistentEnvelope);
    }
    // A package from the future is not there yet, or our time lags: its sender repeats it.
    let (at, group_time) = (envelope.collected_at, context.ground.time);
    if at.ms_since(group_time) > limits::SKEW_MS_MAX {
        return Err(Refusal::Skewed { at, group_time });
    }
    check_package(context, envelope, form)?;
    if context.case(packet.case).is_some() {
        return Err(Refusal::CaseExists);
    }
    let mut record = fresh_record(envelope.clone());
    context.ground.cases += 1;
    context.keep_form_of(packet);
    record.received_at = Some(context.ground.time);
    start_notice(context, &mut record)?;
    let actor = Actor::system(context.group.city());
    let at = context.ground.time;
    context.move_case(&mut record, CaseState::Received, at, &actor, None);
    Ok(())
}

/// The case a packet of its intake city acts on, owned here; the actor must be of that city.
fn case_of_intake(
    context: &Context<'_>,
    packet: &Packet,
    actor: &Actor,
) -> Result<CaseRecord, Refusal> {
    let record = context.case(packet.case).ok_or(Refusal::NoSuchCase)?;
    if GroupId(record.envelope.intake) != packet.from || actor.city != record.envelope.intake {
        return Err(Refusal::NotAParty);
    }
    if record.standpoint != Standpoint::Owner {
        return Err(Refusal::NotOwner);
    }
    Ok(record)
}

fn single(certified: &CertifiedParcels, placed: &PlacedParcel) -> CertifiedParcels {
    CertifiedParcels {
        batch: certified.batch,
        signatures: certified.signatures.clone(),
        parcels: vec![placed.clone()],
    }
}

/// Keeps one proof a sequence: one is enough to act on, and the same two packets carried again and
/// again must not push out the proof of another fraud.
fn keep_evidence(context: &mut Context<'_>, first: &CertifiedParcels, second: &CertifiedParcels) {
    let of_sender = keyspace::evidence_of(first.batch.group);
    let kept: u64 = context.draft.load(&of_sender).unwrap_or(0);
    if context.ground.evidence < limits::EVIDENCE_MAX && kept < limits::EVIDENCE_OF_SENDER_MAX {
        context.draft.store(of_sender, &(kept + 1));
        // Two packets of the largest size do not fit one value: each half has its own.
        let number = context.ground.evidence;
        context
            .draft
            .put(keyspace::evidence(number * 2), encode(first));
        context
            .draft
            .put(keyspace::evidence(number * 2 + 1), encode(second));
        context.ground.evidence += 1;
    }
}
