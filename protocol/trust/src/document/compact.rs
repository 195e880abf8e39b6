//! The compact form of an SD-JWT: `header.payload.signature~disclosure~…~`, each part in unpadded
//! base64url with no other spelling (RFC 9901 §4, RFC 7515 §3.1).

use data_encoding::BASE64URL_NOPAD;
use thiserror::Error;
use tongban_types::limits::DOCUMENT_BYTES_MAX;

use crate::json::{Fields, JsonError, ShapeError, read_strict};

/// The media type of a document, in its header.
pub(super) const TYP: &str = "dc+sd-jwt";

/// The name the algorithm is issued under: the older one, which more foreign verifiers know.
pub(super) const ALG_ISSUED: &str = "EdDSA";

/// The name of RFC 9864, accepted too.
const ALG_NEW: &str = "Ed25519";

/// A header is `alg`, `typ` and a thumbprint: 84 bytes.
const HEADER_BYTES_MAX: usize = 256;

/// Disclosures of a document: a licence has about thirty fields.
pub(super) const DISCLOSURES_MAX: usize = 128;

/// Why a text is no compact SD-JWT of ours.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CompactError {
    /// Larger than a document may be.
    #[error("it has {bytes} bytes, at most {DOCUMENT_BYTES_MAX} are taken")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// A byte that no part may hold.
    #[error("it holds a byte that is not base64url")]
    ForeignByte,
    /// No tilde at the end: a bare JWT, or a key binding, which this profile does not have.
    #[error("it does not end with a tilde")]
    NoFinalTilde,
    /// Not three parts before the first tilde.
    #[error("the signed part is not header.payload.signature")]
    NotThreeParts,
    /// More disclosures than a document may have.
    #[error("it has more than {DISCLOSURES_MAX} disclosures")]
    TooManyDisclosures,
    /// A part with padding, stray bits or another alphabet.
    #[error("{part} is not base64url in its one spelling")]
    Encoding {
        /// Which part.
        part: &'static str,
    },
}

/// Why a header is refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum HeaderError {
    /// Not strict JSON.
    #[error("the header is not strict JSON: {0}")]
    Json(#[from] JsonError),
    /// A member missing, of another kind, or not on the list.
    #[error("{0}")]
    Shape(#[from] ShapeError),
    /// Another algorithm.
    #[error("alg is neither EdDSA nor Ed25519")]
    Algorithm,
    /// Another kind of token.
    #[error("typ is not {TYP}")]
    Type,
}

/// The parts of a document, decoded but not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Compact<'t> {
    /// `header.payload`: exactly the bytes that were signed.
    pub(super) signing_input: &'t str,
    pub(super) header: Vec<u8>,
    pub(super) payload: Vec<u8>,
    pub(super) signature: Vec<u8>,
    /// As they were sent: their digests are over this text.
    pub(super) disclosures: Vec<&'t str>,
}

impl<'t> Compact<'t> {
    pub(super) fn read(text: &'t [u8]) -> Result<Self, CompactError> {
        if text.len() > DOCUMENT_BYTES_MAX {
            return Err(CompactError::TooLarge { bytes: text.len() });
        }
        let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(byte);
        let text = match std::str::from_utf8(text) {
            Ok(text) if text.as_bytes().iter().all(fits) => text,
            _ => return Err(CompactError::ForeignByte),
        };
        let parts = text.strip_suffix('~').ok_or(CompactError::NoFinalTilde)?;
        let (signed, shown) = parts
            .split_once('~')
            .map_or((parts, None), |(a, b)| (a, Some(b)));
        let disclosures: Vec<&str> =
            shown.map_or_else(Vec::new, |shown| shown.split('~').collect());
        if disclosures.len() > DISCLOSURES_MAX {
            return Err(CompactError::TooManyDisclosures);
        }
        let (signing_input, signature) =
            signed.rsplit_once('.').ok_or(CompactError::NotThreeParts)?;
        let (header, payload) = signing_input
            .split_once('.')
            .ok_or(CompactError::NotThreeParts)?;
        if payload.contains('.') {
            return Err(CompactError::NotThreeParts);
        }
        Ok(Self {
            signing_input,
            header: decoded(header, "the header")?,
            payload: decoded(payload, "the payload")?,
            signature: decoded(signature, "the signature")?,
            disclosures,
        })
    }
}

/// Reads a header, which is exactly `alg`, `typ` and `kid`, and returns the `kid`.
pub(super) fn key_thumbprint(header: &[u8]) -> Result<String, HeaderError> {
    let mut fields = Fields::of(read_strict(header, HEADER_BYTES_MAX)?, "header")?;
    let (alg, typ) = (fields.text("alg")?, fields.text("typ")?);
    let kid = fields.text("kid")?;
    fields.end()?;
    if alg != ALG_ISSUED && alg != ALG_NEW {
        return Err(HeaderError::Algorithm);
    }
    if typ != TYP {
        return Err(HeaderError::Type);
    }
    Ok(kid)
}

/// The bytes of a part, which has one spelling only.
pub(super) fn decoded(text: &str, part: &'static str) -> Result<Vec<u8>, CompactError> {
    BASE64URL_NOPAD
        .decode(text.as_bytes())
        .map_err(|_| CompactError::Encoding { part })
}
