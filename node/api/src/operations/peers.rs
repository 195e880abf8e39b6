//! `GET /api/v1/peers`: every enrolled peer, whether it is connected, by what and since when, and what
//! went wrong last.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::Serialize;
use tongban_types::{Code, GroupId, NodeId, Timestamp};
use utoipa::ToSchema;

use super::federation::no_registry;
use crate::authorization::Operation;
use crate::links::{PeerLink, PeerState};
use crate::openapi::{CityKind, CodeKind, Moment, NoRegistryProblem, NodeIdKind, tag};
use crate::problem::Answer;
use crate::rendering::{china_time, json};
use crate::request::Call;
use crate::state::Shared;

#[derive(Serialize, ToSchema)]
#[schema(as = Peers)]
pub(crate) struct PeersView {
    schema: &'static str,
    #[schema(value_type = NodeIdKind)]
    this_node: String,
    peers: Vec<PeerView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Peer)]
pub(crate) struct PeerView {
    #[schema(value_type = CityKind)]
    city: String,
    city_name: String,
    #[schema(value_type = NodeIdKind)]
    node: String,
    /// The libp2p name of its transport key.
    peer_id: String,
    /// `connected`, `dialing`, `waiting` to dial again, or `idle`: nobody wanted it yet.
    state: &'static str,
    /// `quic` or `tcp`, while connected.
    carrier: Option<&'static str>,
    #[schema(value_type = Option<Moment>)]
    since: Option<String>,
    next_dial_ms: Option<u64>,
    round_trip_us: Option<u64>,
    last_error: Option<PeerErrorView>,
    /// `direct` while connected; `relayed` where it is wanted, cannot be reached, and fellow voters are in touch
    /// that may hand its packets on; otherwise `none`.
    way: &'static str,
    /// Fellow voters in touch that are asked to hand its packets on while it cannot be reached. Whether they reach
    /// it themselves is not known before.
    #[schema(value_type = Vec<NodeIdKind>)]
    relays: Vec<String>,
    /// Requests to it that wait or are under way.
    queue: usize,
    /// Its requests refused here since the start because it asked for more than its share.
    over_quota: u64,
    /// Protocols a connection with it speaks, with their versions.
    protocols: Vec<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = PeerError)]
struct PeerErrorView {
    #[schema(value_type = CodeKind)]
    code: String,
    #[schema(value_type = Moment)]
    at: String,
    zh: &'static str,
    en: &'static str,
    /// What to do next.
    cure_zh: &'static str,
    cure_en: &'static str,
}

/// 对端 · Every enrolled peer and how the link to it stands.
#[utoipa::path(
    get, path = "/api/v1/peers", operation_id = "listPeers", tag = tag::NODE,
    responses((status = 200, description = "对端 · The peers", body = PeersView), NoRegistryProblem),
    security(("token" = [])),
)]
pub(crate) async fn list(State(api): State<Shared>, request: Request) -> Answer {
    let call = Call::open(&api, request, Operation::ReadPeers)?;
    call.query(&[])?;
    let registry = api.node.registry().ok_or_else(no_registry)?;
    let now = api.clock.now();
    let connected = api.node.connected();
    let own = GroupId(api.node.city());
    // While the order in force cannot be read: whom the group began with.
    let placed = api.node.groups().placement(own);
    let fellows = placed.map_or_else(|_| registry.voters(own).to_vec(), |placed| placed.voters);
    let relays: Vec<NodeId> = fellows
        .into_iter()
        .filter(|node| connected.contains(node))
        .collect();
    let peers = api.links.peers().into_iter().map(|link| {
        let city = registry
            .cities()
            .find(|(code, _)| *code == link.node.city());
        let name = city.map_or_else(String::new, |(_, city)| city.name.clone());
        PeerView::of(link, name, now).by(&relays)
    });
    let view = PeersView {
        schema: "tongban.peers/v1",
        this_node: api.node.node().to_string(),
        peers: peers.collect(),
    };
    Ok(json(StatusCode::OK, &view))
}

impl PeerView {
    fn of(link: PeerLink, city_name: String, now: Timestamp) -> Self {
        let ago = |time: std::time::Duration| {
            let ms = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
            china_time(now.plus_ms(ms.saturating_neg()))
        };
        let (state, carrier, since, next_dial) = match link.state {
            PeerState::Connected { carrier, since } => {
                ("connected", Some(carrier), Some(ago(since)), None)
            }
            PeerState::Dialing => ("dialing", None, None, None),
            PeerState::Waiting { next_dial } => ("waiting", None, None, Some(next_dial)),
            PeerState::Idle => ("idle", None, None, None),
        };
        let whole = |number: u128| u64::try_from(number).unwrap_or(u64::MAX);
        Self {
            city: link.node.city().to_string(),
            city_name,
            node: link.node.to_string(),
            peer_id: link.peer_id,
            state,
            carrier,
            since,
            next_dial_ms: next_dial.map(|next| whole(next.as_millis())),
            round_trip_us: link.round_trip.map(|time| whole(time.as_micros())),
            last_error: link
                .last_error
                .map(|(code, time)| PeerErrorView::of(code, ago(time))),
            way: if carrier.is_some() { "direct" } else { "none" },
            relays: Vec::new(),
            queue: link.queue,
            over_quota: link.over_quota,
            protocols: link.protocols,
        }
    }

    /// With the fellow voters that are asked to hand on what cannot be brought to it directly. Of one nobody wanted
    /// anything of, it is not known that they are needed.
    fn by(mut self, fellows: &[NodeId]) -> Self {
        if self.way == "none" && self.state != "idle" {
            let others = fellows.iter().map(ToString::to_string);
            self.relays = others.filter(|node| *node != self.node).collect();
            if !self.relays.is_empty() {
                self.way = "relayed";
            }
        }
        self
    }
}

impl PeerErrorView {
    fn of(code: Code, at: String) -> Self {
        let entry = code.entry();
        Self {
            code: code.to_string(),
            at,
            zh: entry.map_or("", |entry| entry.zh),
            en: entry.map_or("", |entry| entry.en),
            cure_zh: entry.map_or("", |entry| entry.cure_zh),
            cure_en: entry.map_or("", |entry| entry.cure_en),
        }
    }
}
