//! What a verifier must refuse, one test a kind of bad input, each with the reason it gives.

use crate::forge::{
    CRYPTO, FORMAT, Forgery, encoded, fails, issued, issuer_key, undecided, verify,
};
use tongban_trust::testing::{SAMPLE_NOW, SampleFederation};
use tongban_trust::{CheckId, Indication, SubIndication, verify_document};

#[test]
fn no_or_another_algorithm() {
    for alg in [
        "none", "None", "HS256", "ES256", "RS256", "Ed448", "eddsa", "",
    ] {
        let header = format!(r#"{{"alg":"{alg}","kid":"KID","typ":"dc+sd-jwt"}}"#);
        fails(
            &Forgery::with_header(&header).verify(),
            CheckId::Header,
            FORMAT,
        );
    }
    let input = format!(
        "{}.{}",
        encoded(r#"{"alg":"none"}"#),
        encoded(&crate::forge::payload(&[]))
    );
    fails(&verify(&format!("{input}.~")), CheckId::Header, FORMAT);
}

#[test]
fn a_header_that_brings_its_own_key_or_asks_for_more() {
    for extra in [
        r#""jwk":{"kty":"OKP","crv":"Ed25519","x":"AAAA"}"#,
        r#""jku":"https://evil.example""#,
        r#""x5u":"https://evil.example""#,
        r#""x5c":["AAAA"]"#,
        r#""crit":["exp"]"#,
        r#""b64":false"#,
        r#""zip":"DEF""#,
        r#""cty":"json""#,
    ] {
        let header = format!(r#"{{"alg":"EdDSA","kid":"KID","typ":"dc+sd-jwt",{extra}}}"#);
        fails(
            &Forgery::with_header(&header).verify(),
            CheckId::Header,
            FORMAT,
        );
    }
}

#[test]
fn another_or_no_type() {
    for typ in [
        "statuslist+jwt",
        "kb+jwt",
        "tb-mandate+jwt",
        "JWT",
        "vc+sd-jwt",
        "DC+SD-JWT",
    ] {
        let header = format!(r#"{{"alg":"EdDSA","kid":"KID","typ":"{typ}"}}"#);
        fails(
            &Forgery::with_header(&header).verify(),
            CheckId::Header,
            FORMAT,
        );
    }
    let untyped = Forgery::with_header(r#"{"alg":"EdDSA","kid":"KID"}"#);
    fails(&untyped.verify(), CheckId::Header, FORMAT);
}

#[test]
fn a_member_twice() {
    let header = r#"{"alg":"EdDSA","kid":"KID","typ":"dc+sd-jwt","alg":"EdDSA"}"#;
    fails(
        &Forgery::with_header(header).verify(),
        CheckId::Header,
        FORMAT,
    );
    let twice = crate::forge::payload(&[]).replacen('{', r#"{"iss":"https://evil.example","#, 1);
    let payload = Forgery {
        payload: twice,
        ..Forgery::honest()
    };
    fails(&payload.verify(), CheckId::Claims, FORMAT);
    let disclosure = r#"["salt","a",{"b":1,"b":2}]"#;
    let nested = Forgery::with_disclosures(&[disclosure], &[("_sd", r#"["DIGEST0"]"#)]);
    fails(&nested.verify(), CheckId::Disclosures, FORMAT);
}

#[test]
fn base64url_in_a_second_spelling() {
    let good = issued();
    let end_of_signature = good.find('~').unwrap();
    let mut padded = good.clone();
    padded.insert_str(end_of_signature, "==");
    let mut blank = good.clone();
    blank.insert(end_of_signature, ' ');
    let standard = good.replacen(['-', '_'], "+", 1);
    // 64 bytes leave four bits of the last letter, which must be zero.
    let mut stray_bits = good.clone();
    let last = end_of_signature - 1;
    let replacement = match &good[last..end_of_signature] {
        "A" => "B",
        "Q" => "R",
        "g" => "h",
        _ => "x",
    };
    stray_bits.replace_range(last..end_of_signature, replacement);
    for text in [
        padded,
        blank,
        standard,
        stray_bits,
        format!("{good}\n"),
        format!(" {good}"),
    ] {
        fails(&verify(&text), CheckId::Format, FORMAT);
    }
}

/// 2^252 + 27742317777372353535851937790883648493, little endian (RFC 8032 §5.1).
const GROUP_ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

#[test]
fn s_not_below_the_order_of_the_group() {
    let mut text = Forgery::honest().text();
    let (start, end) = (text.rfind('.').unwrap() + 1, text.find('~').unwrap());
    let mut bytes = data_encoding::BASE64URL_NOPAD
        .decode(&text.as_bytes()[start..end])
        .unwrap();
    let order = GROUP_ORDER;
    let mut carry = 0;
    for (byte, add) in bytes[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    text.replace_range(start..end, &data_encoding::BASE64URL_NOPAD.encode(&bytes));
    fails(&verify(&text), CheckId::Signature, CRYPTO);
}

fn with_signature(bytes: &[u8]) -> String {
    let mut text = Forgery::honest().text();
    let (start, end) = (text.rfind('.').unwrap() + 1, text.find('~').unwrap());
    text.replace_range(start..end, &data_encoding::BASE64URL_NOPAD.encode(bytes));
    text
}

#[test]
fn r_of_small_order_or_not_canonical() {
    for first in [0x00, 0x01, 0xec, 0xed, 0xee] {
        let fill = if first > 1 { 0xff } else { 0 };
        let mut bytes = [fill; 64];
        bytes[0] = first;
        bytes[32..].fill(0);
        for top in [fill & 0x7f, fill | 0x80] {
            bytes[31] = top;
            fails(&verify(&with_signature(&bytes)), CheckId::Signature, CRYPTO);
        }
    }
}

#[test]
fn a_signature_of_another_length() {
    for length in [0, 1, 32, 63, 65, 128] {
        fails(
            &verify(&with_signature(&vec![1; length])),
            CheckId::Signature,
            CRYPTO,
        );
    }
}

#[test]
fn another_citys_key() {
    let fuzhou = issuer_key(0);
    let kid = fuzhou.public().thumbprint();
    let header = format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"dc+sd-jwt"}}"#);
    let as_weinan = Forgery {
        header,
        key: fuzhou,
        ..Forgery::honest()
    };
    fails(&as_weinan.verify(), CheckId::Issuer, CRYPTO);
    let under_weinans_kid = Forgery {
        key: issuer_key(0),
        ..Forgery::honest()
    };
    fails(&under_weinans_kid.verify(), CheckId::Signature, CRYPTO);
}

#[test]
fn a_key_of_another_role_issues_nothing() {
    let command = SampleFederation::key(SampleFederation::node(4), tongban_types::KeyRole::Command);
    let kid = command.public().thumbprint();
    let header = format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"dc+sd-jwt"}}"#);
    let forged = Forgery {
        header,
        key: command,
        ..Forgery::honest()
    };
    undecided(
        &forged.verify(),
        CheckId::IssuerKey,
        SubIndication::NoSigningCertificateFound,
    );
}

#[test]
fn an_unknown_issuer_or_key_is_unknown_and_not_invalid() {
    let stranger = tongban_trust::SigningKey::from_seed(&[200; 32]);
    let kid = stranger.public().thumbprint();
    let header = format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"dc+sd-jwt"}}"#);
    let unknown_key = Forgery {
        header,
        key: stranger,
        ..Forgery::honest()
    };
    let no_key = SubIndication::NoSigningCertificateFound;
    undecided(&unknown_key.verify(), CheckId::IssuerKey, no_key);
    for iss in [
        "https://610500.tongban.example/",
        "https://x.example",
        "HTTPS://610500.tongban.example",
    ] {
        let unknown = Forgery::with_members(&[("iss", &format!("\"{iss}\""))]);
        undecided(
            &unknown.verify(),
            CheckId::Issuer,
            SubIndication::NoCertificateChainFound,
        );
    }
}

#[test]
fn times_that_are_no_seconds() {
    for name in ["exp", "nbf", "iat"] {
        for value in [
            r#""1795478400""#,
            "1795478400.0",
            "1e400",
            "1795478400e0",
            "-1",
            "null",
            "[]",
            "9007199254740992",
            "253402300800",
            "",
        ] {
            let report = Forgery::with_members(&[(name, value)]).verify();
            fails(&report, CheckId::Claims, FORMAT);
        }
    }
    let backwards = Forgery::with_members(&[("exp", "1795478400")]);
    fails(&backwards.verify(), CheckId::Claims, FORMAT);
}

#[test]
fn required_claims_missing_or_malformed() {
    for (name, value) in [
        ("iss", ""),
        ("iss", "1"),
        ("jti", ""),
        ("jti", r#""short""#),
        ("vct", ""),
        ("vct", r#""urn:other:vct:x:1""#),
        ("vct", r#""urn:tongban:vct:household-transfer:01""#),
    ] {
        fails(
            &Forgery::with_members(&[(name, value)]).verify(),
            CheckId::Claims,
            FORMAT,
        );
    }
    let not_an_object = Forgery {
        payload: "[]".into(),
        ..Forgery::honest()
    };
    fails(&not_an_object.verify(), CheckId::Claims, FORMAT);
}

#[test]
fn no_tilde_at_the_end() {
    let good = issued();
    fails(
        &verify(good.strip_suffix('~').unwrap()),
        CheckId::Format,
        FORMAT,
    );
    fails(
        &verify(good.split('~').next().unwrap()),
        CheckId::Format,
        FORMAT,
    );
    let binding = format!("{good}{}", Forgery::honest().text().trim_end_matches('~'));
    fails(&verify(&binding), CheckId::Format, FORMAT);
    fails(&verify(&format!("{good}~")), CheckId::Disclosures, FORMAT);
}

#[test]
fn claims_that_ask_for_checks_not_made_here() {
    for name in ["cnf", "status", "tlog", "vct#integrity", "aka_vcts"] {
        let asking = Forgery::with_members(&[(name, "{}")]);
        undecided(
            &asking.verify(),
            CheckId::Profile,
            SubIndication::SigConstraintsFailure,
        );
    }
}

#[test]
fn bytes_that_are_no_document_at_all() {
    let registry = SampleFederation::six_cities().registry;
    for bytes in [
        &b""[..],
        b"~",
        b".~",
        b"..~",
        b"...~",
        b"a.b.c~",
        b"\xff\xfe",
        b"{}",
        "证.件.~".as_bytes(),
    ] {
        let report = verify_document(bytes, &registry, SAMPLE_NOW);
        assert_eq!(report.indication, Indication::TotalFailed);
        assert_eq!(report.sub_indication, Some(FORMAT), "{bytes:?}");
    }
}
