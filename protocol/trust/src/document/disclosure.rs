//! Selective disclosure (RFC 9901 §7.1): every disclosure must be one whose digest the issuer
//! signed, once, in the place it belongs to; what remains is the claims without any machinery.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::BASE64URL_NOPAD;
use thiserror::Error;
use tongban_types::limits::DOCUMENT_BYTES_MAX;
use tongban_types::sha256;

use super::claims::REGISTERED;
use super::compact::decoded;
use crate::json::{DEPTH_MAX, Json, JsonError, read_strict};

/// The only digest algorithm.
pub(super) const SD_ALG: &str = "sha-256";

/// Why disclosures are refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DisclosureError {
    /// A disclosure that is not base64url in its one spelling.
    #[error("a disclosure is not base64url in its one spelling")]
    Encoding,
    /// A disclosure that is not strict JSON.
    #[error("a disclosure is not strict JSON: {0}")]
    Json(#[from] JsonError),
    /// Neither `[salt, name, value]` nor `[salt, value]`.
    #[error("a disclosure is neither [salt, name, value] nor [salt, value]")]
    Arity,
    /// A claim disclosed where an array element belongs, or the other way.
    #[error("a disclosure stands in a place of the other kind")]
    WrongPlace,
    /// A claim named `_sd` or `...`.
    #[error("a disclosed claim is named _sd or ...")]
    ReservedName,
    /// A claim that must stay open.
    #[error("the claim {name} is disclosed and must be open")]
    HiddenRegistered {
        /// Its name.
        name: &'static str,
    },
    /// A claim that is there already.
    #[error("a disclosure overrides a claim that is there already")]
    Overrides,
    /// One disclosure twice.
    #[error("a disclosure is given twice")]
    Repeated,
    /// One digest twice.
    #[error("a digest stands twice")]
    DigestTwice,
    /// A disclosure no digest refers to: not signed, altered, or of another document.
    #[error("{count} disclosures are not of this document or were altered")]
    Unreferenced {
        /// How many.
        count: usize,
    },
    /// `_sd` is not an array of SHA-256 digests.
    #[error("_sd is not an array of SHA-256 digests")]
    MalformedDigests,
    /// `...` stands where it has no meaning.
    #[error("a member named ... is no placeholder of an array")]
    MalformedPlaceholder,
    /// Another digest algorithm.
    #[error("_sd_alg is not sha-256")]
    Algorithm,
    /// `_sd_alg` below the top.
    #[error("_sd_alg stands below the top")]
    NestedAlgorithm,
    /// Disclosures within disclosures beyond the bound.
    #[error("nested more than {DEPTH_MAX} deep")]
    TooDeep,
}

enum Disclosure {
    Member { name: String, value: Json },
    Element { value: Json },
}

/// The claims of a payload with everything disclosed in its place.
pub(super) fn resolve(
    payload: BTreeMap<String, Json>,
    disclosures: &[&str],
) -> Result<BTreeMap<String, Json>, DisclosureError> {
    let mut resolver = Resolver {
        unused: BTreeMap::new(),
        seen: BTreeSet::new(),
    };
    for text in disclosures {
        if resolver
            .unused
            .insert(digest_of(text), read(text)?)
            .is_some()
        {
            return Err(DisclosureError::Repeated);
        }
    }
    let claims = resolver.object(payload, 1)?;
    match resolver.unused.len() {
        0 => Ok(claims),
        count => Err(DisclosureError::Unreferenced { count }),
    }
}

/// The digest of a disclosure, over the text as it is sent.
pub(super) fn digest_of(disclosure: &str) -> String {
    BASE64URL_NOPAD.encode(&sha256(disclosure.as_bytes()).0)
}

fn read(text: &str) -> Result<Disclosure, DisclosureError> {
    let bytes = decoded(text, "a disclosure").map_err(|_| DisclosureError::Encoding)?;
    let Json::List(elements) = read_strict(&bytes, DOCUMENT_BYTES_MAX)? else {
        return Err(DisclosureError::Arity);
    };
    let mut elements = elements.into_iter();
    match (
        elements.next(),
        elements.next(),
        elements.next(),
        elements.next(),
    ) {
        (Some(Json::Text(_)), Some(value), None, None) => Ok(Disclosure::Element { value }),
        (Some(Json::Text(_)), Some(Json::Text(name)), Some(value), None) => {
            Ok(Disclosure::Member { name, value })
        }
        _ => Err(DisclosureError::Arity),
    }
}

