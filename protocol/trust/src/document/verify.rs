//! The verifier: a document, a registry and a time go in, a report comes out. Offline and pure, so
//! that the command line, the node and a browser page give one verdict.

use std::collections::BTreeMap;

use tongban_types::{
    CHINA_OFFSET_MS, Signature, Timestamp,
    limits::{DOCUMENT_BYTES_MAX, SKEW_MS_MAX},
};

use super::claims::{OpenClaims, UNKNOWN_HERE};
use super::compact::{Compact, key_thumbprint};
use super::disclosure::{DisclosureError, resolve};
use super::examination::{Examination, Finding, failed, undecided};
use super::report::{CheckId, Issuer, Report, SubIndication};
use crate::json::{Json, read_strict};
use crate::registry::instant::write_instant;
use crate::registry::{KeyHolder, KeyState, Registry};
use crate::signing::verify_strict;

/// Verifies a document in compact form against a registry as of a time.
pub fn verify_document(text: &[u8], registry: &Registry, at: Timestamp) -> Report {
    let mut book = Examination::default();
    if let Err(finding) = examine(&mut book, text, registry, at) {
        book.found(finding);
    }
    book.report(at, registry.version())
}

/// The checks in order. An error stops; what only bears on time is entered and goes on, so that the
/// report says all of it.
fn examine(
    book: &mut Examination,
    text: &[u8],
    registry: &Registry,
    at: Timestamp,
) -> Result<(), Finding> {
    let parts = Compact::read(text).map_err(|error| {
        failed(
            CheckId::Format,
            SubIndication::FormatFailure,
            "不是本系统的文书格式",
            error.to_string(),
        )
    })?;
    let count = parts.disclosures.len();
    book.passed(
        CheckId::Format,
        format!("出示 {count} 项"),
        format!("{count} disclosures"),
    );
    let holder = find_key(book, &parts.header, registry)?;
    check_signature(book, &parts, &holder)?;
    let (payload, claims) = read_claims(book, &parts.payload)?;
    check_issuer(book, &claims, &holder, registry)?;
    let shown = resolve(payload, &parts.disclosures).map_err(|error| refuse_disclosures(&error))?;
    book.passed(
        CheckId::Disclosures,
        format!("{count} 项均由签发方签名"),
        format!("all {count} signed"),
    );
    enter(book, check_profile(&shown));
    enter(book, check_validity(&claims, at));
    enter(book, check_key_validity(&claims, &holder, at));
    enter(book, check_registry(registry, at));
    book.noted(CheckId::Logged, "尚未入日志", "not yet logged");
    book.claims = shown;
    Ok(())
}

fn enter(book: &mut Examination, outcome: Result<(CheckId, String, String), Finding>) {
    match outcome {
        Ok((id, detail_zh, detail)) => book.passed(id, detail_zh, detail),
        Err(finding) => book.found(finding),
    }
}

fn find_key(
    book: &mut Examination,
    header: &[u8],
    registry: &Registry,
) -> Result<KeyHolder, Finding> {
    let kid = key_thumbprint(header).map_err(|error| {
        failed(
            CheckId::Header,
            SubIndication::FormatFailure,
            "签名头不合规",
            error.to_string(),
        )
    })?;
    book.passed(CheckId::Header, "alg, typ, kid", "exactly alg, typ, kid");
    let holder = registry.issuer_key(&kid).ok_or_else(|| {
        undecided(
            CheckId::IssuerKey,
            SubIndication::NoSigningCertificateFound,
            "名册中没有这个签发密钥",
            "the registry knows no such issuer key",
        )
    })?;
    let detail = format!("{kid} {}", holder.node);
    book.passed(CheckId::IssuerKey, detail.clone(), detail);
    Ok(*holder)
}

fn check_signature(
    book: &mut Examination,
    parts: &Compact<'_>,
    holder: &KeyHolder,
) -> Result<(), Finding> {
    let refused = |detail: String| {
        let zh = "签名与内容不符";
        failed(
            CheckId::Signature,
            SubIndication::SigCryptoFailure,
            zh,
            detail,
        )
    };
    let bytes = parts.signature.as_slice().try_into();
    let bytes =
        bytes.map_err(|_| refused(format!("a signature of {} bytes", parts.signature.len())))?;
    verify_strict(
        holder.entry.public,
        parts.signing_input.as_bytes(),
        Signature(bytes),
    )
    .map_err(|error| refused(error.to_string()))?;
    book.passed(
        CheckId::Signature,
        "Ed25519 签名成立",
        "the Ed25519 signature verifies",
    );
    Ok(())
}

