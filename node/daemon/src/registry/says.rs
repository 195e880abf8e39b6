//! Why a registry is refused, and what caused that, in both languages. The English is what these errors say
//! of themselves; identifiers stay as they are.

mod rules;

use std::error::Error;

use tongban_api::Said;
use tongban_trust::{GovernanceOf, Holder, RegistryError, ShapeError, TrustError};

use crate::instant::beijing;
use rules::{of_city, of_node, of_whole};

/// What an error of this family says, less its cause; nothing of another family's.
pub(crate) fn of(error: &(dyn Error + 'static)) -> Option<Said> {
    let shape = || error.downcast_ref::<ShapeError>().map(Said::of_shape);
    let trust = || error.downcast_ref::<TrustError>().map(of_trust);
    let registry = error.downcast_ref::<RegistryError>().map(of_registry);
    registry.or_else(shape).or_else(trust)
}

/// Why a registry is refused, without what caused it.
pub(super) fn of_registry(error: &RegistryError) -> Said {
    let zh = match error {
        RegistryError::Json(_) => "名册文件不是严格的 JSON".to_owned(),
        RegistryError::Shape(_) => "名册文件的格式不对".to_owned(),
        RegistryError::KeyRefused { holder, .. } => format!("{}不可登记", key_of(*holder)),
        RegistryError::KeyTwice { holder } => format!("{}在名册中出现两次", key_of(*holder)),
        RegistryError::UnknownCity { city } => format!("名册没有城市 {city}"),
        RegistryError::UnknownNode { node } => format!("名册没有节点 {node}"),
        RegistryError::City { city, rule } => format!("城市 {city}: {}", of_city(*rule)),
        RegistryError::Node { node, rule } => format!("节点 {node}: {}", of_node(*rule)),
        RegistryError::ActiveKeys { node, role, found } => {
            format!("节点 {node} 有 {found} 把在用的 {role} 密钥")
        }
        RegistryError::Whole { rule } => of_whole(*rule).to_owned(),
        RegistryError::Threshold {
            keys,
            expected,
            found,
        } => format!("写明的所需签名数是 {found}, {keys} 把治理密钥应为 {expected}"),
        RegistryError::SignatureTwice { key } => format!("治理密钥 {key} 签名两次"),
        RegistryError::SignatureInvalid { key } => format!("治理密钥 {key} 的签名不成立"),
        RegistryError::Undersigned {
            whose,
            needed,
            found,
        } => format!(
            "{}的治理密钥有 {found} 把签了名, 需要 {needed} 把",
            registry_of(*whose)
        ),
        RegistryError::NotPinned { pinned, found } => {
            format!("治理密钥的哈希是 {found}, 预置的是 {pinned}")
        }
        RegistryError::RolledBack { current, found } => {
            format!("这份名册是第 {found} 版, 已持有第 {current} 版")
        }
        RegistryError::Forked { version } => format!("另一份内容不同的名册也是第 {version} 版"),
        RegistryError::Skipped { expected, found } => {
            format!("这份名册是第 {found} 版, 下一版应是第 {expected} 版")
        }
        RegistryError::AlreadyHeld { version } => format!("已持有名册第 {version} 版"),
        RegistryError::KeyDropped { key } => {
            format!("签发密钥 {key} 被删去: 旧密钥要保留, 标为停用")
        }
        RegistryError::KeyMoved { key } => format!("密钥 {key} 的持有者或用途与此前不同"),
        RegistryError::KeyRevived { key } => format!("密钥 {key} 已停用, 又成了在用"),
        RegistryError::VotersChanged { city } => format!("城市 {city} 的投票成员与此前不同"),
    };
    Said::new(zh, error.to_string())
}

/// Why a key or a signature is not believed, without what caused it.
fn of_trust(error: &TrustError) -> Said {
    let zh = match error {
        TrustError::KeyNotAPoint { key } => format!("公钥 {key} 不是曲线上的点"),
        TrustError::KeyNotCanonical { key } => format!("公钥 {key} 不是规范的编码"),
        TrustError::KeyWeak { key } => format!("公钥 {key} 是弱密钥: 低阶点"),
        TrustError::KeyMixedOrder { key } => format!("公钥 {key} 含有挠分量"),
        TrustError::SealingKeyRefused { .. } => "加密公钥不是规范的编码, 或是低阶点".to_owned(),
        TrustError::SignatureInvalid { signer } => format!("{signer} 的签名不成立"),
        TrustError::SignedRecordMalformed { signer, .. } => {
            format!("{signer} 签署的不是应有的记录")
        }
        TrustError::PathMalformed => "默克尔路径与序号和批次的大小不符".to_owned(),
        TrustError::UnknownGroup { group } => format!("名册没有审批组 {group}"),
        TrustError::NotAVoter { node, group } => format!("{node} 不是审批组 {group} 的投票成员"),
        TrustError::VoterRepeated { node } => format!("{node} 在一份证明中签名两次"),
        TrustError::NoMajority {
            group,
            needed,
            found,
        } => format!("审批组 {group} 有 {found} 个投票成员签名, 需要 {needed} 个"),
        TrustError::KeyOutOfTime { node, at } => {
            let at = beijing(*at);
            return Said::new(
                format!("{node} 的投票密钥在 {at} 不可签名"),
                format!("the voter key of {node} may not sign at {at}"),
            );
        }
    };
    Said::new(zh, error.to_string())
}

/// A key by whoever holds it.
fn key_of(holder: Holder) -> String {
    match holder {
        Holder::Governance(city) => format!("城市 {city} 的治理密钥"),
        Holder::Node(node) => format!("节点 {node} 的公钥"),
    }
}

const fn registry_of(whose: GovernanceOf) -> &'static str {
    match whose {
        GovernanceOf::Current => "现行名册",
        GovernanceOf::New => "新名册",
    }
}

