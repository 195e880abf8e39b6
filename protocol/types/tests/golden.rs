//! Golden vectors: the bytes of every tag and every record that logs, wires and signatures hold. A
//! change of one is a change of a law. A new variant breaks the build here until it has a vector.

#![expect(
    clippy::unwrap_used,
    reason = "the lint knows only functions marked as tests, not the samples they stand on"
)]

#[path = "golden/file.rs"]
mod file;
#[path = "golden/samples.rs"]
mod samples;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tongban_types::{
    AskCorrection, BackedUpState, BackupHead, BackupManifest, BackupPart, BackupPiece, CaseState,
    Channel, Collect, CommandBody, Correct, Decide, Decision, Entry, Equivocation, GroupId,
    HandlingMode, IssueDocument, KeyRole, PacketBody, Parcel, PrepareDocument, Purpose, Receipt,
    ReceiptBody, Record, ReplicatedReceipt, Review, Role, SealedUse, SealingPublicKey, Signed,
    Verdict, decode, encode,
};

use file::Vector;
use samples::{
    answer, batch_head, calendar, certified, command, command_batch, delivery, envelope, hash,
    item, moment, node, on, packet, parcel_batch, placement, report, sealed, signature,
    signed_placement, standing, terms, with_reason,
};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");

fn check(file: &str, vectors: &[Vector]) {
    file::check(FOLDER, file, vectors);
}

/// Every variant with its number, name and a sample: leaving one out does not compile.
macro_rules! tags {
    ($type:ty { $($number:literal $name:literal $pattern:pat => $sample:expr;)* }) => {{
        fn tag_of(value: &$type) -> (u8, &'static str) {
            match value {
                $($pattern => ($number, $name),)*
            }
        }
        let samples: Vec<$type> = vec![$($sample),*];
        tagged(&samples, tag_of)
    }};
}

