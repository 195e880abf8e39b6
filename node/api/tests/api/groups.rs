//! Groups over HTTP: what is shown, what is handed in, and what is refused before the node is asked.

use axum::http::Method;
use serde_json::{Value, json};
use tongban_runtime::NodeError;
use tongban_runtime::ports::HandOverError;
use tongban_trust::testing::SampleFederation;
use tongban_trust::{PlacementFile, SigningKey};
use tongban_types::{GroupId, PlacementOrder};

use crate::node::Asked;
use crate::world::{Reply, World, request};

fn order() -> PlacementFile {
    PlacementFile::new(PlacementOrder {
        group: GroupId(SampleFederation::city(0)),
        version: 1,
        voters: [0, 1, 4].map(SampleFederation::node).to_vec(),
        learners: Vec::new(),
        reason: "换机".to_owned(),
    })
}

fn signed() -> PlacementFile {
    let mut order = order();
    order.sign(&SigningKey::from_seed(&[3; 32]));
    order
}

async fn post(world: &World, what: &str, body: String) -> Reply {
    let address = format!("/api/v1/groups/{}/{what}", SampleFederation::city(0));
    let asked =
        request(Method::POST, "operator", &address).header("content-type", "application/json");
    world.send(asked.body(body.into()).unwrap()).await
}

#[tokio::test]
async fn groups_are_listed_with_the_order_in_force_their_own_citys_first() {
    let world = World::new();
    let reply = world.get("operator", "/api/v1/groups").await.json();
    let groups = reply["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 2);
    let own = SampleFederation::city(0).to_string();
    assert_eq!(groups[0]["group"], own);
    assert_eq!(groups[0]["placement"]["version"], 0);
    assert_eq!(groups[0]["stands"], true);
    let one = world
        .get("operator", &format!("/api/v1/groups/{own}"))
        .await
        .json();
    assert_eq!(&one, &groups[0]);
}

#[tokio::test]
async fn a_group_kept_elsewhere_is_not_shown() {
    let world = World::new();
    let asked = request(Method::GET, "operator", "/api/v1/groups/440100");
    let reply = world.send(asked.body("".into()).unwrap()).await;
    reply.problem(404, "TB4008");
}

#[tokio::test]
async fn a_plan_says_what_tolerance_an_order_costs_and_changes_nothing() {
    let world = World::new();
    let reply = post(&world, "plan", order().encode_indented()).await.json();
    assert_eq!(reply["tolerates_now"], 1);
    assert_eq!(reply["tolerates_meanwhile"], 0);
    let newcomer = json!([SampleFederation::node(4).to_string()]);
    assert_eq!(
        (&reply["comes_in"], &reply["waits_for"]),
        (&newcomer, &newcomer)
    );
    assert!(world.node.take_asked().is_empty());
}

#[tokio::test]
async fn a_signed_order_reaches_the_node_as_it_was_signed() {
    let world = World::new();
    let reply = post(&world, "placement", signed().encode_indented()).await;
    assert_eq!(reply.status, 202);
    let asked = world.node.take_asked();
    let [Asked::Place(order)] = &asked[..] else {
        panic!("{asked:?}");
    };
    assert_eq!(Some(order), signed().signed().as_ref());
}

#[tokio::test]
async fn an_order_unsigned_malformed_or_of_another_group_never_reaches_the_node() {
    let world = World::new();
    let reply = post(&world, "placement", order().encode_indented()).await;
    reply.problem(422, "TB2031");
    let other = signed().encode_indented();
    let own = format!("\"{}\"", SampleFederation::city(0));
    let other = other.replace(&own, &format!("\"{}\"", SampleFederation::city(1)));
    let reply = post(&world, "placement", other).await;
    reply.problem(422, "TB2030");
    let mut short: Value = serde_json::from_str(&signed().encode_indented()).unwrap();
    short.as_object_mut().unwrap().remove("voters");
    let reply = post(&world, "placement", short.to_string()).await;
    let problem = reply.problem(422, "TB2030");
    assert!(problem["detail"].as_str().unwrap().contains("order.voters"));
    assert_eq!(problem["detail"], "部署令不合规则 (order.voters: 缺少)");
    let english = "The order is not well formed (order.voters: is missing).";
    assert_eq!(problem["detail_en"], english);
    assert!(world.node.take_asked().is_empty());
}

#[tokio::test]
async fn the_lead_is_handed_over_or_the_reason_told() {
    let world = World::new();
    let body = json!({"to": SampleFederation::node(1).to_string()}).to_string();
    assert_eq!(post(&world, "lead", body.clone()).await.status, 202);
    let asked = world.node.take_asked();
    let [Asked::HandOver(group, to)] = asked[..] else {
        panic!("{asked:?}");
    };
    let own = GroupId(SampleFederation::city(0));
    assert_eq!((group, to), (own, SampleFederation::node(1)));
    let leader = Some(SampleFederation::node(2));
    world
        .node
        .refuse(NodeError::HandOver(HandOverError::NotLeader { leader }));
    let reply = post(&world, "lead", body.clone()).await;
    let problem = reply.problem(409, "TB4016");
    let leader = SampleFederation::node(2).to_string();
    assert!(problem["detail"].as_str().unwrap().contains(&leader));
    let to = SampleFederation::node(1);
    let drained = NodeError::HandOver(HandOverError::Drained { to });
    world.node.refuse(drained);
    let problem = post(&world, "lead", body).await.problem(409, "TB4017");
    assert_eq!(problem["detail"], format!("{to} 正在停用维护"));
    let english = format!("{to} is being drained for maintenance.");
    assert_eq!(problem["detail_en"], english);
    let reply = post(&world, "lead", json!({"to": "nobody"}).to_string()).await;
    reply.problem(422, "TB7009");
}

#[tokio::test]
async fn a_drained_node_says_what_speaks_against_a_stop_and_is_not_ready() {
    let world = World::new();
    let send = async |method: Method, address: &str| {
        let asked = request(method, "operator", address)
            .body("".into())
            .unwrap();
        world.send(asked).await
    };
    let before = send(Method::GET, "/api/v1/node/drain").await.json();
    assert_eq!(before["hindrances"][0]["kind"], "not-draining");
    let drained = send(Method::POST, "/api/v1/node/drain").await.json();
    assert_eq!(drained["draining"], true);
    assert_eq!(drained["safe_to_stop"], false);
    assert_eq!(drained["hindrances"][0]["kind"], "leads");
    assert_eq!(send(Method::GET, "/readyz").await.status, 503);
    let back = send(Method::POST, "/api/v1/node/resume").await.json();
    assert_eq!(back["draining"], false);
    assert_eq!(send(Method::GET, "/readyz").await.status, 200);
}