struct Resolver {
    unused: BTreeMap<String, Disclosure>,
    seen: BTreeSet<String>,
}

impl Resolver {
    fn value(&mut self, value: Json, depth: usize) -> Result<Json, DisclosureError> {
        if depth > DEPTH_MAX {
            return Err(DisclosureError::TooDeep);
        }
        match value {
            Json::Object(members) => Ok(Json::Object(self.object(members, depth)?)),
            Json::List(elements) => Ok(Json::List(self.list(elements, depth)?)),
            other => Ok(other),
        }
    }

    fn object(
        &mut self,
        mut members: BTreeMap<String, Json>,
        depth: usize,
    ) -> Result<BTreeMap<String, Json>, DisclosureError> {
        let is_top = depth == 1;
        let digests = members.remove("_sd");
        match members.remove("_sd_alg") {
            Some(_) if !is_top => return Err(DisclosureError::NestedAlgorithm),
            Some(alg) if alg.as_text() != Some(SD_ALG) => return Err(DisclosureError::Algorithm),
            _ => {}
        }
        if members.contains_key("...") {
            return Err(DisclosureError::MalformedPlaceholder);
        }
        let mut claims = BTreeMap::new();
        for (name, value) in members {
            claims.insert(name, self.value(value, depth + 1)?);
        }
        let digests = match digests {
            None => Vec::new(),
            Some(Json::List(digests)) => digests,
            Some(_) => return Err(DisclosureError::MalformedDigests),
        };
        for digest in digests {
            match self.find(&digest)? {
                None => {}
                Some(Disclosure::Element { .. }) => return Err(DisclosureError::WrongPlace),
                Some(Disclosure::Member { name, value }) => {
                    check_name(&name, is_top)?;
                    if claims.contains_key(&name) {
                        return Err(DisclosureError::Overrides);
                    }
                    claims.insert(name, self.value(value, depth + 1)?);
                }
            }
        }
        Ok(claims)
    }

    fn list(&mut self, elements: Vec<Json>, depth: usize) -> Result<Vec<Json>, DisclosureError> {
        let mut shown = Vec::with_capacity(elements.len());
        for element in elements {
            match element {
                Json::Object(mut members) if members.contains_key("...") => {
                    let digest = members.remove("...").filter(|_| members.is_empty());
                    let digest = digest.ok_or(DisclosureError::MalformedPlaceholder)?;
                    match self.find(&digest)? {
                        None => {}
                        Some(Disclosure::Member { .. }) => return Err(DisclosureError::WrongPlace),
                        Some(Disclosure::Element { value }) => {
                            shown.push(self.value(value, depth + 1)?);
                        }
                    }
                }
                other => shown.push(self.value(other, depth + 1)?),
            }
        }
        Ok(shown)
    }

    /// The disclosure of a digest, if it was given; a digest stands once in the whole document.
    fn find(&mut self, digest: &Json) -> Result<Option<Disclosure>, DisclosureError> {
        let digest = digest.as_text().ok_or(DisclosureError::MalformedDigests)?;
        let bytes = decoded(digest, "a digest").map_err(|_| DisclosureError::MalformedDigests)?;
        if bytes.len() != 32 {
            return Err(DisclosureError::MalformedDigests);
        }
        if !self.seen.insert(digest.to_owned()) {
            return Err(DisclosureError::DigestTwice);
        }
        Ok(self.unused.remove(digest))
    }
}

fn check_name(name: &str, is_top: bool) -> Result<(), DisclosureError> {
    if name == "_sd" || name == "..." {
        return Err(DisclosureError::ReservedName);
    }
    match REGISTERED
        .into_iter()
        .find(|registered| *registered == name)
    {
        Some(name) if is_top => Err(DisclosureError::HiddenRegistered { name }),
        _ => Ok(()),
    }
}
