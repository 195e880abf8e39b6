//! The rules a registry keeps, in Chinese; in English they say themselves.

use tongban_trust::{CityRule, NodeRule, WholeRule};

pub(super) const fn of_whole(rule: WholeRule) -> &'static str {
    match rule {
        WholeRule::Version => "名册的版本号应为 1 至 2^53-1",
        WholeRule::Expiry => "名册的到期时间应为整秒, 年份四位",
        WholeRule::Cities => "名册应有 1 至 400 个城市",
        WholeRule::GovernanceKeys => "名册应有 1 至 15 把治理密钥",
    }
}

pub(super) const fn of_city(rule: CityRule) -> &'static str {
    match rule {
        CityRule::Name => "名称应有 1 至 32 个可见字符",
        CityRule::Issuer => "签发方应为 https 网址, 按规定的写法",
        CityRule::Divisions => "应负责 1 至 64 个区划前缀",
        CityRule::DivisionPrefix => "区划前缀应为 2, 4 或 6 位数字",
        CityRule::Nodes => "最多有 99 个节点",
        CityRule::VoterCount => "审批组应有 3 或 5 个投票成员",
        CityRule::VoterOrder => "投票成员应互不相同, 按顺序排列",
        CityRule::VoterKey => "投票成员应是有投票密钥的节点, 在首版名册中密钥应在用",
        CityRule::NameShared => "与另一城市同名",
        CityRule::IssuerShared => "与另一城市的签发网址相同",
        CityRule::DivisionShared => "有区划前缀出现两次",
    }
}

pub(super) const fn of_node(rule: NodeRule) -> &'static str {
    match rule {
        NodeRule::City => "列在另一城市之下",
        NodeRule::Addresses => "应有 1 至 8 个地址",
        NodeRule::Address => "地址应写成 host:port",
        NodeRule::Keys => "应有 1 至 64 把密钥",
        NodeRule::KeyRole => "节点不应有这种用途的密钥",
        NodeRule::KeyTimes => "密钥的起止时间应为整秒, 年份四位",
        NodeRule::KeyTimeOrder => "密钥的止期应晚于起期",
    }
}

#[cfg(test)]
mod tests {
    use tongban_api::Said;
    use tongban_trust::every_variant;

    use super::*;
    use crate::both_languages::assert_said;

    #[test]
    fn every_rule_of_a_registry_is_said_in_both_languages() {
        let whole = every_variant!(WholeRule {
            WholeRule::Version => WholeRule::Version,
            WholeRule::Expiry => WholeRule::Expiry,
            WholeRule::Cities => WholeRule::Cities,
            WholeRule::GovernanceKeys => WholeRule::GovernanceKeys,
        });
        let city = every_variant!(CityRule {
            CityRule::Name => CityRule::Name,
            CityRule::Issuer => CityRule::Issuer,
            CityRule::Divisions => CityRule::Divisions,
            CityRule::DivisionPrefix => CityRule::DivisionPrefix,
            CityRule::Nodes => CityRule::Nodes,
            CityRule::VoterCount => CityRule::VoterCount,
            CityRule::VoterOrder => CityRule::VoterOrder,
            CityRule::VoterKey => CityRule::VoterKey,
            CityRule::NameShared => CityRule::NameShared,
            CityRule::IssuerShared => CityRule::IssuerShared,
            CityRule::DivisionShared => CityRule::DivisionShared,
        });
        let node = every_variant!(NodeRule {
            NodeRule::City => NodeRule::City,
            NodeRule::Addresses => NodeRule::Addresses,
            NodeRule::Address => NodeRule::Address,
            NodeRule::Keys => NodeRule::Keys,
            NodeRule::KeyRole => NodeRule::KeyRole,
            NodeRule::KeyTimes => NodeRule::KeyTimes,
            NodeRule::KeyTimeOrder => NodeRule::KeyTimeOrder,
        });
        for rule in whole {
            assert_said(&Said::new(of_whole(rule), rule.to_string()));
        }
        for rule in city {
            assert_said(&Said::new(of_city(rule), rule.to_string()));
        }
        for rule in node {
            assert_said(&Said::new(of_node(rule), rule.to_string()));
        }
    }
}