/// The vectors of an enum: its tag is its number, and it decodes to itself alone.
fn tagged<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(
    samples: &[T],
    tag_of: fn(&T) -> (u8, &'static str),
) -> Vec<Vector> {
    let vectors = (0_u8..).zip(samples).map(|(number, sample)| {
        let (tag, name) = tag_of(sample);
        let bytes = postcard::to_allocvec(sample).unwrap();
        assert_eq!(
            tag, number,
            "{name}: samples stand in the order of their numbers"
        );
        assert_eq!(bytes[0], number, "{name}: its tag is its number");
        assert_eq!(
            &postcard::from_bytes::<T>(&bytes).unwrap(),
            sample,
            "{name} decodes"
        );
        (name.to_owned(), bytes)
    });
    vectors.collect()
}

fn assert_unknown_tag<T: DeserializeOwned>(vectors: &[Vector]) {
    let mut bytes = vec![u8::try_from(vectors.len()).unwrap()];
    bytes.extend([0; 400]);
    assert!(
        postcard::take_from_bytes::<T>(&bytes).is_err(),
        "no tag is past the last"
    );
}

#[test]
fn every_kind_of_log_entry_keeps_its_bytes() {
    let signed = Signed {
        signer: command_batch().signer,
        signature: signature(),
        bytes: encode(&report()),
    };
    let vectors = tags!(Entry {
        0 "commands" Entry::Commands(_) => Entry::Commands(command_batch());
        1 "report" Entry::Report(_) => Entry::Report(signed);
        2 "parcels" Entry::Parcels(_) => Entry::Parcels(certified());
        3 "registry" Entry::Registry(_) => Entry::Registry(b"{}".to_vec());
        4 "registries" Entry::Registries(_) => Entry::Registries(vec![b"{}".to_vec(), b"{}".to_vec()]);
        5 "placement" Entry::Placement(_) => Entry::Placement(signed_placement());
    });
    assert_unknown_tag::<Entry>(&vectors);
    check("entry.hex", &vectors);
}

#[test]
fn every_order_keeps_its_bytes() {
    let collect = Collect {
        envelope: envelope(),
        form: sealed(SealedUse::Form),
        hand_over: true,
    };
    let ask = AskCorrection {
        on: on(),
        notice: sealed(SealedUse::Notice),
    };
    let correct = Correct {
        on: on(),
        form: sealed(SealedUse::Form),
        form_hash: hash(11),
    };
    let review = Review {
        on: on(),
        recommend: Decision::Grant,
        opinion: sealed(SealedUse::Reason),
    };
    let decide = Decide {
        on: on(),
        decision: Decision::Refuse,
        reason: Some(sealed(SealedUse::Reason)),
    };
    let prepare = PrepareDocument {
        on: on(),
        lease: 9,
        signing_input: sealed(SealedUse::SigningInput),
        input_hash: hash(12),
    };
    let issue = IssueDocument {
        on: on(),
        lease: 9,
        input_hash: hash(12),
        document: sealed(SealedUse::Document),
        document_hash: hash(13),
    };
    let vectors = tags!(CommandBody {
        0 "collect" CommandBody::Collect(_) => CommandBody::Collect(Box::new(collect));
        1 "transfer" CommandBody::Transfer(_) => CommandBody::Transfer(on());
        2 "ask-correction" CommandBody::AskCorrection(_) => CommandBody::AskCorrection(ask);
        3 "correct" CommandBody::Correct(_) => CommandBody::Correct(correct);
        4 "accept" CommandBody::Accept(_) => CommandBody::Accept(on());
        5 "refuse-to-accept" CommandBody::RefuseToAccept(_) =>
            CommandBody::RefuseToAccept(with_reason());
        6 "review" CommandBody::Review(_) => CommandBody::Review(review);
        7 "decide" CommandBody::Decide(_) => CommandBody::Decide(decide);
        8 "deliver" CommandBody::Deliver(_) => CommandBody::Deliver(on());
        9 "withdraw" CommandBody::Withdraw(_) => CommandBody::Withdraw(with_reason());
        10 "install-item" CommandBody::InstallItem(_) => CommandBody::InstallItem(terms());
        11 "install-calendar" CommandBody::InstallCalendar(_) =>
            CommandBody::InstallCalendar(calendar());
        12 "take-lease" CommandBody::TakeLease(_) => CommandBody::TakeLease(node());
        13 "prepare-document" CommandBody::PrepareDocument(_) =>
            CommandBody::PrepareDocument(prepare);
        14 "issue-document" CommandBody::IssueDocument(_) => CommandBody::IssueDocument(issue);
    });
    assert_unknown_tag::<CommandBody>(&vectors);
    check("command_body.hex", &vectors);
}

#[test]
fn every_packet_and_answer_keeps_its_bytes() {
    let vectors = tags!(PacketBody {
        0 "transfer" PacketBody::Transfer { .. } => PacketBody::Transfer {
            envelope: envelope(),
            form: sealed(SealedUse::Form),
        };
        1 "correction" PacketBody::Correction { .. } => PacketBody::Correction {
            form: sealed(SealedUse::Form),
            form_hash: hash(11),
            at: moment(),
            actor: envelope().collected_by,
        };
        2 "withdrawal" PacketBody::Withdrawal { .. } => PacketBody::Withdrawal {
            reason: sealed(SealedUse::Reason),
            at: moment(),
            actor: envelope().collected_by,
        };
        3 "delivery" PacketBody::Delivery { .. } => delivery();
        4 "standing" PacketBody::Standing(_) => PacketBody::Standing(Box::new(standing()));
    });
    assert_unknown_tag::<PacketBody>(&vectors);
    check("packet_body.hex", &vectors);
    let vectors = tags!(Parcel {
        0 "packet" Parcel::Packet(_) => Parcel::Packet(Box::new(packet(delivery())));
        1 "answer" Parcel::Answer(_) => Parcel::Answer(answer());
    });
    assert_unknown_tag::<Parcel>(&vectors);
    check("parcel.hex", &vectors);
    let vectors = tags!(Verdict {
        0 "entered" Verdict::Entered => Verdict::Entered;
        1 "refused" Verdict::Refused(_) => answer().verdict;
        2 "not-received" Verdict::NotReceived => Verdict::NotReceived;
    });
    assert_unknown_tag::<Verdict>(&vectors);
    check("verdict.hex", &vectors);
}

#[test]
fn the_words_of_a_case_keep_their_numbers_and_names() {
    let states = tags!(CaseState {
        0 "collected" CaseState::Collected => CaseState::Collected;
        1 "in-transit" CaseState::InTransit => CaseState::InTransit;
        2 "received" CaseState::Received => CaseState::Received;
        3 "correction-asked" CaseState::CorrectionAsked => CaseState::CorrectionAsked;
        4 "corrected" CaseState::Corrected => CaseState::Corrected;
        5 "accepted" CaseState::Accepted => CaseState::Accepted;
        6 "not-accepted" CaseState::NotAccepted => CaseState::NotAccepted;
        7 "in-review" CaseState::InReview => CaseState::InReview;
        8 "granted" CaseState::Granted => CaseState::Granted;
        9 "refused" CaseState::Refused => CaseState::Refused;
        10 "delivered" CaseState::Delivered => CaseState::Delivered;
        11 "withdrawn" CaseState::Withdrawn => CaseState::Withdrawn;
    });
    assert_eq!(states.len(), CaseState::ALL.len());
    for (state, (name, _)) in CaseState::ALL.iter().zip(&states) {
        assert_eq!(state.name(), name);
        assert_eq!(name.parse(), Ok(*state));
        assert_json(state, name);
    }
    check("case_state.hex", &states);
    let decisions = tags!(Decision {
        0 "grant" Decision::Grant => Decision::Grant;
        1 "refuse" Decision::Refuse => Decision::Refuse;
    });
    assert_json(&Decision::Grant, "grant");
    check("decision.hex", &decisions);
    let channels = tags!(Channel {
        0 "window" Channel::Window => Channel::Window;
        1 "online" Channel::Online => Channel::Online;
        2 "terminal" Channel::Terminal => Channel::Terminal;
    });
    assert_json(&Channel::Terminal, "terminal");
    check("channel.hex", &channels);
    let modes = tags!(HandlingMode {
        0 "online" HandlingMode::Online => HandlingMode::Online;
        1 "collected-elsewhere" HandlingMode::CollectedElsewhere =>
            HandlingMode::CollectedElsewhere;
        2 "joint" HandlingMode::Joint => HandlingMode::Joint;
    });
    assert_json(&HandlingMode::CollectedElsewhere, "collected-elsewhere");
    check("handling_mode.hex", &modes);
}

#[test]
fn roles_and_uses_keep_their_numbers_and_names() {
    let roles = tags!(Role {
        0 "clerk" Role::Clerk => Role::Clerk;
        1 "officer" Role::Officer => Role::Officer;
        2 "supervisor" Role::Supervisor => Role::Supervisor;
        3 "operator" Role::Operator => Role::Operator;
        4 "auditor" Role::Auditor => Role::Auditor;
        5 "system" Role::System => Role::System;
    });
    for (name, bytes) in &roles {
        let role: Role = postcard::from_bytes(bytes).unwrap();
        assert_eq!(role.name(), name);
        assert_json(&role, name);
    }
    check("role.hex", &roles);
    let uses = tags!(SealedUse {
        0 "form" SealedUse::Form => SealedUse::Form;
        1 "notice" SealedUse::Notice => SealedUse::Notice;
        2 "reason" SealedUse::Reason => SealedUse::Reason;
        3 "signing-input" SealedUse::SigningInput => SealedUse::SigningInput;
        4 "document" SealedUse::Document => SealedUse::Document;
    });
    for (number, (_, bytes)) in uses.iter().enumerate() {
        let usage: SealedUse = postcard::from_bytes(bytes).unwrap();
        assert_eq!(
            usage as usize, number,
            "the number authenticated with a sealed text"
        );
    }
    check("sealed_use.hex", &uses);
    let keys = tags!(KeyRole {
        0 "transport" KeyRole::Transport => KeyRole::Transport;
        1 "command" KeyRole::Command => KeyRole::Command;
        2 "voter" KeyRole::Voter => KeyRole::Voter;
        3 "receipt" KeyRole::Receipt => KeyRole::Receipt;
        4 "issuer" KeyRole::Issuer => KeyRole::Issuer;
        5 "status" KeyRole::Status => KeyRole::Status;
        6 "log" KeyRole::Log => KeyRole::Log;
        7 "witness" KeyRole::Witness => KeyRole::Witness;
        8 "governance" KeyRole::Governance => KeyRole::Governance;
    });
    assert_eq!(keys.len(), KeyRole::ALL.len());
    for (role, (name, _)) in KeyRole::ALL.iter().zip(&keys) {
        assert_eq!(role.name(), name);
        assert_json(role, name);
    }
    check("key_role.hex", &keys);
}

/// A purpose has no number: what is permanent is the text in front of what is signed.
#[test]
fn what_is_signed_begins_with_its_purpose() {
    let name_of = |purpose: Purpose| match purpose {
        Purpose::CommandBatch => "command-batch",
        Purpose::VoterReport => "voter-report",
        Purpose::ParcelBatch => "parcel-batch",
        Purpose::ReceiptLocal => "receipt-local",
        Purpose::ReceiptReplicated => "receipt-replicated",
        Purpose::PlacementOrder => "placement-order",
        Purpose::BackupManifest => "backup-manifest",
    };
    let vectors: Vec<Vector> = Purpose::ALL
        .into_iter()
        .map(|purpose| {
            assert_eq!(purpose.name(), name_of(purpose));
            (name_of(purpose).to_owned(), purpose.message(b"content"))
        })
        .collect();
    check("purpose.hex", &vectors);
}

fn record<T: Record + PartialEq + std::fmt::Debug>(vectors: &mut Vec<Vector>, value: &T) {
    let bytes = encode(value);
    assert_eq!(bytes[..2], T::KIND.to_le_bytes());
    assert_eq!(bytes[2..4], T::VERSION.to_le_bytes());
    assert_eq!(decode::<T>(&bytes).as_ref(), Ok(value));
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(decode::<T>(&longer).is_err(), "nothing may follow a record");
    assert!(
        decode::<T>(&bytes[..bytes.len() - 1]).is_err(),
        "nothing may be missing"
    );
    vectors.push((T::NAME.replace(' ', "-"), bytes));
}

#[test]
fn every_record_keeps_its_place_and_bytes() {
    let mut vectors = Vec::new();
    record(&mut vectors, &Entry::Commands(command_batch()));
    record(&mut vectors, &command());
    record(&mut vectors, &batch_head());
    record(&mut vectors, &report());
    record(&mut vectors, &parcel_batch());
    record(&mut vectors, &Parcel::Answer(answer()));
    record(&mut vectors, &certified());
    let first = certified();
    let mut second = certified();
    second.parcels[0].index = 0;
    record(&mut vectors, &Equivocation { first, second });
    record(&mut vectors, &placement());
    check("record.hex", &vectors);
}

#[test]
fn every_receipt_keeps_its_bytes() {
    let body = ReceiptBody {
        case: on().case,
        item: item(),
        authority: envelope().authority,
        collected_at: moment(),
        form: hash(14),
        node: node(),
    };
    let stored = Signed {
        signer: command_batch().signer,
        signature: signature(),
        bytes: encode(&body),
    };
    let replicated = ReplicatedReceipt {
        signer: command_batch().signer,
        signature: signature(),
        body: encode(&body),
        index: 1,
        count: 2,
        path: vec![hash(15)],
    };
    let mut vectors = tags!(Receipt {
        0 "stored" Receipt::Stored(_) => Receipt::Stored(stored.clone());
        1 "replicated" Receipt::Replicated(_) => Receipt::Replicated(replicated);
    });
    assert_unknown_tag::<Receipt>(&vectors);
    record(&mut vectors, &body);
    record(&mut vectors, &Receipt::Stored(stored));
    check("receipt.hex", &vectors);
}

#[test]
fn what_names_files_keeps_its_bytes() {
    let file = tongban_types::Attachment::new(
        "营业执照.pdf".to_owned(),
        "application/pdf".to_owned(),
        5_000_000,
        tongban_types::BlobHash([0x5a; 32]),
    )
    .unwrap();
    let manifest = tongban_types::Manifest::whole(file.blob, file.size);
    assert_eq!(manifest.id(), file.manifest);
    let package = tongban_types::Package {
        form: br#"{"a":1}"#.to_vec(),
        attachments: vec![file.clone()],
    };
    let mut vectors = Vec::new();
    record(&mut vectors, &manifest);
    record(&mut vectors, &package);
    vectors.push(("manifest-id".to_owned(), file.manifest.0.to_vec()));
    vectors.push(("package-text".to_owned(), package.to_text()));
    check("attachment.hex", &vectors);
    let layouts = tags!(tongban_types::Layout {
        0 "whole" tongban_types::Layout::Whole { .. } => tongban_types::Layout::Whole { group_log: 4 };
    });
    assert_unknown_tag::<tongban_types::Layout>(&layouts);
    check("layout.hex", &layouts);
}

#[test]
fn what_a_backup_says_of_itself_keeps_its_bytes() {
    let head = BackupHead {
        node: node(),
        begun_at: moment(),
        recovery: SealingPublicKey([0x21; 32]),
        encapped: [0x22; 32],
    };
    let state = BackedUpState {
        group: GroupId(envelope().authority),
        index: 300,
        state_hash: hash(16),
        content: hash(17),
    };
    let parts = vec![
        BackupPart::Records {
            table: 1,
            pairs: 300,
        },
        BackupPart::State(state),
        BackupPart::File {
            name: "registry.json".to_owned(),
        },
    ];
    let tags = tags!(BackupPart {
        0 "records" BackupPart::Records { .. } => parts[0].clone();
        1 "state" BackupPart::State(_) => parts[1].clone();
        2 "file" BackupPart::File { .. } => parts[2].clone();
    });
    assert_unknown_tag::<BackupPart>(&tags);
    let pieces = parts.into_iter().map(|part| BackupPiece {
        part,
        chunks: 2,
        sealed: hash(18),
    });
    let manifest = BackupManifest {
        head: hash(19),
        ended_at: moment(),
        caught_up: true,
        attachments: 3,
        pieces: pieces.collect(),
    };
    let mut vectors = tags;
    record(&mut vectors, &head);
    record(&mut vectors, &manifest);
    check("backup.hex", &vectors);
}

#[test]
fn what_is_hashed_or_bound_keeps_its_bytes() {
    let vectors = [
        ("command-id", command().id.0.0.to_vec()),
        (
            "associated-data",
            tongban_types::Sealed::associated_data(SealedUse::Reason, on().case),
        ),
        ("item-version", postcard::to_allocvec(&item()).unwrap()),
        ("signed-batch-head", batch_head().signed_bytes()),
        ("signed-parcel-batch", parcel_batch().signed_bytes()),
    ];
    let vectors = vectors.map(|(name, bytes)| (name.to_owned(), bytes));
    check("bound.hex", &vectors);
}

fn assert_json<T: Serialize>(value: &T, name: &str) {
    assert_eq!(serde_json::to_string(value).unwrap(), format!("\"{name}\""));
}
