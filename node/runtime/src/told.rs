//! The order of placement this node was last told of, a group: kept among the node's own records, for
//! a node that is to join has no log of the group yet, and one that lags does not know who leads it now.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tongban_machine::Placement;
use tongban_types::{CityCode, GroupId, NodeId, PlacementOrder, Signed, decode, encode, records};

use crate::ports::{LocalLog, LocalTable, LocalWrite, LogFailed};

/// Groups that are looked up at once: every city has one.
const GROUPS_MAX: usize = 512;

/// A signed order whose signature was checked when it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What it says.
    pub placement: Placement,
    /// This node left the group: it is not among those the order names, and the group stands so.
    pub has_left: bool,
    order: Signed,
}

/// The same as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ToldRecord {
    order: Signed,
    has_left: bool,
}

records! {
    ToldRecord = 520 v 1 "order of placement told";
}

impl Told {
    pub(crate) fn new(signed: &Signed, order: &PlacementOrder) -> Self {
        Self {
            placement: Placement {
                version: order.version,
                voters: order.voters.clone(),
                learners: order.learners.clone(),
            },
            has_left: false,
            order: signed.clone(),
        }
    }

    /// What this node was told of a group.
    pub fn read(local: &dyn LocalLog, group: GroupId) -> Option<Self> {
        Self::parse(&local.get(LocalTable::Placed, &key(group))?)
    }

    fn parse(value: &[u8]) -> Option<Self> {
        let record: ToldRecord = decode(value).ok()?;
        let told = Self::new(&record.order, &decode(&record.order.bytes).ok()?);
        Some(Self {
            has_left: record.has_left,
            ..told
        })
    }

    pub(crate) async fn write(
        &self,
        local: &dyn LocalLog,
        group: GroupId,
    ) -> Result<(), LogFailed> {
        let record = ToldRecord {
            order: self.order.clone(),
            has_left: self.has_left,
        };
        let write = LocalWrite {
            table: LocalTable::Placed,
            key: key(group),
            value: Some(encode(&record)),
        };
        local.write(vec![write]).await
    }

    /// The order as it was signed.
    pub(crate) fn order(&self) -> &Signed {
        &self.order
    }

    /// Whether it is the same order. Of one version there may be several: governance signs anew what it
    /// takes for lost.
    pub(crate) fn is(&self, order: &Signed) -> bool {
        self.order.bytes == order.bytes
    }

    /// What is kept once this is told to one who knew the other; `None` if that says as much. Of two
    /// orders of one version the later told counts: only an order in force is told, and whoever told
    /// the other was not honest or lost it in a fork.
    pub(crate) fn in_place_of(self, known: Option<&Self>) -> Option<Self> {
        let Some(known) = known else {
            return Some(self);
        };
        if self.placement.version < known.placement.version || known.is(&self.order) {
            return None;
        }
        Some(self)
    }

    /// Whether a node is to keep a replica by this order.
    pub fn names(&self, node: NodeId) -> bool {
        let placement = &self.placement;
        placement.voters.contains(&node) || placement.learners.contains(&node)
    }

    /// Everybody it names.
    pub fn replicas(&self) -> BTreeSet<NodeId> {
        self.placement.replicas()
    }
}

/// All groups this node was told of.
pub fn groups_told(local: &dyn LocalLog) -> Vec<(GroupId, Told)> {
    let all = local.scan(LocalTable::Placed, &[], GROUPS_MAX);
    let read = |(key, value): (Vec<u8>, Vec<u8>)| {
        let number = u32::from_be_bytes(key.try_into().ok()?);
        let group = GroupId(CityCode::new(number).ok()?);
        Some((group, Told::parse(&value)?))
    };
    all.into_iter().filter_map(read).collect()
}

fn key(group: GroupId) -> Vec<u8> {
    group.city().number().to_be_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tongban_trust::SigningKey;
    use tongban_types::Purpose;

    fn node(number: u8) -> NodeId {
        NodeId::new("350100".parse().unwrap(), number).unwrap()
    }

    fn told(version: u64, voters: [u8; 3]) -> Told {
        let order = PlacementOrder {
            group: GroupId("350100".parse().unwrap()),
            version,
            voters: voters.map(node).to_vec(),
            learners: Vec::new(),
            reason: "演练".to_owned(),
        };
        let key = SigningKey::from_seed(&[7; 32]);
        Told::new(&key.sign(Purpose::PlacementOrder, encode(&order)), &order)
    }

    #[test]
    fn a_later_order_takes_the_place_of_an_earlier_one_and_never_the_other_way() {
        let (first, second) = (told(1, [1, 2, 3]), told(2, [1, 2, 4]));
        assert_eq!(
            second.clone().in_place_of(Some(&first)),
            Some(second.clone())
        );
        assert_eq!(first.clone().in_place_of(Some(&second)), None);
        assert_eq!(first.clone().in_place_of(None), Some(first));
    }

    #[test]
    fn two_orders_of_one_version_are_two_orders() {
        let (lost, in_force) = (told(1, [1, 2, 3]), told(1, [1, 2, 4]));
        assert!(!lost.is(in_force.order()));
        assert_eq!(in_force.clone().in_place_of(Some(&lost)), Some(in_force));
    }

    #[test]
    fn the_same_order_told_again_brings_nobody_back_who_left() {
        let mut left = told(1, [1, 2, 3]);
        left.has_left = true;
        assert_eq!(told(1, [1, 2, 3]).in_place_of(Some(&left)), None);
    }
}
