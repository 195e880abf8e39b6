//! One value of everything that is written, the same in every run.

use tongban_types::{
    Actor, Answer, BatchHead, Calendar, CalendarYear, CaseEnvelope, CaseNumber, CaseState,
    CaseVersion, CertifiedParcels, Channel, CityCode, CivilDay, Code, Command, CommandBatch,
    CommandBody, CommandId, Division, DueTime, GroupId, HandlingMode, Hash, Holiday,
    IssuedDocument, ItemCode, ItemTerms, ItemVersion, NodeId, OnCase, Packet, PacketBody, Parcel,
    ParcelBatch, PersonId, PlacedParcel, PlacementOrder, PublicKey, RequestTag, Role, Sealed,
    SealedUse, Signature, Signed, Standing, Step, Timestamp, Verdict, VoterReport, WithReason,
    encode,
};

pub(crate) fn fuzhou() -> CityCode {
    CityCode::new(350_100).unwrap()
}

pub(crate) fn weinan() -> CityCode {
    CityCode::new(610_500).unwrap()
}

pub(crate) fn node() -> NodeId {
    NodeId::new(fuzhou(), 1).unwrap()
}

pub(crate) fn day() -> CivilDay {
    CivilDay::from_ymd(2026, 3, 2).unwrap()
}

pub(crate) fn moment() -> Timestamp {
    day().first_ms().plus_ms(32_400_123)
}

pub(crate) fn number() -> CaseNumber {
    CaseNumber::new(fuzhou(), day(), 1, 42).unwrap()
}

pub(crate) fn actor() -> Actor {
    Actor {
        city: fuzhou(),
        person: PersonId::new("clerk-07").unwrap(),
        role: Role::Clerk,
    }
}

pub(crate) fn hash(byte: u8) -> Hash {
    Hash([byte; 32])
}

pub(crate) fn sealed(usage: SealedUse) -> Sealed {
    Sealed {
        usage,
        nonce: [0xa5; 24],
        ciphertext: vec![1, 2, 3, 0xff],
    }
}

pub(crate) fn on() -> OnCase {
    OnCase {
        case: number(),
        expected: CaseVersion(300),
    }
}

pub(crate) fn item() -> ItemVersion {
    ItemVersion {
        code: ItemCode::new("00010990000A").unwrap(),
        version: 3,
    }
}

pub(crate) fn due() -> DueTime {
    DueTime {
        at: day().last_ms(),
        provisional: true,
        calendar: 2,
    }
}

pub(crate) fn envelope() -> CaseEnvelope {
    CaseEnvelope {
        number: number(),
        item: item(),
        item_file: hash(3),
        mode: HandlingMode::CollectedElsewhere,
        intake: fuzhou(),
        authority: weinan(),
        authority_division: Division::new(610_502).unwrap(),
        subject: hash(1),
        channel: Channel::Window,
        collected_at: moment(),
        collected_by: actor(),
        form: hash(2),
    }
}

pub(crate) fn with_reason() -> WithReason {
    WithReason {
        on: on(),
        reason: sealed(SealedUse::Reason),
    }
}

pub(crate) fn calendar() -> Calendar {
    let holiday = Holiday {
        name: "元旦".to_owned(),
        first: CivilDay::from_ymd(2026, 1, 1).unwrap(),
        last: CivilDay::from_ymd(2026, 1, 3).unwrap(),
    };
    let year = CalendarYear {
        year: 2026,
        notice: "通知".to_owned(),
        holidays: vec![holiday],
        make_up_workdays: vec![CivilDay::from_ymd(2026, 1, 4).unwrap()],
    };
    Calendar::new(7, vec![year]).unwrap()
}

pub(crate) fn terms() -> ItemTerms {
    ItemTerms {
        item: item(),
        mode: HandlingMode::Joint,
        notice_days: 5,
        promise_days: 10,
        statutory_days: Some(20),
        document_type: Some("urn:tongban:vct:migration:1".to_owned()),
        file: hash(3),
    }
}

pub(crate) fn command() -> Command {
    Command {
        group: GroupId(fuzhou()),
        id: CommandId::derive(b"asker", b"key"),
        at: moment(),
        actor: actor(),
        request: RequestTag(hash(4)),
        body: CommandBody::Accept(on()),
    }
}

pub(crate) fn signature() -> Signature {
    Signature(std::array::from_fn(|at| u8::try_from(at).unwrap()))
}

pub(crate) fn packet(body: PacketBody) -> Packet {
    Packet {
        from: GroupId(fuzhou()),
        to: GroupId(weinan()),
        case: number(),
        sequence: 130,
        deadline: moment(),
        body,
    }
}

pub(crate) fn delivery() -> PacketBody {
    PacketBody::Delivery {
        at: moment(),
        actor: actor(),
    }
}

pub(crate) fn standing() -> Standing {
    let step = |state, words| Step {
        state,
        at: moment(),
        actor: actor(),
        words,
    };
    Standing {
        steps: vec![
            step(CaseState::Received, None),
            step(CaseState::Granted, Some(sealed(SealedUse::Reason))),
        ],
        form: hash(2),
        notice_from: moment(),
        notice_due: None,
        deemed: true,
        promise_due: Some(due()),
        statutory_due: None,
        document: Some(IssuedDocument {
            document: sealed(SealedUse::Document),
            hash: hash(4),
        }),
    }
}

pub(crate) fn answer() -> Answer {
    Answer {
        from: GroupId(weinan()),
        to: GroupId(fuzhou()),
        case: number(),
        sequence: 130,
        packet: hash(5),
        verdict: Verdict::Refused(Code::UNKNOWN_ITEM),
        at: moment(),
    }
}

pub(crate) fn parcel_batch() -> ParcelBatch {
    ParcelBatch {
        group: GroupId(fuzhou()),
        first: 1_000_000,
        count: 2,
        root: hash(6),
    }
}

pub(crate) fn certified() -> CertifiedParcels {
    CertifiedParcels {
        batch: parcel_batch(),
        signatures: vec![(node(), signature())],
        parcels: vec![PlacedParcel {
            index: 1,
            path: vec![hash(7)],
            bytes: encode(&Parcel::Answer(answer())),
        }],
    }
}

pub(crate) fn batch_head() -> BatchHead {
    BatchHead {
        group: GroupId(fuzhou()),
        count: 256,
        root: hash(8),
    }
}

pub(crate) fn command_batch() -> CommandBatch {
    CommandBatch {
        signer: PublicKey([9; 32]),
        signature: signature(),
        commands: vec![encode(&command())],
    }
}

pub(crate) fn report() -> VoterReport {
    VoterReport {
        group: GroupId(fuzhou()),
        voter: node(),
        time: moment(),
        index: 12_345,
        state: hash(10),
    }
}

pub(crate) fn placement() -> PlacementOrder {
    PlacementOrder {
        group: GroupId(fuzhou()),
        version: 300,
        voters: vec![
            node(),
            NodeId::new(fuzhou(), 2).unwrap(),
            NodeId::new(weinan(), 1).unwrap(),
        ],
        learners: vec![NodeId::new(weinan(), 2).unwrap()],
        reason: "换下损坏的机器".to_owned(),
    }
}

pub(crate) fn signed_placement() -> Signed {
    Signed {
        signer: PublicKey([9; 32]),
        signature: signature(),
        bytes: encode(&placement()),
    }
}
