//! From a granted case and its form to a document: the claims its item's template names, in the
//! profile of `tongban-trust`.

use std::collections::BTreeMap;
use std::sync::Arc;

use thiserror::Error;
use tongban_machine::CaseRecord;
use tongban_trust::{
    DisclosableClaim, DocumentDraft, DocumentType, IssueError, Json, JsonError, KeyEntry, Registry,
    SigningInput, read_strict,
};
use tongban_types::{Code, KeyRole, NodeId, PublicKey, Timestamp, limits};

use crate::core::Core;
use crate::seams::{Entropy, Platform, Signer};

/// How long a document is valid: until status lists come, ten years, as residence documents are.
const VALID_MS: i64 = 3_652 * 86_400_000;

/// By what a document is judged before it is signed: a verifier will judge it by the same registry.
pub(crate) struct Office {
    /// The registry in force in the city's group.
    pub(crate) registry: Arc<Registry>,
    /// The group's time.
    pub(crate) now: Timestamp,
}

/// Why a document cannot be made.
#[derive(Debug, Error)]
pub(crate) enum DocumentFault {
    /// This node holds no issuer key.
    #[error("this node holds no issuer key")]
    NoIssuerKey,
    /// The registry in force does not have this node sign documents with its key now.
    #[error("this node's issuer key is not enrolled, not active, or not in its time")]
    KeyNotInForce,
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

impl DocumentFault {
    /// The code `explain` describes.
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::NoIssuerKey | Self::KeyNotInForce => Code::ISSUER_KEY_NOT_IN_FORCE,
            Self::NoTemplate | Self::Form(_) => Code::DOCUMENT_NOT_ISSUABLE,
            Self::Issue(error) => error.code(),
        }
    }
}

/// This node's issuer key, as the registry in force has it sign now.
fn issuer_key<P: Platform>(core: &Core<P>, office: &Office) -> Result<KeyEntry, DocumentFault> {
    let key = core.signer.public(KeyRole::Issuer);
    let key = key.ok_or(DocumentFault::NoIssuerKey)?;
    office
        .entry_of(key, core.me)
        .ok_or(DocumentFault::KeyNotInForce)
}

impl Office {
    /// The entry of a node's issuer key, if the key is active and may sign now.
    fn entry_of(&self, key: PublicKey, node: NodeId) -> Option<KeyEntry> {
        let holder = self
            .registry
            .key_holder_at(KeyRole::Issuer, key, self.now)?;
        let entry = self.registry.key(key)?.entry;
        (holder == node).then_some(entry)
    }
}

/// The exact signing input of a granted case's document. Salts and identifiers are drawn here, so it
/// is made once and committed.
pub(crate) fn prepare<P: Platform>(
    core: &Core<P>,
    office: &Office,
    record: &CaseRecord,
    form: &[u8],
) -> Result<SigningInput, DocumentFault> {
    let key = issuer_key(core, office)?;
    let template = core
        .settings
        .templates
        .get(&record.envelope.item)
        .ok_or(DocumentFault::NoTemplate)?;
    let kind = DocumentType::read(&template.vct).ok_or(DocumentFault::NoTemplate)?;
    let issuer = office
        .registry
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
        // A key that took an older one's place signs from its own time on.
        issued_at: decided_at.max(key.not_before),
        not_before: decided_at,
        expires: decided_at.plus_ms(VALID_MS),
        open,
        disclosable,
        decoys,
    };
    Ok(SigningInput::prepare(&draft, key.public)?)
}

/// Signs a committed signing input.
pub(crate) fn sign<P: Platform>(
    core: &Core<P>,
    office: &Office,
    text: &str,
) -> Result<String, DocumentFault> {
    let input = SigningInput::read(text)?;
    let key = issuer_key(core, office)?.public;
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

#[cfg(test)]
mod tests {
    use tongban_trust::testing::{SAMPLE_NOW, SampleFederation, sample_draft};
    use tongban_types::DAY_MS;

    use super::*;

    #[test]
    fn an_issuer_key_signs_while_it_is_enrolled_active_and_in_its_time() {
        let node = SampleFederation::node(0);
        let key = SampleFederation::key(node, KeyRole::Issuer).public();
        let office = |registry: Registry, now| Office {
            registry: Arc::new(registry),
            now,
        };
        let sample = || SampleFederation::six_cities().registry;
        let now = office(sample(), SAMPLE_NOW);
        assert_eq!(now.entry_of(key, node).map(|entry| entry.public), Some(key));
        assert_eq!(now.entry_of(key, SampleFederation::node(1)), None);
        for days in [-2, 366] {
            let then = office(sample(), SAMPLE_NOW.plus_ms(days * DAY_MS));
            assert_eq!(then.entry_of(key, node), None);
        }
        let mut draft = sample_draft();
        let mut renewed = tongban_trust::testing::enrolment(node, "127.0.0.1:7400");
        let new = tongban_trust::SigningKey::from_seed(&[90; 32]).public();
        renewed.keys = [(KeyRole::Issuer, new)].into();
        draft.enrol(&renewed).unwrap();
        let after = office(draft.check().unwrap(), SAMPLE_NOW);
        assert_eq!(after.entry_of(key, node), None, "retired");
        assert!(after.entry_of(new, node).is_some());
        let code = DocumentFault::KeyNotInForce.code();
        assert_eq!(code, Code::ISSUER_KEY_NOT_IN_FORCE);
    }
}
