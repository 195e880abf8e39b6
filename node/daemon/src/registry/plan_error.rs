//! Why a plan does not make a registry, in both languages.

use std::path::PathBuf;

use thiserror::Error;
use tongban_api::Said;
use tongban_trust::RegistryError;
use tongban_types::{Code, NodeId};

use super::says::of_registry;
use crate::exit::Exit;
use crate::failure::Coded;
use crate::files::FileError;
use crate::mistake::Mistake;

/// Why a plan does not make a registry.
#[derive(Debug, Error)]
pub(crate) enum PlanError {
    /// A file cannot be read.
    #[error("计划或公钥文件无法读取")]
    File(#[from] FileError),
    /// The plan is not of its form.
    #[error(transparent)]
    Malformed(#[from] Mistake),
    /// An enrolment file is not of its form.
    #[error("{} 不是 tongban key make 的输出", file.display())]
    Enrolment {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// A node's keys are given twice or not at all, or are another node's.
    #[error("节点 {node}: {rule}")]
    Keys {
        /// The node.
        node: NodeId,
        /// What is wrong.
        rule: KeysRule,
    },
    /// What it says breaks a rule of registries.
    #[error(transparent)]
    Rule(#[from] RegistryError),
}

/// What holds of the keys a plan gives for a node.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum KeysRule {
    /// They are the node's own.
    #[error("公钥文件属于另一节点")]
    OfAnotherNode,
    /// They are given once, in one of two ways.
    #[error("给出 enrolment, 或者同时给出 keys 和 sealing")]
    NotOnce,
}

impl KeysRule {
    const fn en(self) -> &'static str {
        match self {
            Self::OfAnotherNode => "the file of public keys is another node's",
            Self::NotOnce => "give enrolment, or both keys and sealing",
        }
    }
}

impl Coded for PlanError {
    fn code(&self) -> Code {
        match self {
            Self::File(error) => error.code(),
            Self::Malformed(_) | Self::Enrolment { .. } | Self::Keys { .. } => Code::PLAN_MALFORMED,
            Self::Rule(error) => error.code(),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::File(error) => error.exit(),
            _ => Exit::No,
        }
    }

    fn says(&self) -> Option<Said> {
        let en = match self {
            Self::File(_) => "the plan or a file of public keys cannot be read".to_owned(),
            Self::Malformed(mistake) => return Some(mistake.says()),
            Self::Enrolment { file, .. } => {
                format!("{} is not what tongban key make prints", file.display())
            }
            Self::Keys { node, rule } => format!("node {node}: {}", rule.en()),
            Self::Rule(error) => return Some(of_registry(error)),
        };
        Some(Said::new(self.to_string(), en))
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::Path;

    use tongban_trust::every_variant;

    use super::*;
    use crate::both_languages::assert_said;
    use crate::failure::Failure;
    use crate::keys::Enrolment;
    use crate::mistake::Place;

    fn not_enrolment(text: &str) -> PlanError {
        PlanError::Enrolment {
            file: "350100.json".into(),
            source: serde_json::from_str::<Enrolment>(text).unwrap_err(),
        }
    }

    #[test]
    fn why_a_plan_makes_no_registry_is_said_in_both_languages() {
        let place = Place {
            file: Path::new("plan.toml"),
            text: "expires = 1",
        };
        let malformed = place.malformed(serde::de::Error::custom("what the reader says"));
        let node: NodeId = "350100-01".parse().unwrap();
        let rules = every_variant!(KeysRule {
            KeysRule::OfAnotherNode => KeysRule::OfAnotherNode,
            KeysRule::NotOnce => KeysRule::NotOnce,
        });
        let mut errors = every_variant!(PlanError {
            PlanError::File(_) =>
                PlanError::File(FileError::at(Path::new("plan.toml"))(io::Error::other("gone"))),
            PlanError::Malformed(_) => PlanError::Malformed(malformed),
            PlanError::Enrolment { .. } => not_enrolment("[]"),
            PlanError::Keys { .. } => PlanError::Keys { node, rule: KeysRule::NotOnce },
            PlanError::Rule(_) => PlanError::Rule(RegistryError::UnknownNode { node }),
        });
        errors.extend(rules.into_iter().map(|rule| PlanError::Keys { node, rule }));
        for error in errors {
            assert_said(&error.says().unwrap());
        }
    }

    #[test]
    fn what_is_wrong_in_a_file_of_public_keys_is_told_in_both_languages() {
        let node = r#"{"node":"350100-1"}"#;
        let key = r#"{"node":"350100-01","keys":{"command":"0g"}}"#;
        for (text, zh, en) in [
            (node, "节点号不合规则", "The node id is not well formed: "),
            (key, "应为 64 个", "must be 64 lowercase"),
        ] {
            let failure = Failure::from(not_enrolment(text));
            let causes: Vec<Said> = failure.causes().collect();
            let [outer, inner] = &causes[..] else {
                panic!("{causes:?}");
            };
            assert_said(outer);
            assert_said(inner);
            assert!(inner.zh.contains(zh), "{inner:?}");
            assert!(!inner.zh.contains(" at line "), "{inner:?}");
            assert!(inner.en.starts_with(en), "{inner:?}");
        }
    }
}
