//! Disclosures a verifier must refuse, one test a kind, each with the reason it gives.

use tongban_trust::CheckId;

use crate::forge::{FORMAT, Forgery, HASH, digest, encoded, fails, issued, verify};

const SHOWN: &str = r#"["saltsaltsaltsaltsalt","name","李"]"#;

#[test]
fn a_disclosure_nobody_signed() {
    let stranger = Forgery::with_disclosures(&[SHOWN], &[]);
    fails(&stranger.verify(), CheckId::Disclosures, HASH);
    let good = issued();
    let shown = good.split('~').nth(1).unwrap();
    let bytes = data_encoding::BASE64URL_NOPAD
        .decode(shown.as_bytes())
        .unwrap();
    let other = String::from_utf8(bytes).unwrap().replace('李', "王");
    let altered = good.replacen(shown, &encoded(&other), 1);
    assert_ne!(altered, good);
    fails(&verify(&altered), CheckId::Disclosures, HASH);
}

#[test]
fn a_digest_twice() {
    let twice = Forgery::with_disclosures(&[SHOWN], &[("_sd", r#"["DIGEST0","DIGEST0"]"#)]);
    fails(&twice.verify(), CheckId::Disclosures, FORMAT);
    let members = [("_sd", r#"["DIGEST0"]"#), ("a", r#"{"_sd":["DIGEST0"]}"#)];
    fails(
        &Forgery::with_disclosures(&[SHOWN], &members).verify(),
        CheckId::Disclosures,
        FORMAT,
    );
    // Also when no disclosure of it is shown.
    let mut unshown = Forgery::with_disclosures(&[SHOWN], &members);
    unshown.disclosures.clear();
    fails(&unshown.verify(), CheckId::Disclosures, FORMAT);
    let one = [("_sd", r#"["DIGEST0"]"#)];
    let given_twice = Forgery::with_disclosures(&[SHOWN, SHOWN], &one);
    fails(&given_twice.verify(), CheckId::Disclosures, FORMAT);
}

#[track_caller]
fn disclosure_fails(disclosure: &str, members: &[(&str, &str)]) {
    fails(
        &Forgery::with_disclosures(&[disclosure], members).verify(),
        CheckId::Disclosures,
        FORMAT,
    );
}

const TOP: [(&str, &str); 1] = [("_sd", r#"["DIGEST0"]"#)];

#[test]
fn a_claim_named_as_the_machinery() {
    disclosure_fails(r#"["salt","_sd",["x"]]"#, &TOP);
    disclosure_fails(r#"["salt","...","x"]"#, &TOP);
    fails(
        &Forgery::with_members(&[("...", "1")]).verify(),
        CheckId::Disclosures,
        FORMAT,
    );
}

#[test]
fn a_disclosure_that_overrides_a_claim() {
    for name in ["iss", "exp", "vct", "_sd_alg"] {
        disclosure_fails(&format!(r#"["salt","{name}","x"]"#), &TOP);
    }
    disclosure_fails(SHOWN, &[("_sd", r#"["DIGEST0"]"#), ("name", "1")]);
    let pair = [SHOWN, r#"["othersaltothersalt","name","王"]"#];
    let same = Forgery::with_disclosures(&pair, &[("_sd", r#"["DIGEST0","DIGEST1"]"#)]);
    fails(&same.verify(), CheckId::Disclosures, FORMAT);
}

#[test]
fn disclosures_of_another_shape() {
    for text in [
        "[]",
        r#"["salt"]"#,
        r#"["s","n","v","x"]"#,
        r#"[1,"n","v"]"#,
        r#"["s",1,"v"]"#,
        "{}",
        "1",
        "x",
        r#"["s","n",1.5]"#,
    ] {
        disclosure_fails(text, &TOP);
    }
    disclosure_fails(r#"["salt","value"]"#, &TOP);
    disclosure_fails(SHOWN, &[("list", r#"[{"...":"DIGEST0"}]"#)]);
    disclosure_fails(
        r#"["salt","v"]"#,
        &[("list", r#"[{"...":"DIGEST0","x":1}]"#)],
    );
    disclosure_fails(r#"["salt","v"]"#, &[("list", r#"[{"...":1}]"#)]);
    for sd in [r#""DIGEST0""#, "{}", "[1]", r#"["short"]"#] {
        disclosure_fails(SHOWN, &[("_sd", sd)]);
    }
}

#[test]
fn another_or_a_nested_digest_algorithm() {
    for alg in [r#""sha-512""#, r#""SHA-256""#, "1", "null"] {
        let other = Forgery::with_members(&[("_sd_alg", alg)]);
        fails(&other.verify(), CheckId::Disclosures, FORMAT);
    }
    let nested = Forgery::with_members(&[("a", r#"{"_sd_alg":"sha-256"}"#)]);
    fails(&nested.verify(), CheckId::Disclosures, FORMAT);
}

#[test]
fn what_must_stay_open_hidden_in_a_disclosure() {
    for name in [
        "status",
        "cnf",
        "tlog",
        "nbf",
        "vct#integrity",
        "aka_vcts",
        "jti",
        "iat",
    ] {
        disclosure_fails(&format!(r#"["salt","{name}",{{}}]"#), &TOP);
    }
}

#[test]
fn too_large_too_many_too_deep() {
    let large = Forgery::with_members(&[("t", &format!("\"{}\"", "x".repeat(16_000)))]);
    fails(&large.verify(), CheckId::Format, FORMAT);
    let many = format!("{}{}", Forgery::honest().text(), "e30~".repeat(129));
    fails(&verify(&many), CheckId::Format, FORMAT);
    let deep = format!("{}{}", "[".repeat(17), "]".repeat(17));
    fails(
        &Forgery::with_members(&[("d", &deep)]).verify(),
        CheckId::Claims,
        FORMAT,
    );
    // Each within the bound, together beyond it.
    let mut disclosures = vec![r#"["salt","c",1]"#.to_owned()];
    for _ in 0..20 {
        let inner = digest(disclosures.last().unwrap());
        disclosures.push(format!(r#"["salt","c",{{"_sd":["{inner}"]}}]"#));
    }
    let top = format!(r#"["{}"]"#, digest(disclosures.last().unwrap()));
    let texts: Vec<&str> = disclosures.iter().map(String::as_str).collect();
    let chained = Forgery::with_disclosures(&texts, &[("_sd", &top)]);
    fails(&chained.verify(), CheckId::Disclosures, FORMAT);
}