#[cfg(test)]
mod tests {
    use tongban_trust::testing::SampleFederation;
    use tongban_trust::{
        CityRule, JsonError, JsonFault, KeyId, NodeRule, ShapeProblem, SigningKey, WholeRule,
        every_variant,
    };
    use tongban_types::{
        CityCode, DecodeError, GroupId, Hash, KeyRole, NodeId, PublicKey, SealingPublicKey,
        Timestamp,
    };

    use super::*;
    use crate::both_languages::assert_said;
    use crate::failure::Failure;

    fn city() -> CityCode {
        SampleFederation::city(0)
    }

    fn node() -> NodeId {
        SampleFederation::node(0)
    }

    fn key() -> PublicKey {
        SigningKey::from_seed(&[1; 32]).public()
    }

    #[test]
    fn every_refusal_of_a_registry_is_said_in_both_languages() {
        let (city, node, key, id) = (city(), node(), key(), KeyId::of(key()));
        let (role, holder) = (KeyRole::Voter, Holder::Node(node));
        let errors = every_variant!(RegistryError {
            RegistryError::Json(_) => RegistryError::Json(JsonError {
                offset: 0,
                fault: JsonFault::NotUtf8,
            }),
            RegistryError::Shape(_) =>
                RegistryError::Shape(ShapeError::new("file", ShapeProblem::Missing)),
            RegistryError::KeyRefused { .. } => RegistryError::KeyRefused {
                holder,
                source: TrustError::KeyWeak { key },
            },
            RegistryError::KeyTwice { .. } => RegistryError::KeyTwice { holder },
            RegistryError::UnknownCity { .. } => RegistryError::UnknownCity { city },
            RegistryError::UnknownNode { .. } => RegistryError::UnknownNode { node },
            RegistryError::City { .. } => RegistryError::City { city, rule: CityRule::Name },
            RegistryError::Node { .. } => RegistryError::Node { node, rule: NodeRule::Keys },
            RegistryError::ActiveKeys { .. } => RegistryError::ActiveKeys { node, role, found: 2 },
            RegistryError::Whole { .. } => RegistryError::Whole { rule: WholeRule::Version },
            RegistryError::Threshold { .. } =>
                RegistryError::Threshold { keys: 6, expected: 5, found: 4 },
            RegistryError::SignatureTwice { .. } => RegistryError::SignatureTwice { key: id },
            RegistryError::SignatureInvalid { .. } => RegistryError::SignatureInvalid { key: id },
            RegistryError::Undersigned { .. } => RegistryError::Undersigned {
                whose: GovernanceOf::Current,
                needed: 5,
                found: 4,
            },
            RegistryError::NotPinned { .. } =>
                RegistryError::NotPinned { pinned: Hash([1; 32]), found: Hash([2; 32]) },
            RegistryError::RolledBack { .. } => RegistryError::RolledBack { current: 3, found: 2 },
            RegistryError::Forked { .. } => RegistryError::Forked { version: 3 },
            RegistryError::Skipped { .. } => RegistryError::Skipped { expected: 3, found: 4 },
            RegistryError::AlreadyHeld { .. } => RegistryError::AlreadyHeld { version: 3 },
            RegistryError::KeyDropped { .. } => RegistryError::KeyDropped { key },
            RegistryError::KeyMoved { .. } => RegistryError::KeyMoved { key },
            RegistryError::KeyRevived { .. } => RegistryError::KeyRevived { key },
            RegistryError::VotersChanged { .. } => RegistryError::VotersChanged { city },
        });
        for error in errors {
            assert_said(&of_registry(&error));
        }
        for whose in [GovernanceOf::Current, GovernanceOf::New] {
            let (needed, found) = (5, 4);
            assert_said(&of_registry(&RegistryError::Undersigned {
                whose,
                needed,
                found,
            }));
        }
        for holder in [Holder::Governance(city), Holder::Node(node)] {
            assert_said(&of_registry(&RegistryError::KeyTwice { holder }));
        }
    }

