//! Documents as a hostile or faulty issuer would make them: any header, any payload, any
//! disclosures, signed with whatever key.

use std::sync::LazyLock;

use data_encoding::BASE64URL_NOPAD;
use tongban_trust::testing::{SAMPLE_NOW, SampleFederation};
use tongban_trust::{
    CheckId, CheckResult, DisclosableClaim, DocumentDraft, DocumentType, Indication, Json,
    Registry, Report, SigningInput, SigningKey, SubIndication, verify_document,
};
use tongban_types::{Code, DAY_MS, KeyRole, sha256};

/// The issuer key of a city of the ring.
pub(crate) fn issuer_key(place: usize) -> SigningKey {
    SampleFederation::key(SampleFederation::node(place), KeyRole::Issuer)
}

pub(crate) fn encoded(text: &str) -> String {
    BASE64URL_NOPAD.encode(text.as_bytes())
}

/// A document of Weinan under construction, every part of it open to abuse.
pub(crate) struct Forgery {
    pub(crate) header: String,
    pub(crate) payload: String,
    pub(crate) disclosures: Vec<String>,
    pub(crate) key: SigningKey,
}

impl Forgery {
    /// A valid document without disclosures.
    pub(crate) fn honest() -> Self {
        let key = issuer_key(4);
        let kid = key.public().thumbprint();
        Self {
            header: format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"dc+sd-jwt"}}"#),
            payload: payload(&[]),
            disclosures: Vec::new(),
            key,
        }
    }

    /// Its signed text.
    pub(crate) fn text(&self) -> String {
        let input = format!("{}.{}", encoded(&self.header), encoded(&self.payload));
        let signature = BASE64URL_NOPAD.encode(&self.key.sign_raw(input.as_bytes()).0);
        let shown: Vec<String> = self
            .disclosures
            .iter()
            .map(|text| encoded(text) + "~")
            .collect();
        let shown = shown.concat();
        format!("{input}.{signature}~{shown}")
    }

    pub(crate) fn verify(&self) -> Report {
        verify(&self.text())
    }

    pub(crate) fn with_header(header: &str) -> Self {
        let kid = issuer_key(4).public().thumbprint();
        Self {
            header: header.replace("KID", &kid),
            ..Self::honest()
        }
    }

    /// A document whose payload has these members beside or instead of the honest ones.
    pub(crate) fn with_members(members: &[(&str, &str)]) -> Self {
        Self {
            payload: payload(members),
            ..Self::honest()
        }
    }

    /// A document with these disclosures, and members in which `DIGEST0`, `DIGEST1` … stand for
    /// their digests.
    pub(crate) fn with_disclosures(disclosures: &[&str], members: &[(&str, &str)]) -> Self {
        let mut payload = payload(members);
        for (index, disclosure) in disclosures.iter().enumerate() {
            payload = payload.replace(&format!("DIGEST{index}"), &digest(disclosure));
        }
        let disclosures = disclosures.iter().map(|text| (*text).to_owned()).collect();
        Self {
            payload,
            disclosures,
            ..Self::honest()
        }
    }
}

/// The digest of a disclosure given as JSON text.
pub(crate) fn digest(disclosure: &str) -> String {
    BASE64URL_NOPAD.encode(&sha256(encoded(disclosure).as_bytes()).0)
}

/// The honest payload with members replaced, added, or left out where the value is empty.
pub(crate) fn payload(members: &[(&str, &str)]) -> String {
    let seconds = SAMPLE_NOW.unix_seconds();
    let mut all = vec![
        ("iss", r#""https://610500.tongban.example""#.to_owned()),
        ("iat", seconds.to_string()),
        ("nbf", seconds.to_string()),
        ("exp", (seconds + 86_400).to_string()),
        ("jti", r#""AAECAwQFBgcICQoLDA0ODw""#.to_owned()),
        (
            "vct",
            r#""urn:tongban:vct:household-transfer:1""#.to_owned(),
        ),
        ("_sd_alg", r#""sha-256""#.to_owned()),
    ];
    for (name, value) in members {
        match all.iter_mut().find(|(known, _)| known == name) {
            Some(member) => (*value).clone_into(&mut member.1),
            None => all.push((name, (*value).to_owned())),
        }
    }
    let members = all.iter().filter(|(_, value)| !value.is_empty());
    let members: Vec<String> = members
        .map(|(name, value)| format!(r#""{name}":{value}"#))
        .collect();
    format!("{{{}}}", members.join(","))
}

/// What a city would issue: a draft with three disclosable claims.
pub(crate) fn draft() -> DocumentDraft {
    let claim = |place: u8, name: &str, value: Json| DisclosableClaim {
        name: name.to_owned(),
        value,
        salt: [place; 16],
    };
    DocumentDraft {
        issuer: "https://610500.tongban.example".to_owned(),
        kind: DocumentType::new("household-transfer", 1).unwrap(),
        id: [7; 16],
        issued_at: SAMPLE_NOW,
        not_before: SAMPLE_NOW,
        expires: SAMPLE_NOW.plus_ms(30 * DAY_MS),
        open: [("title".to_owned(), Json::text("准予迁入证明"))].into(),
        disclosable: vec![
            claim(1, "持证主体名称", Json::text("李〇〇")),
            claim(2, "持证主体代码", Json::text("11010519491231002X")),
            claim(
                3,
                "迁入地",
                Json::object([("division", Json::Integer(610_502))]),
            ),
        ],
        decoys: vec![[9; 32]],
    }
}

/// The draft, issued by Weinan.
pub(crate) fn issued() -> String {
    let key = issuer_key(4);
    let input = SigningInput::prepare(&draft(), key.public()).unwrap();
    input
        .finish(key.public(), key.sign_raw(input.bytes()))
        .unwrap()
}

pub(crate) fn verify(text: &str) -> Report {
    static REGISTRY: LazyLock<Registry> = LazyLock::new(|| SampleFederation::six_cities().registry);
    verify_document(text.as_bytes(), &REGISTRY, SAMPLE_NOW)
}

pub(crate) const FORMAT: SubIndication = SubIndication::FormatFailure;
pub(crate) const HASH: SubIndication = SubIndication::HashFailure;
pub(crate) const CRYPTO: SubIndication = SubIndication::SigCryptoFailure;

#[track_caller]
pub(crate) fn fails(report: &Report, check: CheckId, reason: SubIndication) {
    let found = (
        report.indication,
        report.sub_indication,
        report.result_of(check),
    );
    let expected = (
        Indication::TotalFailed,
        Some(reason),
        Some(CheckResult::Failed),
    );
    assert_eq!(found, expected, "{report:#?}");
    assert_eq!(report.code(), Some(Code::DOCUMENT_INVALID));
    assert!(
        report.claims.is_empty() || reason == SubIndication::Expired,
        "shows what is forged"
    );
}

#[track_caller]
pub(crate) fn undecided(report: &Report, check: CheckId, reason: SubIndication) {
    let found = (
        report.indication,
        report.sub_indication,
        report.result_of(check),
    );
    let expected = (
        Indication::Indeterminate,
        Some(reason),
        Some(CheckResult::Undecided),
    );
    assert_eq!(found, expected, "{report:#?}");
    assert_eq!(report.code(), Some(Code::DOCUMENT_INDETERMINATE));
}
