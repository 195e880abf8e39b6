//! What is read of a group's JSON, as several commands show it.

use serde_json::Value;

use crate::output::Reader;

/// A text, or a dash.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

/// Names in a row, or a dash.
pub(super) fn names(value: &Value) -> String {
    let names = value.as_array().map(Vec::as_slice).unwrap_or_default();
    if names.is_empty() {
        return "-".to_owned();
    }
    let names: Vec<&str> = names.iter().map(text).collect();
    names.join(" ")
}

/// The voters: one set, or two with an arrow while they change.
pub(super) fn voters(members: &Value) -> String {
    let sets = members["voter_sets"].as_array();
    let sets: Vec<String> = sets.into_iter().flatten().map(names).collect();
    sets.join(" → ")
}

/// Whether the group stands as ordered.
pub(super) fn standing(group: &Value, reader: Reader) -> &'static str {
    if group["stopped"].as_bool() == Some(true) {
        return reader.say("已停止", "stopped");
    }
    if group["stands"].as_bool() == Some(true) {
        reader.say("就位", "stands")
    } else {
        reader.say("变更中", "changing")
    }
}

/// Machines that may be lost; nothing is said of a group that cannot decide.
pub(super) fn tolerance(value: &Value, reader: Reader) -> String {
    match value.as_u64() {
        Some(count) => count.to_string(),
        None => reader.say("不能决定", "cannot decide").to_owned(),
    }
}
