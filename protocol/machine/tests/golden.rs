//! Golden vectors of what the machine stores and answers: every tag of its enums, and the whole
//! state that a short story leaves, so that what is private to it is held still too. A new variant
//! breaks the build here until it has a vector.

#[path = "../../types/tests/golden/file.rs"]
mod file;

use data_encoding::HEXLOWER;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tongban_machine::{
    DocumentStage, EntryReply, Ground, Lease, ParcelFate, Refusal, Reply, Request, Standpoint,
};
use tongban_types::{
    CaseNumber, CaseState, CaseVersion, Code, Decision, GroupId, Hash, Role, decode, encode,
};

use crate::common::prelude::*;
use file::Vector;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");

/// Every variant with its number, name and a sample: leaving one out does not compile.
macro_rules! tags {
    ($type:ty { $($number:literal $name:literal $pattern:pat => $sample:expr;)* }) => {{
        fn tag_of(value: &$type) -> (u8, &'static str) {
            match value {
                $($pattern => ($number, $name),)*
            }
        }
        tagged::<$type>(&[$($sample),*], tag_of)
    }};
}

fn tagged<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(
    samples: &[T],
    tag_of: fn(&T) -> (u8, &'static str),
) -> Vec<Vector> {
    let vectors = (0_u8..).zip(samples).map(|(number, sample)| {
        let (tag, name) = tag_of(sample);
        let bytes = postcard::to_allocvec(sample).unwrap();
        assert_eq!(
            (tag, bytes[0]),
            (number, number),
            "{name}: its tag is its number"
        );
        assert_eq!(
            &postcard::from_bytes::<T>(&bytes).unwrap(),
            sample,
            "{name} decodes"
        );
        (name.to_owned(), bytes)
    });
    vectors.collect()
}

fn number() -> CaseNumber {
    CaseNumber::new(city_code(FUZHOU), monday_morning().china_day(), 1, 42).unwrap()
}

#[test]
fn every_reply_keeps_its_bytes() {
    let replies = tags!(Reply {
        0 "case" Reply::Case { .. } => Reply::Case {
            number: number(),
            version: CaseVersion(300),
            state: CaseState::Granted,
        };
        1 "lease" Reply::Lease { .. } => Reply::Lease { number: 7, until: monday_morning() };
        2 "done" Reply::Done => Reply::Done;
        3 "parcel" Reply::Parcel(_) => Reply::Parcel(ParcelFate::Settled);
    });
    file::check(FOLDER, "reply.hex", &replies);
    let fates = tags!(ParcelFate {
        0 "answered" ParcelFate::Answered { .. } => ParcelFate::Answered { answer: 300 };
        1 "answered-before" ParcelFate::AnsweredBefore { .. } =>
            ParcelFate::AnsweredBefore { answer: 300 };
        2 "settled" ParcelFate::Settled => ParcelFate::Settled;
        3 "settled-before" ParcelFate::SettledBefore => ParcelFate::SettledBefore;
        4 "not-entered" ParcelFate::NotEntered(_) => ParcelFate::NotEntered(Code::EQUIVOCATION);
    });
    file::check(FOLDER, "parcel_fate.hex", &fates);
    let whole = EntryReply {
        results: vec![Ok(Reply::Done), Err(Refusal::NoSuchCase)],
    };
    let bytes = encode(&whole);
    assert_eq!(decode(&bytes), Ok(whole));
    file::check(
        FOLDER,
        "entry_reply.hex",
        &[("entry-reply".to_owned(), bytes)],
    );
}

#[test]
fn every_refusal_keeps_its_bytes() {
    let time = monday_morning();
    let (expected, actual) = (CaseVersion(1), CaseVersion(2));
    let vectors = tags!(Refusal {
        0 "malformed" Refusal::Malformed => Refusal::Malformed;
        1 "bad-signature" Refusal::BadSignature => Refusal::BadSignature;
        2 "key-without-right" Refusal::KeyWithoutRight => Refusal::KeyWithoutRight;
        3 "other-group" Refusal::OtherGroup(_) => Refusal::OtherGroup(GroupId(city_code(WEINAN)));
        4 "other-city" Refusal::OtherCity => Refusal::OtherCity;
        5 "role-without-right" Refusal::RoleWithoutRight(_) =>
            Refusal::RoleWithoutRight(Role::Auditor);
        6 "no-registry" Refusal::NoRegistry => Refusal::NoRegistry;
        7 "no-time" Refusal::NoTime => Refusal::NoTime;
        8 "skewed" Refusal::Skewed { .. } => Refusal::Skewed { at: time, group_time: time };
        9 "id-reused" Refusal::IdReused => Refusal::IdReused;
        10 "case-exists" Refusal::CaseExists => Refusal::CaseExists;
        11 "no-such-case" Refusal::NoSuchCase => Refusal::NoSuchCase;
        12 "stale-version" Refusal::StaleVersion { .. } =>
            Refusal::StaleVersion { expected, actual };
        13 "wrong-state" Refusal::WrongState(_) => Refusal::WrongState(CaseState::Withdrawn);
        14 "not-owner" Refusal::NotOwner => Refusal::NotOwner;
        15 "not-the-authority" Refusal::NotTheAuthority => Refusal::NotTheAuthority;
        16 "request-pending" Refusal::RequestPending => Refusal::RequestPending;
        17 "notice-already-given" Refusal::NoticeAlreadyGiven => Refusal::NoticeAlreadyGiven;
        18 "notice-too-late" Refusal::NoticeTooLate => Refusal::NoticeTooLate;
        19 "reviewer-may-not-decide" Refusal::ReviewerMayNotDecide =>
            Refusal::ReviewerMayNotDecide;
        20 "reason-missing" Refusal::ReasonMissing => Refusal::ReasonMissing;
        21 "document-pending" Refusal::DocumentPending => Refusal::DocumentPending;
        22 "document-stage" Refusal::DocumentStage => Refusal::DocumentStage;
        23 "unknown-item" Refusal::UnknownItem => Refusal::UnknownItem;
        24 "item-exists" Refusal::ItemExists => Refusal::ItemExists;
        25 "catalogue-full" Refusal::CatalogueFull => Refusal::CatalogueFull;
        26 "no-calendar" Refusal::NoCalendar => Refusal::NoCalendar;
        27 "superseded" Refusal::Superseded => Refusal::Superseded;
        28 "lease-held" Refusal::LeaseHeld => Refusal::LeaseHeld;
        29 "lease-over" Refusal::LeaseOver => Refusal::LeaseOver;
        30 "registry-refused" Refusal::RegistryRefused(_) =>
            Refusal::RegistryRefused(Code::REGISTRY_FORKED);
        31 "certificate-refused" Refusal::CertificateRefused(_) =>
            Refusal::CertificateRefused(Code::MAJORITY_MISSING);
        32 "parcel-for-other" Refusal::ParcelForOther => Refusal::ParcelForOther;
        33 "out-of-order" Refusal::OutOfOrder { .. } => Refusal::OutOfOrder { expected: 1, got: 300 };
        34 "equivocation" Refusal::Equivocation => Refusal::Equivocation;
        35 "not-a-party" Refusal::NotAParty => Refusal::NotAParty;
        36 "already-decided" Refusal::AlreadyDecided => Refusal::AlreadyDecided;
        37 "inconsistent-envelope" Refusal::InconsistentEnvelope => Refusal::InconsistentEnvelope;
        38 "no-catalogue" Refusal::NoCatalogue => Refusal::NoCatalogue;
        39 "key-out-of-time" Refusal::KeyOutOfTime { .. } =>
            Refusal::KeyOutOfTime { at: monday_morning() };
        40 "collected-too-long-ago" Refusal::CollectedTooLongAgo { .. } =>
            Refusal::CollectedTooLongAgo { at: time, group_time: time };
        41 "item-differs" Refusal::ItemDiffers => Refusal::ItemDiffers;
        42 "calendar-leaves-years-out" Refusal::CalendarLeavesYearsOut => Refusal::CalendarLeavesYearsOut;
        43 "placement-out-of-turn" Refusal::PlacementOutOfTurn { .. } =>
            Refusal::PlacementOutOfTurn { expected: 2, got: 300 };
        44 "placement-rule-broken" Refusal::PlacementRuleBroken => Refusal::PlacementRuleBroken;
    });
    file::check(FOLDER, "refusal.hex", &vectors);
}

#[test]
fn the_words_of_a_record_keep_their_bytes() {
    let mut vectors = tags!(Standpoint {
        0 "owner" Standpoint::Owner => Standpoint::Owner;
        1 "mirror" Standpoint::Mirror => Standpoint::Mirror;
    });
    vectors.extend(tags!(Request {
        0 "correction" Request::Correction => Request::Correction;
        1 "withdrawal" Request::Withdrawal => Request::Withdrawal;
        2 "delivery" Request::Delivery => Request::Delivery;
    }));
    vectors.extend(tags!(DocumentStage {
        0 "none" DocumentStage::None => DocumentStage::None;
        1 "owed" DocumentStage::Owed => DocumentStage::Owed;
        2 "prepared" DocumentStage::Prepared { .. } =>
            DocumentStage::Prepared { input: Hash([1; 32]) };
        3 "issued" DocumentStage::Issued { .. } => DocumentStage::Issued { hash: Hash([2; 32]) };
    }));
    let ground = Ground {
        time: monday_morning(),
        registry: 1,
        calendar: 2,
        outbox_next: 3,
        remembered: 4,
        items: 5,
        evidence: 6,
        lease_number: 7,
        lease: Some(Lease {
            holder: node_of(FUZHOU, 1),
            until: monday_morning(),
        }),
        cases: 8,
    };
    vectors.push(("ground".to_owned(), postcard::to_allocvec(&ground).unwrap()));
    file::check(FOLDER, "record.hex", &vectors);
}

/// All keys and values but the registry and the calendar, whose form others keep, and the hashes
/// over them.
fn stored(city: &City) -> Vec<Vector> {
    let pairs = city.view.0.iter();
    pairs
        .filter(|(key, _)| !b"RyHP".contains(&key[0]))
        .map(|(key, value)| (HEXLOWER.encode(key), value.clone()))
        .collect()
}

#[test]
fn what_a_story_leaves_in_both_cities_keeps_its_bytes() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = received(&mut fuzhou, &mut weinan);
    let (reviewer, checker) = (officer(WEINAN, REVIEWER), officer(WEINAN, CHECKER));
    weinan
        .act(&reviewer, ask_correction(&weinan, number))
        .unwrap();
    carry_all(&mut fuzhou, &mut weinan);
    fuzhou
        .act(&clerk(FUZHOU), correct(&fuzhou, number))
        .unwrap();
    carry_all(&mut fuzhou, &mut weinan);
    weinan.act(&reviewer, accept(&weinan, number)).unwrap();
    weinan.act(&reviewer, review(&weinan, number)).unwrap();
    let body = decide(&weinan, number, Decision::Grant);
    weinan.act(&checker, body).unwrap();
    let lease = leased(&mut weinan);
    weinan
        .act(&system(WEINAN), prepare(&weinan, number, lease))
        .unwrap();
    carry(&mut weinan, &mut fuzhou);
    // A second case waits, a third is on its way: deadlines, effects and packets stand there too.
    received(&mut fuzhou, &mut weinan);
    in_transit(&mut fuzhou, &weinan);
    file::check(FOLDER, "story_fuzhou.hex", &stored(&fuzhou));
    file::check(FOLDER, "story_weinan.hex", &stored(&weinan));
}
