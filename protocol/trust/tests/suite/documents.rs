//! Verifying: what a city issues is valid everywhere, and what time and registry do to the verdict.

use crate::forge::{Forgery, issued, verify};
use tongban_trust::testing::{SAMPLE_NOW, SampleFederation, enrolment, sample_draft};
use tongban_trust::{
    CheckId, CheckResult, Indication, Json, KeyState, Registry, Report, SigningInput, SigningKey,
    SubIndication, verify_document,
};
use tongban_types::{DAY_MS, KeyRole, Timestamp};

fn verify_at(at: Timestamp, registry: &Registry) -> Report {
    verify_document(issued().as_bytes(), registry, at)
}

fn outcome(report: &Report) -> (Indication, Option<SubIndication>) {
    (report.indication, report.sub_indication)
}

#[test]
fn an_issued_document_is_valid_and_says_it_is_not_yet_logged() {
    let report = verify(&issued());
    assert_eq!(
        outcome(&report),
        (Indication::TotalPassed, None),
        "{report:#?}"
    );
    assert_eq!(report.code(), None);
    assert_eq!(report.checks.len(), CheckId::ALL.len());
    let logged = report
        .checks
        .iter()
        .find(|check| check.id == CheckId::Logged)
        .unwrap();
    assert_eq!(
        (logged.result, &*logged.detail),
        (CheckResult::Noted, "not yet logged")
    );
    assert_eq!(report.issuer.unwrap().name, "渭南市");
    assert_eq!(report.claims["持证主体名称"], Json::text("李〇〇"));
    assert_eq!(report.claims["title"], Json::text("准予迁入证明"));
    assert!(!report.claims.contains_key("_sd") && !report.claims.contains_key("_sd_alg"));
}

#[test]
fn the_report_is_plain_json_with_the_names_of_etsi() {
    let mut text = issued();
    text.replace_range(100..101, if &text[100..101] == "A" { "B" } else { "A" });
    let json = serde_json::to_value(verify(&text)).unwrap();
    assert_eq!(json["indication"], "TOTAL_FAILED");
    let json = serde_json::to_value(verify(&issued())).unwrap();
    assert_eq!(json["indication"], "TOTAL_PASSED");
    assert_eq!(json["checks"][0]["id"], "format");
    assert_eq!(json["checks"][0]["result"], "passed");
    assert_eq!(json["claims"]["迁入地"]["division"], 610_502);
}

#[test]
fn a_holder_may_keep_any_claim_back() {
    let whole = issued();
    let parts: Vec<&str> = whole.split('~').collect();
    for kept in 1..4 {
        let shown: Vec<&str> = parts
            .iter()
            .enumerate()
            .filter(|(i, _)| *i != kept)
            .map(|(_, part)| *part)
            .collect();
        let report = verify(&shown.join("~"));
        assert!(report.is_valid());
        assert_eq!(report.claims.len(), verify(&whole).claims.len() - 1);
    }
    let none = format!("{}~", parts[0]);
    assert!(verify(&none).is_valid());
    assert!(!verify(&none).claims.contains_key("持证主体代码"));
}

#[test]
fn both_names_of_the_algorithm_are_taken() {
    let header = r#"{"typ":"dc+sd-jwt","alg":"Ed25519","kid":"KID"}"#;
    assert!(Forgery::honest().verify().is_valid());
    assert!(Forgery::with_header(header).verify().is_valid());
}

