//! Foreign crates and the rooms that own them: a library named in one place can be replaced in one
//! place. The protocol names only what is on its short list.

use super::graph::{Graph, Kind, Link};

/// A foreign crate, the rooms that may name it, and whether tests elsewhere may.
struct Owned {
    /// The package; with `*` at its end, every package that begins so.
    package: &'static str,
    rooms: &'static [&'static str],
    in_tests: bool,
}

const fn owned(package: &'static str, rooms: &'static [&'static str]) -> Owned {
    Owned {
        package,
        rooms,
        in_tests: false,
    }
}

const fn owned_but_for_tests(package: &'static str, rooms: &'static [&'static str]) -> Owned {
    Owned {
        package,
        rooms,
        in_tests: true,
    }
}

/// The first line that fits a package counts.
const OWNED: [Owned; 16] = [
    owned("openraft-rt", &["runtime", "wal", "sim"]),
    owned_but_for_tests("openraft-rt-tokio", &["daemon"]),
    owned("openraft*", &["consensus"]),
    owned("libp2p*", &["net"]),
    owned("sled", &["store"]),
    owned("axum*", &["api", "daemon"]),
    owned("tower*", &["api"]),
    owned("hyper*", &["api", "daemon"]),
    owned_but_for_tests("tokio*", &["net", "api", "daemon"]),
    owned("ed25519-dalek", &["trust"]),
    owned("curve25519-dalek", &["trust"]),
    owned("hpke", &["runtime"]),
    owned("chacha20poly1305", &["runtime"]),
    owned("jsonschema", &["api"]),
    owned("clap*", &["sim", "daemon"]),
    owned("anyhow", &["daemon", "tests"]),
];

/// Rooms that hold what must hold, and all they may be built of: nothing that knows time,
/// randomness, files, sockets or threads.
const PURE: [&str; 3] = ["types", "trust", "machine"];
const BUILDS_PURE: [&str; 7] = [
    "curve25519-dalek",
    "data-encoding",
    "ed25519-dalek",
    "postcard",
    "serde",
    "sha2",
    "thiserror",
];

/// Every foreign crate named outside its room.
pub fn foreign_faults(graph: &Graph) -> Vec<String> {
    let mut faults = Vec::new();
    for room in &graph.rooms {
        for link in room.links.iter().filter(|link| link.room().is_none()) {
            if is_outside(&room.name, link) {
                faults.push(format!("{} must not name {}", room.name, link.package));
            }
        }
    }
    faults
}

fn is_outside(room: &str, link: &Link) -> bool {
    let owner = OWNED.iter().find(|owned| owned.covers(&link.package));
    let of_other = owner.is_some_and(|owned| {
        !(owned.rooms.contains(&room) || owned.in_tests && link.kind == Kind::Tests)
    });
    let impure = link.kind == Kind::Shipped
        && PURE.contains(&room)
        && !BUILDS_PURE.contains(&link.package.as_str());
    of_other || impure
}

impl Owned {
    fn covers(&self, package: &str) -> bool {
        match self.package.strip_suffix('*') {
            Some(beginning) => package.starts_with(beginning),
            None => package == self.package,
        }
    }
}
