//! From a granted case and its form to a document: the claims its item's template names, in the
//! profile of `tongban-trust`.

use std::collections::BTreeMap;

use thiserror::Error;
use tongban_machine::CaseRecord;
use tongban_trust::{
    DisclosableClaim, DocumentDraft, DocumentType, IssueError, Json, JsonError, SigningInput,
    read_strict,
};
use tongban_types::{KeyRole, limits};

use crate::core::Core;
use crate::seams::{Entropy, Platform, Signer};

/// How long a document is valid: until status lists come, ten years, as residence documents are.
const VALID_MS: i64 = 3_652 * 86_400_000;

/// Why a document cannot be made.
#[derive(Debug, Error)]
pub(crate) enum DocumentFault {
    /// This node holds no issuer key.
    #[error("this node holds no issuer key")]
    NoIssuerKey,
    /// The catalogue of this node has no template for the item.
    #[error("this node's catalogue has no document for the item")]
    NoTemplate,
    /// The form is not the JSON it was checked to be.
    #[error("the form does not read")]
    Form(#[from] JsonError),
    /// The claims do not make a document.
    #[error(transparent)]
    Issue(#[from] IssueError),
}

/// The exact signing input of a granted case's document. Salts and identifiers are drawn here, so it
/// is made once and committed.
pub(crate) fn prepare<P: Platform>(
    core: &Core<P>,
    record: &CaseRecord,
    form: &[u8],
) -> Result<SigningInput, DocumentFault> {
    let key = core
        .signer
        .public(KeyRole::Issuer)
        .ok_or(DocumentFault::NoIssuerKey)?;
    let template = core
        .settings
        .templates
        .get(&record.envelope.item)
        .ok_or(DocumentFault::NoTemplate)?;
    let kind = DocumentType::read(&template.vct).ok_or(DocumentFault::NoTemplate)?;
    let registry = core.registry();
    let issuer = registry
        .city(core.city())
        .map(|city| city.issuer.clone())
        .unwrap_or_default();
    let form = read_strict(form, limits::FORM_BYTES_MAX)?;
    let decided_at = record
        .decision
        .as_ref()
        .map_or(record.since, |decision| decision.at);
    let mut open = BTreeMap::from([
        (
            "case_number".to_owned(),
            Json::text(record.envelope.number.to_string()),
        ),
        (
            "document_name".to_owned(),
            Json::text(template.name_zh.clone()),
        ),
    ]);
    let mut disclosable = Vec::new();
    for claim in &template.claims {
        let Some(value) = at_pointer(&form, &claim.pointer) else {
            continue;
        };
        if claim.disclosable {
            let salt = core.entropy.array();
            disclosable.push(DisclosableClaim {
                name: claim.name.clone(),
                value: value.clone(),
                salt,
            });
        } else {
            open.insert(claim.name.clone(), value.clone());
        }
    }
    let decoys = (0..DocumentDraft::decoys_needed(disclosable.len()))
        .map(|_| core.entropy.array())
        .collect();
    let draft = DocumentDraft {
        issuer,
        kind,
        id: core.entropy.array(),
        issued_at: decided_at,
        not_before: decided_at,
        expires: decided_at.plus_ms(VALID_MS),
        open,
        disclosable,
        decoys,
    };
    Ok(SigningInput::prepare(&draft, key)?)
}

/// Signs a committed signing input.
pub(crate) fn sign<P: Platform>(core: &Core<P>, text: &str) -> Result<String, DocumentFault> {
    let input = SigningInput::read(text)?;
    let key = core
        .signer
        .public(KeyRole::Issuer)
        .ok_or(DocumentFault::NoIssuerKey)?;
    let signature = core
        .signer
        .sign(KeyRole::Issuer, input.bytes())
        .ok_or(DocumentFault::NoIssuerKey)?;
    Ok(input.finish(key, signature)?)
}

/// What stands at a JSON Pointer (RFC 6901).
fn at_pointer<'a>(value: &'a Json, pointer: &str) -> Option<&'a Json> {
    let mut here = value;
    for part in pointer.split('/').skip(1) {
        let name = part.replace("~1", "/").replace("~0", "~");
        here = match here {
            Json::Object(members) => members.get(&name)?,
            Json::List(items) => items.get(name.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(here)
}