    #[test]
    fn whatever_is_not_believed_of_keys_and_signatures_is_said_in_both_languages() {
        let (node, key, signer, group) = (node(), key(), key(), GroupId(city()));
        let source = DecodeError::Body { name: "Receipt" };
        let errors = every_variant!(TrustError {
            TrustError::KeyNotAPoint { .. } => TrustError::KeyNotAPoint { key },
            TrustError::KeyNotCanonical { .. } => TrustError::KeyNotCanonical { key },
            TrustError::KeyWeak { .. } => TrustError::KeyWeak { key },
            TrustError::KeyMixedOrder { .. } => TrustError::KeyMixedOrder { key },
            TrustError::SealingKeyRefused { .. } =>
                TrustError::SealingKeyRefused { key: SealingPublicKey([0; 32]) },
            TrustError::SignatureInvalid { .. } => TrustError::SignatureInvalid { signer },
            TrustError::SignedRecordMalformed { .. } =>
                TrustError::SignedRecordMalformed { signer, source },
            TrustError::PathMalformed => TrustError::PathMalformed,
            TrustError::UnknownGroup { .. } => TrustError::UnknownGroup { group },
            TrustError::NotAVoter { .. } => TrustError::NotAVoter { node, group },
            TrustError::VoterRepeated { .. } => TrustError::VoterRepeated { node },
            TrustError::NoMajority { .. } => TrustError::NoMajority { group, needed: 2, found: 1 },
            TrustError::KeyOutOfTime { .. } =>
                TrustError::KeyOutOfTime { node, at: Timestamp::from_unix_ms(0) },
        });
        for error in errors {
            assert_said(&of_trust(&error));
        }
    }

    #[test]
    fn what_caused_a_refusal_is_said_in_both_languages_too() {
        let behind = |error: RegistryError| {
            let failure = Failure::from(error);
            failure.causes().skip(1).collect::<Vec<Said>>()
        };
        let shape = ShapeError::new("signed.expires", ShapeProblem::Missing);
        let told = Said::new("signed.expires: 缺少", "signed.expires: is missing");
        assert_eq!(behind(RegistryError::Shape(shape)), [told]);
        let fault = JsonFault::NotUtf8;
        let error = JsonError { offset: 3, fault };
        let told = Said::of_strict_json(&error);
        assert_said(&told);
        assert_eq!(behind(RegistryError::Json(error)), [told]);
        let (holder, key) = (Holder::Node(node()), key());
        let source = TrustError::KeyWeak { key };
        let told = of_trust(&source);
        let refused = RegistryError::KeyRefused { holder, source };
        assert_eq!(behind(refused), [told]);
    }

    #[test]
    fn a_refusal_behind_another_error_is_said_in_both_languages_too() {
        let error = RegistryError::Forked { version: 3 };
        let told = of_registry(&error);
        let failure = Failure::from(anyhow::Error::new(error).context("a proof"));
        let causes: Vec<Said> = failure.causes().collect();
        assert_eq!(causes, [Said::alike("a proof"), told]);
    }
}
