//! Issuing in two steps. First the exact bytes to sign are made from inputs alone, salts and
//! identifiers among them, so that they can be committed; then a signature is put to them. Signing
//! again gives the same document.

use std::collections::BTreeMap;

use data_encoding::BASE64URL_NOPAD;
use thiserror::Error;
use tongban_types::{Code, PublicKey, Signature, Timestamp, limits::DOCUMENT_BYTES_MAX, sha256};

use super::claims::{ClaimError, DocumentType, OpenClaims, REGISTERED};
use super::compact::{ALG_ISSUED, CompactError, DISCLOSURES_MAX, HeaderError, TYP};
use super::compact::{Compact, key_thumbprint};
use super::disclosure::{DisclosureError, SD_ALG, digest_of, resolve};
use crate::error::TrustError;
use crate::json::{Json, JsonError, compact, read_strict};
use crate::signing::verify_strict;

/// A claim the holder may show or keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisclosableClaim {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Json,
    /// 128 random bits, never used again, so that nobody guesses the value from its digest.
    pub salt: [u8; 16],
}

/// Everything a document is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentDraft {
    /// The issuer URL of the city.
    pub issuer: String,
    /// What kind of document.
    pub kind: DocumentType,
    /// 128 random bits that name it.
    pub id: [u8; 16],
    /// When it is issued; whole seconds count.
    pub issued_at: Timestamp,
    /// It is valid from then on.
    pub not_before: Timestamp,
    /// It is valid until then.
    pub expires: Timestamp,
    /// Claims everybody who has the document sees.
    pub open: BTreeMap<String, Json>,
    /// Claims the holder chooses to show.
    pub disclosable: Vec<DisclosableClaim>,
    /// Random bytes, as many as [`DocumentDraft::decoys_needed`], which hide how many claims there
    /// are.
    pub decoys: Vec<[u8; 32]>,
}

impl DocumentDraft {
    /// How many decoys pad this many disclosable claims to a multiple of four.
    pub const fn decoys_needed(disclosable: usize) -> usize {
        disclosable.next_multiple_of(4) - disclosable
    }
}

