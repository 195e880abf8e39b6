//! Issuing: the same inputs make the same document, and nothing is made that would not verify.

use tongban_trust::{IssueError, Json, SigningInput};

use crate::forge::{draft, issued, issuer_key};

#[test]
fn what_is_prepared_depends_on_its_inputs_alone_and_survives_the_log() {
    let key = issuer_key(4);
    let input = SigningInput::prepare(&draft(), key.public()).unwrap();
    assert_eq!(
        SigningInput::prepare(&draft(), key.public()).unwrap(),
        input
    );
    let read = SigningInput::read(&input.text()).unwrap();
    assert_eq!(read, input);
    assert_eq!(
        read.finish(key.public(), key.sign_raw(read.bytes()))
            .unwrap(),
        issued()
    );
}

#[test]
fn a_signature_by_another_key_or_over_other_bytes_finishes_nothing() {
    let (key, other) = (issuer_key(4), issuer_key(0));
    let input = SigningInput::prepare(&draft(), key.public()).unwrap();
    let by_other = input.finish(other.public(), other.sign_raw(input.bytes()));
    assert!(matches!(by_other, Err(IssueError::OtherKey { .. })));
    let over_other = input.finish(key.public(), key.sign_raw(b"other"));
    assert!(matches!(over_other, Err(IssueError::Signature(_))));
}

#[test]
fn nothing_is_prepared_that_would_not_verify() {
    let prepare = |change: fn(&mut tongban_trust::DocumentDraft)| {
        let mut draft = draft();
        change(&mut draft);
        SigningInput::prepare(&draft, issuer_key(4).public()).unwrap_err()
    };
    let deep = |levels| (0..levels).fold(Json::Null, |inner, _| Json::List(vec![inner]));
    assert!(matches!(
        prepare(|draft| _ = draft.open.insert("iss".into(), Json::Null)),
        IssueError::NameTaken { .. }
    ));
    assert!(matches!(
        prepare(|draft| draft.disclosable[0].salt = [2; 16]),
        IssueError::SaltTwice
    ));
    assert!(matches!(
        prepare(|draft| draft.decoys.clear()),
        IssueError::Decoys {
            needed: 1,
            found: 0
        }
    ));
    for name in ["exp", "_sd", "...", "title", "持证主体代码"] {
        let mut draft = draft();
        draft.disclosable[0].name = name.into();
        let error = SigningInput::prepare(&draft, issuer_key(4).public()).unwrap_err();
        assert!(
            matches!(error, IssueError::Disclosure(_)),
            "{name}: {error}"
        );
    }
    let mut too_deep = draft();
    too_deep.disclosable[0].value = deep(16);
    assert!(SigningInput::prepare(&too_deep, issuer_key(4).public()).is_err());
    assert!(matches!(
        prepare(|draft| draft.open.extend([("n".into(), Json::Integer(i64::MAX))])),
        IssueError::Json(_)
    ));
    assert!(matches!(
        prepare(|draft| draft.expires = draft.not_before),
        IssueError::Claim(_)
    ));
    assert!(matches!(
        prepare(|draft| draft
            .open
            .extend([("t".into(), Json::Text("字".repeat(9_000)))])),
        IssueError::TooLarge { .. }
    ));
}

#[test]
fn the_payload_hides_order_and_number_of_claims() {
    let input = SigningInput::prepare(&draft(), issuer_key(4).public()).unwrap();
    let text = input.text();
    let payload = text.split(['.', '~']).nth(1).unwrap();
    let bytes = data_encoding::BASE64URL_NOPAD
        .decode(payload.as_bytes())
        .unwrap();
    let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let digests: Vec<&str> = json["_sd"]
        .as_array()
        .unwrap()
        .iter()
        .map(|digest| digest.as_str().unwrap())
        .collect();
    assert_eq!(digests.len(), 4);
    assert!(digests.is_sorted());
    assert!(!json.to_string().contains("李〇〇"));
}