#[test]
fn disclosures_within_disclosures_and_in_arrays_are_put_in_their_place() {
    let inner = r#"["saltsaltsaltsalt1","street","南山路"]"#;
    let outer = format!(
        r#"["saltsaltsaltsalt2","address",{{"_sd":["{}"]}}]"#,
        crate::forge::digest(inner)
    );
    let element = r#"["saltsaltsaltsalt3","小学"]"#;
    let members = [
        ("_sd", r#"["DIGEST1"]"#),
        ("schools", r#"[{"...":"DIGEST2"},{"...":"UNSHOWN"}]"#),
    ];
    let members =
        members.map(|(name, value)| (name, value.replace("UNSHOWN", &crate::forge::digest("x"))));
    let members: Vec<(&str, &str)> = members
        .iter()
        .map(|(name, value)| (*name, &**value))
        .collect();
    let report = Forgery::with_disclosures(&[inner, &outer, element], &members).verify();
    assert!(report.is_valid(), "{report:#?}");
    assert_eq!(
        report.claims["address"],
        Json::object([("street", Json::text("南山路"))])
    );
    assert_eq!(
        report.claims["schools"],
        Json::List(vec![Json::text("小学")])
    );
}

#[test]
fn time_turns_the_verdict() {
    let registry = SampleFederation::six_cities().registry;
    let ends = SAMPLE_NOW.plus_ms(30 * DAY_MS);
    let at = |at| outcome(&verify_at(at, &registry));
    let early = (Indication::TotalFailed, Some(SubIndication::NotYetValid));
    let late = (Indication::TotalFailed, Some(SubIndication::Expired));
    assert_eq!(at(SAMPLE_NOW.plus_ms(-30_001)), early);
    assert_eq!(
        at(SAMPLE_NOW.plus_ms(-30_000)),
        (Indication::TotalPassed, None)
    );
    assert_eq!(at(ends.plus_ms(-1)), (Indication::TotalPassed, None));
    assert_eq!(at(ends), late);
    assert_eq!(at(Timestamp::from_unix_ms(i64::MAX)), late);
    assert_eq!(at(Timestamp::from_unix_ms(i64::MIN)), early);
}

#[test]
fn an_expired_registry_decides_nothing() {
    let mut draft = sample_draft();
    draft.expires = SAMPLE_NOW;
    let report = verify_at(SAMPLE_NOW, &draft.check().unwrap());
    assert_eq!(
        outcome(&report),
        (Indication::Indeterminate, Some(SubIndication::TryLater))
    );
    assert_eq!(
        report.result_of(CheckId::Signature),
        Some(CheckResult::Passed)
    );
}

fn with_issuer_key(change: impl Fn(&mut tongban_trust::KeyEntry)) -> Registry {
    let mut draft = sample_draft();
    let (city, node) = (SampleFederation::city(4), SampleFederation::node(4));
    let entry = draft
        .cities
        .get_mut(&city)
        .unwrap()
        .nodes
        .get_mut(&node)
        .unwrap();
    entry
        .keys
        .iter_mut()
        .filter(|key| key.role == KeyRole::Issuer)
        .for_each(change);
    draft.check().unwrap()
}

#[test]
fn a_key_that_has_ended_leaves_its_documents_undecided() {
    let unproven = (
        Indication::Indeterminate,
        Some(SubIndication::OutOfBoundsNoPoe),
    );
    let retired = with_issuer_key(|key| key.state = KeyState::Retired);
    assert_eq!(outcome(&verify_at(SAMPLE_NOW, &retired)), unproven);
    let ended = with_issuer_key(|key| key.not_after = SAMPLE_NOW.plus_ms(DAY_MS));
    assert_eq!(
        outcome(&verify_at(SAMPLE_NOW.plus_ms(DAY_MS), &ended)),
        (Indication::TotalPassed, None)
    );
    assert_eq!(
        outcome(&verify_at(SAMPLE_NOW.plus_ms(DAY_MS + 1), &ended)),
        unproven
    );
}

#[test]
fn a_document_signed_outside_the_time_of_its_key_is_invalid() {
    let young = with_issuer_key(|key| key.not_before = SAMPLE_NOW.plus_ms(1_000));
    let early = (Indication::TotalFailed, Some(SubIndication::NotYetValid));
    assert_eq!(
        outcome(&verify_at(SAMPLE_NOW.plus_ms(2_000), &young)),
        early
    );
    let old = with_issuer_key(|key| key.not_after = SAMPLE_NOW.plus_ms(-1_000));
    let late = (Indication::TotalFailed, Some(SubIndication::Expired));
    assert_eq!(outcome(&verify_at(SAMPLE_NOW, &old)), late);
}

#[test]
fn a_renewed_key_signs_in_place_of_the_old_one() {
    let mut draft = sample_draft();
    let new = SigningKey::from_seed(&[77; 32]);
    let mut renewal = enrolment(SampleFederation::node(4), "127.0.0.1:7404");
    renewal.keys = [(KeyRole::Issuer, new.public())].into();
    draft.enrol(&renewal).unwrap();
    let registry = draft.check().unwrap();
    let input = SigningInput::prepare(&crate::forge::draft(), new.public()).unwrap();
    let document = input
        .finish(new.public(), new.sign_raw(input.bytes()))
        .unwrap();
    assert!(verify_document(document.as_bytes(), &registry, SAMPLE_NOW).is_valid());
}
