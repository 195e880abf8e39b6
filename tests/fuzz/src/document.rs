//! A document that a city issued, and what may be made of it by who has no key.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use tongban_trust::testing::{SAMPLE_NOW, SampleFederation};
use tongban_trust::{
    DisclosableClaim, DocumentDraft, DocumentType, Json, SigningInput, verify_document,
};
use tongban_types::{DAY_MS, KeyRole, Signature};

static FEDERATION: LazyLock<SampleFederation> = LazyLock::new(SampleFederation::six_cities);
static ISSUED: LazyLock<String> = LazyLock::new(issue);

/// The only document this federation ever issued.
pub fn issued() -> &'static str {
    &ISSUED
}

/// Verifies any text. Only the issued document is valid, with all of its disclosures or fewer.
pub fn verify(input: &[u8]) {
    let report = verify_document(input, &FEDERATION.registry, SAMPLE_NOW);
    if !report.is_valid() {
        return;
    }
    let parts = |text: &'_ str| -> Vec<String> { text.split('~').map(str::to_owned).collect() };
    let text = std::str::from_utf8(input).expect("a valid document is text");
    let (found, known) = (parts(text), parts(issued()));
    assert_eq!(found[0], known[0], "something else was signed");
    let known: BTreeSet<_> = known.iter().collect();
    assert!(
        found.iter().all(|part| known.contains(part)),
        "a disclosure of nobody"
    );
}

fn issue() -> String {
    let node = SampleFederation::node(4);
    let key = SampleFederation::key(node, KeyRole::Issuer);
    let claim = |name: &str, value: &str, salt: u8| DisclosableClaim {
        name: name.to_owned(),
        value: Json::text(value),
        salt: [salt; 16],
    };
    let draft = DocumentDraft {
        issuer: "https://610500.tongban.example".to_owned(),
        kind: DocumentType::new("migration", 1).expect("a known kind of name"),
        id: [9; 16],
        issued_at: SAMPLE_NOW,
        not_before: SAMPLE_NOW,
        expires: SAMPLE_NOW.plus_ms(30 * DAY_MS),
        open: BTreeMap::from([("case".to_owned(), Json::text("X"))]),
        disclosable: vec![claim("name", "王小明", 1), claim("address", "临渭区", 2)],
        decoys: (0u8..)
            .map(|index| [index; 32])
            .take(DocumentDraft::decoys_needed(2))
            .collect(),
    };
    let input = SigningInput::prepare(&draft, key.public()).expect("a sound draft");
    let signature: Signature = key.sign_raw(input.bytes());
    input.finish(key.public(), signature).expect("its own key")
}