/// Why a document cannot be issued.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum IssueError {
    /// An open claim has a name that is set by this program.
    #[error("the claim name {name} is taken")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// A salt serves twice.
    #[error("one salt serves two claims")]
    SaltTwice,
    /// Too many or too few decoys.
    #[error("{found} decoys are given, {needed} are needed")]
    Decoys {
        /// How many there must be.
        needed: usize,
        /// How many there are.
        found: usize,
    },
    /// The document would be larger than a document may be.
    #[error("the document would have {bytes} bytes, at most {DOCUMENT_BYTES_MAX} are allowed")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// More disclosable claims than a document may have.
    #[error("a document has at most {DISCLOSURES_MAX} disclosable claims")]
    TooManyClaims,
    /// A required claim is not well formed.
    #[error("a required claim is refused")]
    Claim(#[from] ClaimError),
    /// A value does not survive writing and reading.
    #[error("a value is not strict JSON")]
    Json(#[from] JsonError),
    /// The disclosable claims would be refused.
    #[error("the disclosable claims would be refused")]
    Disclosure(#[from] DisclosureError),
    /// Bytes that are no signing input.
    #[error("these bytes are no signing input")]
    Form(#[from] CompactError),
    /// A signing input with another header.
    #[error("the header is refused")]
    Header(#[from] HeaderError),
    /// The key is not the one the signing input names.
    #[error("the signing input names another key than {key}")]
    OtherKey {
        /// The key given.
        key: PublicKey,
    },
    /// The signature is not of that key over these bytes.
    #[error("the signature does not verify")]
    Signature(#[from] TrustError),
}

impl IssueError {
    /// The code `explain` describes.
    pub fn code(&self) -> Code {
        match self {
            Self::TooLarge { .. } => Code::TOO_LARGE,
            Self::Signature(error) => error.code(),
            _ => Code::DOCUMENT_NOT_ISSUABLE,
        }
    }
}

/// What is to be signed, and the disclosures that go with it. Its text is what a city commits
/// before it signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningInput {
    signed: String,
    shown: String,
}

/// `.` and 64 bytes in base64url.
const SIGNATURE_CHARS: usize = 87;

impl SigningInput {
    /// The exact bytes to sign for a draft and an issuer key: equal inputs, equal bytes. Nothing is
    /// prepared that the verifier would refuse for its form.
    pub fn prepare(draft: &DocumentDraft, key: PublicKey) -> Result<Self, IssueError> {
        check_draft(draft)?;
        let disclosures: Vec<String> = draft.disclosable.iter().map(disclosure).collect();
        let header = Json::object([
            ("alg", Json::text(ALG_ISSUED)),
            ("kid", Json::text(key.thumbprint())),
            ("typ", Json::text(TYP)),
        ]);
        let payload = compact(&Json::Object(payload(draft, &disclosures)));
        let prepared = Self {
            signed: format!("{}.{}", encoded(&compact(&header)), encoded(&payload)),
            shown: disclosures.iter().flat_map(|text| ["~", text]).collect(),
        };
        let bytes = prepared.signed.len() + prepared.shown.len() + SIGNATURE_CHARS + 1;
        if bytes > DOCUMENT_BYTES_MAX {
            return Err(IssueError::TooLarge { bytes });
        }
        prepared.check_as_verifier()?;
        Ok(prepared)
    }

    /// Reads a committed signing input back.
    pub fn read(text: &str) -> Result<Self, IssueError> {
        let (signed, shown) = text.split_once('~').ok_or(CompactError::NoFinalTilde)?;
        let shown = format!("~{shown}");
        let shown = shown
            .strip_suffix('~')
            .ok_or(CompactError::NoFinalTilde)?
            .to_owned();
        let read = Self {
            signed: signed.to_owned(),
            shown,
        };
        read.check_as_verifier()?;
        Ok(read)
    }

    /// The text to commit: the document without its signature.
    pub fn text(&self) -> String {
        format!("{}{}~", self.signed, self.shown)
    }

    /// The bytes the issuer key signs.
    pub fn bytes(&self) -> &[u8] {
        self.signed.as_bytes()
    }

    /// The document, once its signature verifies.
    pub fn finish(&self, key: PublicKey, signature: Signature) -> Result<String, IssueError> {
        let document = self.with_signature(&signature.0);
        let kid = key_thumbprint(&Compact::read(document.as_bytes())?.header)?;
        if kid != key.thumbprint() {
            return Err(IssueError::OtherKey { key });
        }
        verify_strict(key, self.bytes(), signature)?;
        Ok(document)
    }

    fn with_signature(&self, signature: &[u8]) -> String {
        format!(
            "{}.{}{}~",
            self.signed,
            BASE64URL_NOPAD.encode(signature),
            self.shown
        )
    }

    fn check_as_verifier(&self) -> Result<(), IssueError> {
        let document = self.with_signature(&[0; 64]);
        let parts = Compact::read(document.as_bytes())?;
        key_thumbprint(&parts.header)?;
        let Json::Object(payload) = read_strict(&parts.payload, DOCUMENT_BYTES_MAX)? else {
            return Err(ClaimError {
                name: "iss",
                problem: "is missing",
            }
            .into());
        };
        OpenClaims::read(&payload)?;
        resolve(payload, &parts.disclosures)?;
        Ok(())
    }
}

fn check_draft(draft: &DocumentDraft) -> Result<(), IssueError> {
    if draft.disclosable.len() > DISCLOSURES_MAX {
        return Err(IssueError::TooManyClaims);
    }
    let is_taken = |name: &&String| REGISTERED.contains(&name.as_str()) || *name == "_sd";
    if let Some(name) = draft.open.keys().find(is_taken) {
        return Err(IssueError::NameTaken { name: name.clone() });
    }
    let mut salts: Vec<_> = draft.disclosable.iter().map(|claim| claim.salt).collect();
    salts.sort_unstable();
    if salts.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(IssueError::SaltTwice);
    }
    let (needed, found) = (
        DocumentDraft::decoys_needed(draft.disclosable.len()),
        draft.decoys.len(),
    );
    if needed != found {
        return Err(IssueError::Decoys { needed, found });
    }
    Ok(())
}

fn disclosure(claim: &DisclosableClaim) -> String {
    encoded(&compact(&Json::List(vec![
        Json::Text(BASE64URL_NOPAD.encode(&claim.salt)),
        Json::text(&claim.name),
        claim.value.clone(),
    ])))
}

fn payload(draft: &DocumentDraft, disclosures: &[String]) -> BTreeMap<String, Json> {
    let decoys = draft
        .decoys
        .iter()
        .map(|decoy| BASE64URL_NOPAD.encode(&sha256(decoy).0));
    let mut digests: Vec<String> = disclosures
        .iter()
        .map(|text| digest_of(text))
        .chain(decoys)
        .collect();
    // In the order of the digests, so that neither order nor place tells a claim from a decoy.
    digests.sort_unstable();
    let mut claims = draft.open.clone();
    let mut set = |name: &str, value| claims.insert(name.to_owned(), value);
    set("iss", Json::text(&draft.issuer));
    set("iat", Json::Integer(draft.issued_at.unix_seconds()));
    set("nbf", Json::Integer(draft.not_before.unix_seconds()));
    set("exp", Json::Integer(draft.expires.unix_seconds()));
    set("jti", Json::Text(BASE64URL_NOPAD.encode(&draft.id)));
    set("vct", Json::text(draft.kind.to_string()));
    set("_sd_alg", Json::text(SD_ALG));
    if !digests.is_empty() {
        set(
            "_sd",
            Json::List(digests.into_iter().map(Json::Text).collect()),
        );
    }
    claims
}

fn encoded(text: &str) -> String {
    BASE64URL_NOPAD.encode(text.as_bytes())
}
