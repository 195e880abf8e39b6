//! How far an item reaches: what is listed as agreed is what is taken in.

use std::fs;

use serde_json::Value;
use tongban_api::Catalogue;
use tongban_runtime::NodeError;

use crate::world::{World, application};

const ITEM: &str = include_str!("../../../../protocol/items/national/000109900001/1.json");
const CALENDAR: &str = include_str!("../../../../protocol/calendar/2024-2026.json");

/// The city of the node, another one of its province, one of another province; a district of each.
const PLACES: [(&str, &str); 3] = [
    ("350100", "350102"),
    ("350300", "350302"),
    ("610500", "610502"),
];

/// A catalogue of the one item, which reaches so far.
fn reaching(reach: &str) -> Catalogue {
    let folder = tempfile::tempdir().unwrap();
    let items = folder.path().join("items/national/000109900001");
    let calendars = folder.path().join("calendar");
    fs::create_dir_all(&items).unwrap();
    fs::create_dir(&calendars).unwrap();
    let mut item: Value = serde_json::from_str(ITEM).unwrap();
    item["reach"] = reach.into();
    fs::write(items.join("1.json"), item.to_string()).unwrap();
    fs::write(calendars.join("1.json"), CALENDAR).unwrap();
    Catalogue::load(folder.path()).unwrap()
}

fn application_for(district: &str) -> Value {
    let mut body = application();
    body["form"]["move_in"]["division"] = district.into();
    body
}

#[tokio::test]
async fn an_item_is_taken_in_for_the_cities_that_are_listed_with_it_and_no_others() {
    for (reach, reached) in [
        ("nationwide", [true; 3]),
        ("cross-province", [true; 3]),
        ("cross-city", [true, true, false]),
        ("cross-county", [true, false, false]),
    ] {
        let world = World::new().offering(reaching(reach));
        let said = world.get("clerk", "/api/v1/agreements").await.json();
        let listed = said["agreements"][0]["cities"].as_array().unwrap();
        for ((city, district), is_reached) in PLACES.into_iter().zip(reached) {
            let is_listed = listed.iter().any(|listed| listed["code"] == city);
            assert_eq!(is_listed, is_reached, "{reach} {city}");
            let body = application_for(district);
            let reply = world.post("clerk", "/api/v1/cases", &body, &[]).await;
            let asked = world.node.take_asked().len();
            if is_reached {
                assert_eq!(reply.status, 202, "{reach} {city}: {reply:?}");
                assert_eq!(asked, 1, "{reach} {city}");
            } else {
                let problem = reply.problem(422, "TB7025");
                let error = &problem["errors"][0];
                assert_eq!(error["pointer"], "/form/move_in/division");
                assert_eq!(asked, 0, "{reach} {city}");
            }
        }
    }
}

#[tokio::test]
async fn a_city_that_is_no_member_is_refused_as_such_however_far_an_item_reaches() {
    let world = World::new().offering(reaching("cross-county"));
    let division = "上海市黄浦区".to_owned();
    world.node.refuse(NodeError::AuthorityOutside { division });
    let body = application_for("310101");
    let reply = world.post("clerk", "/api/v1/cases", &body, &[]).await;
    reply.problem(422, "TB4001");
}
