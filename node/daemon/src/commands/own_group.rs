//! Which of the groups that a node tells of is that of its own city.

use serde_json::Value;

/// The group of the node's own city, in an answer of `GET /api/v1/status` or `GET /api/v1/groups`. The list
/// begins with it, unless the node keeps no replica of it: then another city's stands first.
pub(super) fn own_group(answer: &Value) -> Option<&Value> {
    let node = answer["node"].as_str().or(answer["this_node"].as_str());
    let city = node?.get(..6)?;
    let mut groups = answer["groups"].as_array()?.iter();
    groups.find(|group| group["group"] == city)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_group_of_another_city_is_never_taken_for_the_own_one() {
        let other = json!({"group": "350300", "can_lose": 1});
        let own = json!({"group": "350100", "can_lose": 0});
        let both = json!({"node": "350100-02", "groups": [own, other]});
        assert_eq!(own_group(&both), Some(&own));
        let listed = json!({"this_node": "350100-02", "groups": [other, own]});
        assert_eq!(own_group(&listed), Some(&own));
        let foreign = json!({"node": "350100-02", "groups": [other]});
        assert_eq!(own_group(&foreign), None);
        assert_eq!(own_group(&json!({"groups": [own]})), None);
        assert_eq!(own_group(&Value::Null), None);
    }
}
