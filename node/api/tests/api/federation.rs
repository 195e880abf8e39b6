//! What the cities agreed on and any of them may read: items, registry, who is connected, agreements.

use crate::world::World;

#[tokio::test]
async fn items_are_listed_and_given_byte_for_byte() {
    let world = World::new();
    let list = world.get("clerk", "/api/v1/items").await.json();
    let item = &list["items"][0];
    assert_eq!(item["name"]["zh"], "户口迁移（夫妻投靠）");
    let reply = world.get("clerk", "/api/v1/items/000109900001/1").await;
    let sha256 = tongban_types::sha256(&reply.body).to_string();
    assert_eq!(item["file_sha256"], sha256);
    assert_eq!(reply.header("etag"), format!("\"{sha256}\""));
    assert_eq!(reply.json()["form"]["x-authority"], "/move_in/division");
    for missing in ["000109900001/2", "000109900009/1", "000109900001/x"] {
        let address = format!("/api/v1/items/{missing}");
        world.get("clerk", &address).await.problem(404, "TB3023");
    }
    world
        .get("clerk", "/api/v1/items/x/1")
        .await
        .problem(400, "TB1001");
}

#[tokio::test]
async fn the_federation_is_shown_with_who_is_connected() {
    let world = World::new();
    let body = world.get("operator", "/api/v1/federation").await.json();
    assert_eq!(body["registry_version"], 1);
    let cities = body["cities"].as_array().unwrap();
    assert_eq!(cities.len(), 6);
    let connected: Vec<bool> = cities
        .iter()
        .map(|city| city["nodes"][0]["connected"].as_bool().unwrap())
        .collect();
    assert_eq!(connected.iter().filter(|connected| **connected).count(), 2);
    let file = world.get("operator", "/api/v1/registry").await;
    assert_eq!(file.json()["signatures"].as_array().unwrap().len(), 5);
    world.node.forget_registry();
    world
        .get("operator", "/api/v1/federation")
        .await
        .problem(503, "TB3005");
    world
        .get("operator", "/api/v1/registry")
        .await
        .problem(503, "TB3005");
}

#[tokio::test]
async fn agreements_name_the_cities_an_item_is_handled_across_with() {
    let world = World::new();
    let body = world.get("clerk", "/api/v1/agreements").await.json();
    let items = world.get("clerk", "/api/v1/items").await.json();
    let agreements = body["agreements"].as_array().unwrap();
    assert_eq!(agreements.len(), items["items"].as_array().unwrap().len());
    assert!(
        agreements
            .iter()
            .all(|one| one["cities"][0]["name"].is_string()),
        "{body}"
    );
    world.node.forget_registry();
    assert_eq!(world.get("clerk", "/api/v1/agreements").await.status, 503);
}
