//! Whether the keys of this machine are those the registry enrols for it. Asked before anything is
//! signed, so that a mixed-up folder is found at the start and not by other cities.

use thiserror::Error;
use tongban_api::Said;
use tongban_runtime::KeyRing;
use tongban_runtime::seams::Signer as _;
use tongban_trust::Registry;
use tongban_types::{Code, KeyRole, NodeId};

use crate::exit::Exit;
use crate::failure::Coded;

/// Why this machine may not act as the node.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum NotEnrolled {
    /// The registry does not name the node.
    #[error("名册第 {version} 版没有节点 {node}")]
    Node {
        /// The node.
        node: NodeId,
        /// The registry.
        version: u64,
    },
    /// Its keys stand in the registry and sign no more.
    #[error("名册第 {version} 版已停用节点 {node}")]
    Retired {
        /// The node.
        node: NodeId,
        /// The registry.
        version: u64,
    },
    /// A key is another than the one enrolled.
    #[error("节点 {node} 的 {role} 密钥与名册登记的不符")]
    Key {
        /// The node.
        node: NodeId,
        /// Which key.
        role: &'static str,
    },
}

impl Coded for NotEnrolled {
    fn code(&self) -> Code {
        match self {
            Self::Node { .. } => Code::NODE_NOT_ENROLLED,
            Self::Retired { .. } => Code::NODE_RETIRED,
            Self::Key { .. } => Code::KEYS_NOT_ENROLLED,
        }
    }

    fn exit(&self) -> Exit {
        Exit::BadConfiguration
    }

    fn says(&self) -> Option<Said> {
        let en = match self {
            Self::Node { node, version } => {
                format!("version {version} of the registry has no node {node}")
            }
            Self::Retired { node, version } => {
                format!("version {version} of the registry has retired node {node}")
            }
            Self::Key { node, role } => {
                format!("the {role} key of node {node} is not the one the registry enrols")
            }
        };
        Some(Said::new(self.to_string(), en))
    }
}

/// Compares every key with its entry.
pub(crate) fn check_enrolled(
    registry: &Registry,
    node: NodeId,
    keys: &KeyRing,
) -> Result<(), NotEnrolled> {
    let version = registry.version();
    let entry = registry
        .node(node)
        .ok_or(NotEnrolled::Node { node, version })?;
    let is_active = |role: &KeyRole| entry.active(*role).is_some();
    if !KeyRole::ALL.iter().any(is_active) {
        // Every other node would turn it away, and it would wait for its groups for ever.
        return Err(NotEnrolled::Retired { node, version });
    }
    for role in KeyRole::ALL {
        // A role the registry enrols for no key of this node needs none.
        let enrolled = registry.key_of(role, node);
        if enrolled.is_some() && enrolled != keys.public(role) {
            return Err(NotEnrolled::Key {
                node,
                role: role.name(),
            });
        }
    }
    if entry.sealing != keys.sealing_public() {
        return Err(NotEnrolled::Key {
            node,
            role: "sealing",
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tongban_runtime::Seeds;
    use tongban_trust::RegistryDraft;
    use tongban_trust::testing::{SampleFederation, sample_draft};
    use zeroize::Zeroizing;

    use super::*;

    fn ring(seed: u8) -> KeyRing {
        let mut seeds = Seeds::new();
        for (place, role) in KeyRole::ALL.into_iter().enumerate() {
            seeds.insert(
                role,
                Zeroizing::new([seed + u8::try_from(place).unwrap(); 32]),
            );
        }
        KeyRing::new(&seeds, &Zeroizing::new([seed; 32]))
    }

    #[test]
    fn only_the_enrolled_keys_may_act_as_the_node_until_it_is_retired() {
        let node = SampleFederation::node(0);
        let keys = ring(100);
        let mut draft = sample_draft();
        let entry = draft
            .cities
            .get_mut(&node.city())
            .unwrap()
            .nodes
            .get_mut(&node)
            .unwrap();
        for key in &mut entry.keys {
            key.public = keys.public(key.role).unwrap();
        }
        entry.sealing = keys.sealing_public();
        let registry = draft.check().unwrap();
        assert_eq!(check_enrolled(&registry, node, &keys), Ok(()));
        let mut next = RegistryDraft::after(&registry, registry.expires());
        next.retire(node).unwrap();
        let retired = check_enrolled(&next.check().unwrap(), node, &keys);
        assert!(matches!(retired, Err(NotEnrolled::Retired { .. })));
        let other = check_enrolled(&registry, node, &ring(150));
        assert!(matches!(other, Err(NotEnrolled::Key { .. })));
        let stranger = "350100-77".parse().unwrap();
        let unknown = check_enrolled(&registry, stranger, &keys);
        assert!(matches!(unknown, Err(NotEnrolled::Node { .. })));
        let said = unknown.unwrap_err().says().unwrap();
        assert!(said.zh.ends_with("没有节点 350100-77"), "{said:?}");
        assert!(said.en.ends_with("has no node 350100-77"), "{said:?}");
    }
}