fn read_claims(
    book: &mut Examination,
    payload: &[u8],
) -> Result<(BTreeMap<String, Json>, OpenClaims), Finding> {
    let refused = |detail: String| {
        failed(
            CheckId::Claims,
            SubIndication::FormatFailure,
            "文书内容不合规则",
            detail,
        )
    };
    let payload = match read_strict(payload, DOCUMENT_BYTES_MAX) {
        Ok(Json::Object(members)) => members,
        Ok(other) => return Err(refused(format!("the payload is {}", other.kind()))),
        Err(error) => return Err(refused(error.to_string())),
    };
    let claims = OpenClaims::read(&payload).map_err(|error| refused(error.to_string()))?;
    book.passed(
        CheckId::Claims,
        claims.kind.to_string(),
        claims.kind.to_string(),
    );
    Ok((payload, claims))
}

/// A document that names one member and is signed by another is a forgery; one that names a
/// stranger cannot be judged.
fn check_issuer(
    book: &mut Examination,
    claims: &OpenClaims,
    holder: &KeyHolder,
    registry: &Registry,
) -> Result<(), Finding> {
    let city = holder.node.city();
    match registry.city_of_issuer(&claims.issuer) {
        Some(named) if named == city => {}
        Some(named) => {
            return Err(failed(
                CheckId::Issuer,
                SubIndication::SigCryptoFailure,
                format!("自称 {named} 签发, 密钥属于 {city}"),
                format!("it names {named} and is signed by {city}"),
            ));
        }
        None => {
            return Err(undecided(
                CheckId::Issuer,
                SubIndication::NoCertificateChainFound,
                "名册中没有这个签发方",
                "the registry knows no such issuer",
            ));
        }
    }
    let name = registry
        .city(city)
        .map(|entry| entry.name.clone())
        .unwrap_or_default();
    let detail = format!("{name} {city}");
    book.passed(CheckId::Issuer, detail.clone(), detail);
    book.issuer = Some(Issuer { city, name });
    Ok(())
}

fn refuse_disclosures(error: &DisclosureError) -> Finding {
    let sub_indication = match error {
        DisclosureError::Unreferenced { .. } => SubIndication::HashFailure,
        _ => SubIndication::FormatFailure,
    };
    failed(
        CheckId::Disclosures,
        sub_indication,
        "出示的内容不是签发方签名的内容",
        error.to_string(),
    )
}

type Outcome = Result<(CheckId, String, String), Finding>;

fn check_profile(claims: &BTreeMap<String, Json>) -> Outcome {
    match UNKNOWN_HERE
        .into_iter()
        .find(|name| claims.contains_key(*name))
    {
        None => Ok((CheckId::Profile, "无".to_owned(), "none".to_owned())),
        Some(name) => Err(undecided(
            CheckId::Profile,
            SubIndication::SigConstraintsFailure,
            format!("文书带有 {name}, 本程序不能核验"),
            format!("it carries {name}, which is not checked here"),
        )),
    }
}

/// Clocks of issuer and verifier differ a little; the end of a document has no such grace.
fn check_validity(claims: &OpenClaims, at: Timestamp) -> Outcome {
    let span = |show: fn(Timestamp) -> String| {
        format!("{} – {}", show(claims.not_before), show(claims.expires))
    };
    let (zh, en) = (span(china_time), span(write_instant));
    let begins = claims.not_before.max(claims.issued_at);
    if at.plus_ms(SKEW_MS_MAX) < begins {
        return Err(failed(
            CheckId::Validity,
            SubIndication::NotYetValid,
            zh,
            en,
        ));
    }
    if at >= claims.expires {
        return Err(failed(CheckId::Validity, SubIndication::Expired, zh, en));
    }
    Ok((CheckId::Validity, zh, en))
}

fn check_key_validity(claims: &OpenClaims, holder: &KeyHolder, at: Timestamp) -> Outcome {
    let key = &holder.entry;
    let id = CheckId::KeyValidity;
    let span = |show: fn(Timestamp) -> String| {
        format!("{} – {}", show(key.not_before), show(key.not_after))
    };
    let (zh, en) = (span(china_time), span(write_instant));
    if claims.issued_at < key.not_before {
        return Err(failed(id, SubIndication::NotYetValid, zh, en));
    }
    if claims.issued_at > key.not_after {
        return Err(failed(id, SubIndication::Expired, zh, en));
    }
    if key.state == KeyState::Retired || at > key.not_after {
        let zh = format!("密钥已停用或过期, 没有证据表明文书在此之前签发 ({zh})");
        let en = format!("the key has ended and nothing proves the document is older ({en})");
        return Err(undecided(id, SubIndication::OutOfBoundsNoPoe, zh, en));
    }
    Ok((id, zh, en))
}

fn check_registry(registry: &Registry, at: Timestamp) -> Outcome {
    let show = |until: String| format!("#{} – {until}", registry.version());
    let (zh, en) = (
        show(china_time(registry.expires())),
        show(write_instant(registry.expires())),
    );
    if registry.is_expired(at) {
        return Err(undecided(
            CheckId::Registry,
            SubIndication::TryLater,
            zh,
            en,
        ));
    }
    Ok((CheckId::Registry, zh, en))
}

/// A time as people here read it.
fn china_time(at: Timestamp) -> String {
    write_instant(at.plus_ms(CHINA_OFFSET_MS)).replace('Z', "+08:00")
}
