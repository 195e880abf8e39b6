//! The open claims every document carries, and the names that mean something to verifiers and so
//! may neither be hidden in a disclosure nor chosen freely.

use std::collections::BTreeMap;

use data_encoding::BASE64URL_NOPAD;
use thiserror::Error;
use tongban_types::Timestamp;

use crate::json::Json;

/// Names an open or disclosed claim may not take: those set by the issuer's program, and those of
/// the SD-JWT VC draft which must stay open.
pub(super) const REGISTERED: [&str; 12] = [
    "iss",
    "iat",
    "nbf",
    "exp",
    "jti",
    "vct",
    "vct#integrity",
    "aka_vcts",
    "cnf",
    "status",
    "tlog",
    "_sd_alg",
];

/// Claims that ask for checks a verifier of this profile does not make: to pass over them would be
/// to call a revoked or foreign document valid.
pub(super) const UNKNOWN_HERE: [&str; 5] = ["cnf", "status", "tlog", "vct#integrity", "aka_vcts"];

/// The last second of the year 9999, beyond which programs disagree about dates.
const SECONDS_MAX: i64 = 253_402_300_799;

/// Why a claim is refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("claim {name} {problem}")]
pub struct ClaimError {
    /// The claim.
    pub name: &'static str,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// What kind of document it is: the claim `vct`, `urn:tongban:vct:<type>:<version>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DocumentType {
    name: String,
    version: u16,
}

impl DocumentType {
    /// A type by its name (lowercase letters, digits, hyphens; at most 64) and version from 1.
    pub fn new(name: &str, version: u16) -> Option<Self> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let is_name = (1..=64).contains(&name.len()) && name.bytes().all(fits);
        (is_name && version > 0).then(|| Self {
            name: name.to_owned(),
            version,
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its version.
    pub const fn version(&self) -> u16 {
        self.version
    }

    /// Reads a `vct`, in its one spelling.
    pub fn read(vct: &str) -> Option<Self> {
        let (name, version) = vct.strip_prefix("urn:tongban:vct:")?.split_once(':')?;
        let read = Self::new(name, version.parse().ok()?)?;
        (read.to_string() == vct).then_some(read)
    }
}

impl std::fmt::Display for DocumentType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "urn:tongban:vct:{}:{}", self.name, self.version)
    }
}

/// The open claims, well formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OpenClaims {
    pub(super) issuer: String,
    pub(super) issued_at: Timestamp,
    pub(super) not_before: Timestamp,
    pub(super) expires: Timestamp,
    pub(super) kind: DocumentType,
}

impl OpenClaims {
    /// Reads them from a payload.
    pub(super) fn read(payload: &BTreeMap<String, Json>) -> Result<Self, ClaimError> {
        let refused = |name, problem| ClaimError { name, problem };
        let kind = DocumentType::read(text(payload, "vct")?);
        let jti = BASE64URL_NOPAD.decode(text(payload, "jti")?.as_bytes());
        if !jti.is_ok_and(|bytes| bytes.len() == 16) {
            return Err(refused("jti", "is not 128 bits in base64url"));
        }
        let claims = Self {
            issuer: text(payload, "iss")?.to_owned(),
            issued_at: moment(payload, "iat")?,
            not_before: moment(payload, "nbf")?,
            expires: moment(payload, "exp")?,
            kind: kind.ok_or(refused("vct", "is not urn:tongban:vct:<type>:<version>"))?,
        };
        if claims.expires <= claims.not_before || claims.expires <= claims.issued_at {
            return Err(refused("exp", "is not after nbf and iat"));
        }
        Ok(claims)
    }
}

fn text<'p>(
    payload: &'p BTreeMap<String, Json>,
    name: &'static str,
) -> Result<&'p str, ClaimError> {
    let claim = payload.get(name).ok_or(ClaimError {
        name,
        problem: "is missing",
    })?;
    claim.as_text().ok_or(ClaimError {
        name,
        problem: "is not a string",
    })
}

fn moment(payload: &BTreeMap<String, Json>, name: &'static str) -> Result<Timestamp, ClaimError> {
    let claim = payload.get(name).ok_or(ClaimError {
        name,
        problem: "is missing",
    })?;
    match claim.as_integer() {
        Some(seconds @ 0..=SECONDS_MAX) => Ok(Timestamp::from_unix_ms(seconds * 1_000)),
        Some(_) => Err(ClaimError {
            name,
            problem: "is no second of the years 1970 to 9999",
        }),
        None => Err(ClaimError {
            name,
            problem: "is not an integer",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_has_one_spelling() {
        let kind = DocumentType::new("household-transfer", 2).unwrap();
        assert_eq!(DocumentType::read(&kind.to_string()), Some(kind));
        for vct in [
            "urn:tongban:vct:a:01",
            "urn:tongban:vct:a:0",
            "urn:tongban:vct::1",
            "urn:tongban:vct:A:1",
            "urn:tongban:vct:a:+1",
            "urn:tongban:vct:a:1:2",
            "urn:other:vct:a:1",
            "a",
        ] {
            assert_eq!(DocumentType::read(vct), None, "{vct}");
        }
    }
}
