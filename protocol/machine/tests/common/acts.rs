//! The people of the stories, and what they do.

use tongban_types::{
    Actor, AskCorrection, CaseEnvelope, CaseNumber, Channel, Collect, CommandBody, Correct, Decide,
    Decision, Division, HandlingMode, Hash, IssueDocument, ItemCode, ItemTerms, ItemVersion,
    OnCase, PersonId, PrepareDocument, Review, Role, Sealed, SealedUse, Timestamp, WithReason,
    sha256,
};

use super::city::City;
use super::federation::{city_code, node_of};

pub(crate) const CLERK: &str = "clerk-07";
pub(crate) const REVIEWER: &str = "reviewer-01";
pub(crate) const CHECKER: &str = "checker-02";

fn person(city: u32, name: &str, role: Role) -> Actor {
    Actor {
        city: city_code(city),
        person: PersonId::new(name).unwrap(),
        role,
    }
}

/// The clerk at a city's window.
pub(crate) fn clerk(city: u32) -> Actor {
    person(city, CLERK, Role::Clerk)
}

/// An officer of a city.
pub(crate) fn officer(city: u32, name: &str) -> Actor {
    person(city, name, Role::Officer)
}

/// Who runs a city's node.
pub(crate) fn operator(city: u32) -> Actor {
    person(city, "operator-01", Role::Operator)
}

/// A city's node itself.
pub(crate) fn system(city: u32) -> Actor {
    Actor::system(city_code(city))
}

/// 户口迁移: collected elsewhere, decided by people, ends in a document.
pub(crate) fn migration_item() -> ItemTerms {
    item_terms("000109900001", HandlingMode::CollectedElsewhere, true)
}

/// 失业登记: online, without a document.
pub(crate) fn local_item() -> ItemTerms {
    item_terms("002014900001", HandlingMode::Online, false)
}

/// The first version of an item.
pub(crate) fn item_terms(code: &str, mode: HandlingMode, has_document: bool) -> ItemTerms {
    ItemTerms {
        item: ItemVersion {
            code: ItemCode::new(code).unwrap(),
            version: 1,
        },
        mode,
        notice_days: 5,
        promise_days: 10,
        statutory_days: Some(20),
        document_type: has_document.then(|| "urn:tongban:vct:migration:1".to_owned()),
        file: sha256(code.as_bytes()),
    }
}

/// Something only the parties can read.
pub(crate) fn sealed(usage: SealedUse, text: &str) -> Sealed {
    Sealed {
        usage,
        nonce: [7; 24],
        ciphertext: text.as_bytes().to_vec(),
    }
}

/// An application for the migration item, complete and handed over in the same step.
pub(crate) fn application(city: &mut City, authority: u32) -> Collect {
    application_for(city, authority, &migration_item(), city.time())
}

/// An application for an item, collected at a time.
pub(crate) fn application_for(
    city: &mut City,
    authority: u32,
    item: &ItemTerms,
    at: Timestamp,
) -> Collect {
    city.collected += 1;
    let intake = city_code(city.code);
    let number = CaseNumber::new(intake, at.china_day(), 1, city.collected).unwrap();
    Collect {
        envelope: CaseEnvelope {
            number,
            item: item.item,
            item_file: item.file,
            mode: item.mode,
            intake,
            authority: city_code(authority),
            authority_division: Division::new(authority + 2).unwrap(),
            subject: sha256(b"pseudonym"),
            channel: Channel::Window,
            collected_at: at,
            collected_by: clerk(city.code),
            form: Hash([3; 32]),
        },
        form: sealed(SealedUse::Form, "form"),
        hand_over: true,
    }
}

/// A case as a city's people see it now.
pub(crate) fn on(city: &City, case: CaseNumber) -> OnCase {
    OnCase {
        case,
        expected: city.case(case).version,
    }
}

/// 转送.
pub(crate) fn transfer(city: &City, case: CaseNumber) -> CommandBody {
    CommandBody::Transfer(on(city, case))
}

/// 受理.
pub(crate) fn accept(city: &City, case: CaseNumber) -> CommandBody {
    CommandBody::Accept(on(city, case))
}

/// 一次性告知.
pub(crate) fn ask_correction(city: &City, case: CaseNumber) -> CommandBody {
    CommandBody::AskCorrection(AskCorrection {
        on: on(city, case),
        notice: sealed(SealedUse::Notice, "the second page is missing"),
    })
}

/// 补正.
pub(crate) fn correct(city: &City, case: CaseNumber) -> CommandBody {
    CommandBody::Correct(Correct {
        on: on(city, case),
        form: sealed_form_after_correction(),
        form_hash: Hash([4; 32]),
    })
}

pub(crate) fn sealed_form_after_correction() -> Sealed {
    sealed(SealedUse::Form, "corrected form")
}

fn with_reason(city: &City, case: CaseNumber, text: &str) -> WithReason {
    WithReason {
        on: on(city, case),
        reason: sealed(SealedUse::Reason, text),
    }
}

/// 不予受理.
pub(crate) fn refuse_to_accept(city: &City, case: CaseNumber) -> CommandBody {
    CommandBody::RefuseToAccept(with_reason(city, case, "no permit is needed"))
}

/// 撤回.
pub(crate) fn withdraw(city: &City, case: CaseNumber) -> CommandBody {
    CommandBody::Withdraw(with_reason(city, case, "the applicant moves elsewhere"))
}

/// 审.
pub(crate) fn review(city: &City, case: CaseNumber) -> CommandBody {
    CommandBody::Review(Review {
        on: on(city, case),
        recommend: Decision::Grant,
        opinion: sealed(SealedUse::Reason, "all conditions are met"),
    })
}

/// 核: a decision with its reasons.
pub(crate) fn decide(city: &City, case: CaseNumber, decision: Decision) -> CommandBody {
    CommandBody::Decide(Decide {
        on: on(city, case),
        decision,
        reason: Some(sealed(SealedUse::Reason, "reasons and remedies")),
    })
}

/// The first node of a city takes the lease on its effects.
pub(crate) fn take_lease(city: u32) -> CommandBody {
    CommandBody::TakeLease(node_of(city, 1))
}

/// Fixes the signing input of a granted case's document.
pub(crate) fn prepare(city: &City, case: CaseNumber, lease: u64) -> CommandBody {
    CommandBody::PrepareDocument(PrepareDocument {
        on: on(city, case),
        lease,
        signing_input: sealed(SealedUse::SigningInput, "header.payload"),
        input_hash: sha256(b"header.payload"),
    })
}

/// Enters the signed document.
pub(crate) fn issue(city: &City, case: CaseNumber, lease: u64) -> CommandBody {
    CommandBody::IssueDocument(IssueDocument {
        on: on(city, case),
        lease,
        input_hash: sha256(b"header.payload"),
        document: sealed(SealedUse::Document, "header.payload.signature"),
        document_hash: sha256(b"header.payload.signature"),
    })
}

/// 送达.
pub(crate) fn deliver(city: &City, case: CaseNumber) -> CommandBody {
    CommandBody::Deliver(on(city, case))
}
