//! How a group looks in JSON.

use std::collections::BTreeSet;

use serde::Serialize;
use tongban_runtime::GroupReport;
use tongban_runtime::ports::{Members, Placement};
use tongban_types::NodeId;
use utoipa::ToSchema;

use crate::openapi::{CityKind, NodeIdKind};
use crate::problem::Problem;
use crate::state::ApiState;

#[derive(Serialize, ToSchema)]
#[schema(as = Group)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each answers a question of its own"
)]
pub(crate) struct GroupView {
    /// Named by its city.
    #[schema(value_type = CityKind)]
    group: String,
    city_name: String,
    /// Voters that may still be lost before it stops deciding; 0 where it is not known to decide. A node that does not
    /// lead it goes by its own links.
    can_lose: usize,
    has_quorum: bool,
    #[schema(value_type = Option<NodeIdKind>)]
    leader: Option<String>,
    term: u64,
    last_index: u64,
    applied_index: u64,
    /// The order in force; version 0 is where it began.
    placement: PlacementView,
    /// Whether its members are those of the order in force.
    stands: bool,
    members: MembersView,
    /// On its leader: how far each other replica is.
    replicas: Vec<ReplicaView>,
    stopped: bool,
    /// Stopped because no majority of the voters holds its state.
    diverged: bool,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Placement)]
struct PlacementView {
    version: u64,
    #[schema(value_type = Vec<NodeIdKind>)]
    voters: Vec<String>,
    #[schema(value_type = Vec<NodeIdKind>)]
    learners: Vec<String>,
}

/// The members a group has by its log.
#[derive(Serialize, ToSchema)]
#[schema(as = Members)]
pub(crate) struct MembersView {
    /// One set of voters, or two while they change: then each needs a majority.
    #[schema(value_type = Vec<Vec<NodeIdKind>>)]
    voter_sets: Vec<Vec<String>>,
    #[schema(value_type = Vec<NodeIdKind>)]
    learners: Vec<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ReplicaProgress)]
struct ReplicaView {
    #[schema(value_type = NodeIdKind)]
    node: String,
    /// It answered its leader lately.
    is_heard: bool,
    /// Entries it lacks.
    lacks: u64,
}

impl GroupView {
    pub(super) fn of(api: &ApiState, report: &GroupReport) -> Result<Self, Problem> {
        let placement = api.node.groups().placement(report.group)?;
        let registry = api.node.registry();
        let city = registry.iter().flat_map(|registry| registry.cities());
        let mut named = city.filter(|(code, _)| *code == report.group.city());
        let city_name = named
            .next()
            .map_or_else(String::new, |(_, city)| city.name.clone());
        let status = &report.status;
        Ok(Self {
            group: report.group.to_string(),
            city_name,
            can_lose: report.can_lose,
            has_quorum: report.has_quorum,
            leader: status.leader.map(|leader| leader.to_string()),
            term: status.term,
            last_index: status.last_index,
            applied_index: status.applied_index,
            stands: placement.version == 0 || placement.is_reached(&status.members),
            placement: PlacementView::of(&placement),
            members: MembersView::of(&status.members),
            replicas: status
                .progress
                .iter()
                .map(|replica| ReplicaView {
                    node: replica.node.to_string(),
                    is_heard: replica.is_heard,
                    lacks: status.last_index.saturating_sub(replica.matching),
                })
                .collect(),
            stopped: status.stopped,
            diverged: report.diverged,
        })
    }
}

impl PlacementView {
    fn of(placement: &Placement) -> Self {
        Self {
            version: placement.version,
            voters: names(&placement.voters),
            learners: names(&placement.learners),
        }
    }
}

impl MembersView {
    pub(super) fn of(members: &Members) -> Self {
        let voters: BTreeSet<&NodeId> = members.voter_sets.iter().flatten().collect();
        let learners = members
            .replicas
            .iter()
            .filter(|node| !voters.contains(node));
        Self {
            voter_sets: members.voter_sets.iter().map(names).collect(),
            learners: names(learners),
        }
    }
}

pub(super) fn names<'a>(nodes: impl IntoIterator<Item = &'a NodeId>) -> Vec<String> {
    nodes.into_iter().map(ToString::to_string).collect()
}
