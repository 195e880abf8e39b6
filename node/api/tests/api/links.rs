//! One link, to Weinan: what the operations about links show of it.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use tongban_api::{PeerLink, PeerLinks, PeerState};
use tongban_runtime::ports::Placement;
use tongban_trust::testing::SampleFederation;
use tongban_types::{Code, NodeId};

use crate::world::{World, request};

/// Dialed in vain; of the other peer nobody wanted anything yet.
pub(crate) struct OneLink;

#[async_trait]
impl PeerLinks for OneLink {
    fn peers(&self) -> Vec<PeerLink> {
        let in_vain = PeerLink {
            node: SampleFederation::node(4),
            peer_id: "12D3KooW".to_owned(),
            state: PeerState::Waiting {
                next_dial: Duration::from_millis(1_500),
            },
            round_trip: None,
            last_error: Some((Code::PEER_UNREACHABLE, Duration::from_secs(1))),
            queue: 2,
            over_quota: 7,
            protocols: Vec::new(),
        };
        let unwanted = PeerLink {
            node: SampleFederation::node(5),
            peer_id: "12D3KooX".to_owned(),
            state: PeerState::Idle,
            round_trip: None,
            last_error: None,
            queue: 0,
            over_quota: 0,
            protocols: Vec::new(),
        };
        vec![in_vain, unwanted]
    }

    async fn ping(&self, node: NodeId) -> Result<Duration, Code> {
        if node == SampleFederation::node(4) {
            return Err(Code::PEER_TIMED_OUT);
        }
        if node == SampleFederation::node(1) {
            return Ok(Duration::from_micros(1_234));
        }
        Err(Code::PEER_NOT_ENROLLED)
    }
}

#[tokio::test]
async fn a_peer_that_cannot_be_reached_is_shown_with_its_cause_and_the_way_around_it() {
    let world = World::new();
    let reply = world.get("operator", "/api/v1/peers").await.json();
    let peer = &reply["peers"][0];
    assert_eq!(peer["node"], SampleFederation::node(4).to_string());
    assert_eq!(peer["state"], "waiting");
    assert_eq!(peer["next_dial_ms"], 1_500);
    assert_eq!(peer["last_error"]["code"], "TB6020");
    assert_eq!(
        (&peer["queue"], &peer["over_quota"]),
        (&json!(2), &json!(7))
    );
    let relays = peer["relays"].as_array().unwrap();
    assert_eq!(peer["way"] == "relayed", !relays.is_empty(), "{peer}");
    // That another hands it on is not said of a peer nobody tried to reach.
    let unwanted = &reply["peers"][1];
    assert_eq!(unwanted["state"], "idle");
    assert_eq!(unwanted["way"], "none");
    assert_eq!(unwanted["relays"], json!([]));
}

#[tokio::test]
async fn a_peer_is_reached_through_those_who_vote_in_the_group_now() {
    let world = World::new();
    let relays = async || {
        let reply = world.get("operator", "/api/v1/peers").await.json();
        reply["peers"][0]["relays"].clone()
    };
    let neighbour = SampleFederation::node(1).to_string();
    assert_eq!(relays().await, json!([neighbour]), "it is connected");
    let voters = [0, 2, 3].map(SampleFederation::node).to_vec();
    *world.node.placed.lock().unwrap() = Some(Placement {
        version: 1,
        voters,
        learners: Vec::new(),
    });
    assert_eq!(relays().await, json!([]), "an order took its vote");
}

#[tokio::test]
async fn a_round_trip_is_measured_or_the_reason_told() {
    let world = World::new();
    let ping = |node: String| format!("/api/v1/peers/{node}/ping");
    let near = world
        .get("operator", &ping(SampleFederation::node(1).to_string()))
        .await
        .json();
    assert_eq!(near["round_trip_us"], 1_234);
    for (node, status, code) in [
        (SampleFederation::node(4).to_string(), 504, "TB6021"),
        ("999999-99".to_owned(), 404, "TB6010"),
        ("nobody".to_owned(), 404, "TB6010"),
        (SampleFederation::node(0).to_string(), 404, "TB7004"),
    ] {
        let asked = request(axum::http::Method::GET, "operator", &ping(node));
        let reply = world.send(asked.body("".into()).unwrap()).await;
        reply.problem(status, code);
    }
}
