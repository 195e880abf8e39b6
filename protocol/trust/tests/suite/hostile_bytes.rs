//! Bytes of no good intent: nothing panics, and nothing altered is ever valid.

use std::sync::LazyLock;

use proptest::prelude::*;
use tongban_trust::testing::{SAMPLE_NOW, SampleFederation, sample_draft};
use tongban_trust::{
    Indication, Registry, RegistryFile, SigningInput, governance_hash, verify_document,
    verify_first, verify_next,
};

use crate::forge::{Forgery, issued};

/// One change to one place.
#[derive(Clone, Debug)]
enum Mutation {
    Replace(u8),
    Insert(u8),
    Remove,
    FlipBit(u8),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    // Letters that keep the encoding whole get past the first check more often than any byte.
    let byte = || prop_oneof![any::<u8>(), prop::sample::select(&b"~._-AZaz09"[..])];
    prop_oneof![
        byte().prop_map(Mutation::Replace),
        byte().prop_map(Mutation::Insert),
        Just(Mutation::Remove),
        (0..8_u8).prop_map(Mutation::FlipBit),
    ]
}

fn mutated(good: &[u8], place: prop::sample::Index, mutation: &Mutation) -> Vec<u8> {
    let mut bytes = good.to_vec();
    let at = place.index(good.len());
    match mutation {
        Mutation::Replace(byte) => bytes[at] = *byte,
        Mutation::Insert(byte) => bytes.insert(at, *byte),
        Mutation::Remove => _ = bytes.remove(at),
        Mutation::FlipBit(bit) => bytes[at] ^= 1 << bit,
    }
    bytes
}

/// Made once: every case of a property reads it.
static REGISTRY: LazyLock<Registry> = LazyLock::new(|| SampleFederation::six_cities().registry);

static FILES: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| {
    let mut later = sample_draft();
    later.version = 2;
    let later = later.check().unwrap();
    [REGISTRY.clone(), later].map(|registry| SampleFederation::signed_file(registry, 5))
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn an_altered_document_is_never_valid(
        place in any::<prop::sample::Index>(),
        mutation in mutation(),
    ) {
        let good = issued();
        let bytes = mutated(good.as_bytes(), place, &mutation);
        if bytes != good.as_bytes() {
            let report = verify_document(&bytes, &REGISTRY, SAMPLE_NOW);
            prop_assert_ne!(report.indication, Indication::TotalPassed);
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_are_a_document(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let report = verify_document(&bytes, &REGISTRY, SAMPLE_NOW);
        prop_assert_eq!(report.indication, Indication::TotalFailed);
    }

    #[test]
    fn no_payload_or_disclosure_makes_the_verifier_panic(
        members in r#"("[a_sd.]{0,4}":[\[\]{}"_sd.,:0-9a]{0,20},?){0,4}"#,
        disclosure in r#"\["s","?[a_sd.]{0,4}"?,?[\[\]{}"_sd.0-9a]{0,12}\]"#,
    ) {
        let honest = crate::forge::payload(&[("_sd", &format!("[\"{}\"]", crate::forge::digest(&disclosure)))]);
        let payload = honest.replacen('{', &format!("{{{members}"), 1);
        let forgery = Forgery { payload, disclosures: vec![disclosure], ..Forgery::honest() };
        let report = forgery.verify();
        prop_assert!(report.is_valid() || report.code().is_some());
    }

    #[test]
    fn no_text_makes_reading_a_signing_input_panic(text in "[A-Za-z0-9~._-]{0,200}") {
        prop_assert!(SigningInput::read(&text).is_err());
    }

    #[test]
    fn an_altered_registry_is_never_believed_to_say_something_else(
        place in any::<prop::sample::Index>(),
        mutation in mutation(),
    ) {
        let [good, next] = &*FILES;
        let bytes = mutated(good, place, &mutation);
        let pin = governance_hash(&REGISTRY);
        if let Ok(believed) = verify_first(&bytes, pin) {
            prop_assert_eq!(believed.into_inner(), REGISTRY.clone());
        }
        let bytes = mutated(next, place, &mutation);
        if let Ok(believed) = verify_next(&REGISTRY, &bytes) {
            prop_assert_eq!(believed.content().cities.clone(), REGISTRY.content().cities.clone());
            prop_assert_eq!(believed.version(), 2);
        }
    }

    #[test]
    fn no_bytes_are_a_registry(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(RegistryFile::decode(&bytes).is_err());
    }
}
