//! The arrows between rooms (`protocol/decisions/0002`). A room may name only what stands in its
//! line, and every room stands below all it names, so that no circle can be written down.

use super::graph::{Graph, Kind, Link};

/// Each room with the rooms it may know.
const ROOMS: [(&str, &[&str]); 14] = [
    ("types", &[]),
    ("trust", &["types"]),
    ("machine", &["types", "trust"]),
    ("runtime", &["types", "trust", "machine"]),
    ("wal", &["types", "runtime"]),
    ("store", &["types", "runtime"]),
    ("net", &["types", "runtime"]),
    ("blobs", &["types", "runtime"]),
    // Decisions are the machine's: the API knows only the handle that asks for them.
    ("api", &["types", "trust", "runtime"]),
    ("consensus", &["types", "runtime", "wal"]),
    (
        "assembly",
        &["types", "trust", "machine", "runtime", "wal", "consensus"],
    ),
    // What may go wrong is judged without tokio, files, sled and libp2p.
    (
        "sim",
        &[
            "types",
            "trust",
            "machine",
            "runtime",
            "wal",
            "consensus",
            "assembly",
        ],
    ),
    (
        "daemon",
        &[
            "types",
            "trust",
            "machine",
            "runtime",
            "wal",
            "store",
            "net",
            "blobs",
            "api",
            "consensus",
            "assembly",
        ],
    ),
    // Real processes are met at their borders; what a power cut left of one is opened as a library.
    (
        "tests",
        &["types", "trust", "machine", "runtime", "wal", "store"],
    ),
];

/// What only tests of a room may know besides.
const TESTS_ONLY: [(&str, &str); 1] = [
    // Its own feature that makes keys and documents for tests.
    ("trust", "trust"),
];

/// Every arrow that points the wrong way, and every room without a line.
pub fn arrow_faults(graph: &Graph) -> Vec<String> {
    let mut faults = Vec::new();
    for room in &graph.rooms {
        let Some((_, known)) = ROOMS.iter().find(|(name, _)| *name == room.name) else {
            faults.push(format!(
                "{}: a room without arrows, give it a line",
                room.name
            ));
            continue;
        };
        let wrong = |link: &&Link| {
            let to = link.room();
            to.is_some_and(|to| !known.contains(&to) && !is_for_tests(&room.name, to, link.kind))
        };
        let named = room.links.iter().filter(wrong);
        faults.extend(named.map(|link| format!("{} must not know {}", room.name, link.package)));
    }
    faults
}

fn is_for_tests(room: &str, to: &str, kind: Kind) -> bool {
    kind == Kind::Tests && TESTS_ONLY.contains(&(room, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_circle_can_be_written_down() {
        for (index, (room, known)) in ROOMS.iter().enumerate() {
            let above: Vec<&str> = ROOMS[..index].iter().map(|(name, _)| *name).collect();
            let below: Vec<_> = known.iter().filter(|name| !above.contains(name)).collect();
            assert!(below.is_empty(), "{room} knows {below:?}");
        }
    }
}
