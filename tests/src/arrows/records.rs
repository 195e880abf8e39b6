//! Numbers of records: each kind that is signed, sent or stored has one for ever, and no two have the same.

use std::collections::BTreeMap;

/// What a text lists as records: the number and the name of each.
fn records_in(text: &str) -> impl Iterator<Item = (u16, &str)> {
    let lists = text.split("records! {").skip(1);
    let lines = lists.flat_map(|rest| rest.split('}').next().unwrap_or_default().lines());
    lines.filter_map(|line| {
        let (name, rest) = line.split_once(" = ")?;
        let (number, _) = rest.split_once(" v ")?;
        Some((number.parse().ok()?, name.trim()))
    })
}

/// Names that a text lists as records and that the source of a fuzz target does not decode.
pub fn unfuzzed<'a>(text: &'a str, target: &str) -> Vec<&'a str> {
    let is_left_out = |name: &&str| !target.contains(&format!("again::<{name}>(input);"));
    let names = records_in(text).map(|(_, name)| name);
    names.filter(is_left_out).collect()
}

/// Numbers that several records of these texts have, with their names; and how many records there are.
pub fn record_faults<'a>(texts: impl IntoIterator<Item = &'a str>) -> (usize, Vec<String>) {
    let mut names = BTreeMap::<u16, Vec<&str>>::new();
    for (number, name) in texts.into_iter().flat_map(records_in) {
        names.entry(number).or_default().push(name);
    }
    let count = names.values().map(Vec::len).sum();
    let several = names.into_iter().filter(|(_, names)| names.len() > 1);
    let faults = several.map(|(number, names)| format!("{number}: {}", names.join(", ")));
    (count, faults.collect())
}
