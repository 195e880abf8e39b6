//! The arrows between rooms point one way, foreign crates stay in the rooms that own them, pure
//! source names no clock, file, socket, thread or chance, no two records have one number, and each that
//! others send is fuzzed.

use std::path::Path;

use serde_json::{Value, json};
use tongban_tests::arrows::{
    Graph, arrow_faults, foreign_faults, pure_sources, record_faults, shipped_sources,
    source_faults, unfuzzed,
};

fn workspace() -> Graph {
    Graph::of_workspace(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .expect("the workspace's manifests are read")
}

#[test]
fn no_arrow_points_the_wrong_way() {
    let graph = workspace();
    assert!(graph.rooms.len() > 10, "{} rooms", graph.rooms.len());
    assert_eq!(arrow_faults(&graph), Vec::<String>::new());
}

#[test]
fn no_foreign_crate_is_named_outside_its_room() {
    assert_eq!(foreign_faults(&workspace()), Vec::<String>::new());
}

#[test]
fn pure_source_names_no_clock_file_socket_thread_or_chance() {
    let sources = pure_sources(&workspace()).unwrap();
    assert!(sources.len() > 50, "{} files", sources.len());
    let named = sources.iter().flat_map(|(path, text)| {
        let faults = source_faults(text).into_iter();
        faults.map(move |fault| format!("{}: {fault}", path.display()))
    });
    assert_eq!(named.collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn no_two_records_have_one_number() {
    let sources = shipped_sources(&workspace()).unwrap();
    let texts = sources.iter().map(|(_, text)| text.as_str());
    let (count, faults) = record_faults(texts);
    assert!(count > 30, "{count} records");
    assert_eq!(faults, Vec::<String>::new());
    let twice = [
        "records! {\n    A = 206 v 1 \"a\";\n    B = 207 v 1 \"b\";\n}",
        "let x = 206 v 1;\nrecords! {\n    C = 206 v 2 \"c\";\n}\nD = 207 v 1",
    ];
    assert_eq!(record_faults(twice), (3, vec!["206: A, C".to_owned()]));
}

#[test]
fn every_record_that_others_sign_or_send_is_fuzzed() {
    const RECORDS: &str = "tests/fuzz/fuzz_targets/records.rs";
    let house = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let sources = shipped_sources(&workspace()).unwrap();
    for (place, target, count) in [
        ("protocol/types/src", RECORDS, 10),
        ("protocol/machine/src", RECORDS, 1),
        (
            "node/runtime/src/wire.rs",
            "node/runtime/src/fuzzing.rs",
            10,
        ),
    ] {
        let target = std::fs::read_to_string(house.join(target)).unwrap();
        let sources = sources.iter();
        let of_place = sources.filter(|(path, _)| path.to_string_lossy().contains(place));
        let texts: Vec<&str> = of_place.map(|(_, text)| text.as_str()).collect();
        let left_out = texts.iter().flat_map(|text| unfuzzed(text, &target));
        assert_eq!(left_out.collect::<Vec<_>>(), Vec::<&str>::new(), "{place}");
        assert!(record_faults(texts).0 >= count, "{place}");
    }
    let list = "records! {\n    A = 206 v 1 \"a\";\n    B = 207 v 1 \"b\";\n}";
    assert_eq!(unfuzzed(list, "    again::<A>(input);\n"), ["B"]);
}

/// The output of `cargo metadata --no-deps` for one room that names these crates.
fn metadata(room: &str, named: &[(&str, Option<&str>)]) -> Graph {
    let id = format!("path+file:///w/{room}#tongban-{room}@0.1.0");
    let dependency = |(name, kind): &(&str, Option<&str>)| {
        json!({
            "name": name, "source": null, "req": "*", "kind": kind, "rename": null,
            "optional": false, "uses_default_features": true, "features": [],
            "target": null, "registry": null,
        })
    };
    let package = json!({
        "name": format!("tongban-{room}"), "version": "0.1.0", "id": id, "license": null,
        "license_file": null, "description": null, "source": null,
        "dependencies": named.iter().map(dependency).collect::<Vec<_>>(),
        "targets": [], "features": {}, "manifest_path": format!("/w/{room}/Cargo.toml"),
        "metadata": null, "publish": null, "authors": [], "categories": [], "keywords": [],
        "readme": null, "repository": null, "homepage": null, "documentation": null,
        "edition": "2024", "links": null, "default_run": null, "rust_version": null,
    });
    let whole: Value = json!({
        "packages": [package], "workspace_members": [id], "workspace_default_members": [id],
        "resolve": null, "target_directory": "/w/target", "version": 1,
        "workspace_root": "/w", "metadata": null,
    });
    Graph::of_json(&whole.to_string()).expect("it has the form of cargo metadata's output")
}

#[test]
fn a_wrong_arrow_is_found() {
    for (room, to, kind) in [
        ("types", "trust", None),
        ("machine", "runtime", None),
        ("runtime", "wal", None),
        ("api", "machine", None),
        ("api", "store", Some("dev")),
        ("sim", "store", None),
        ("sim", "net", Some("dev")),
        ("consensus", "net", None),
        ("net", "sim", Some("build")),
        ("sim", "daemon", None),
        ("trust", "trust", None),
    ] {
        let named = if to == "daemon" {
            "tongban".to_owned()
        } else {
            format!("tongban-{to}")
        };
        let faults = arrow_faults(&metadata(room, &[(&named, kind)]));
        assert_eq!(faults, [format!("{room} must not know {named}")]);
    }
    assert_eq!(
        arrow_faults(&metadata("console", &[])).len(),
        1,
        "a room without a line"
    );
    let right = metadata(
        "trust",
        &[("tongban-types", None), ("tongban-trust", Some("dev"))],
    );
    assert_eq!(arrow_faults(&right), Vec::<String>::new());
}

#[test]
fn a_foreign_crate_outside_its_room_is_found() {
    for (room, package, kind) in [
        ("runtime", "openraft", None),
        ("runtime", "openraft-rt-tokio", None),
        ("consensus", "openraft-rt", None),
        ("daemon", "libp2p", None),
        ("sim", "libp2p-stream", Some("dev")),
        ("api", "sled", Some("dev")),
        ("runtime", "axum", None),
        ("wal", "tokio", None),
        ("sim", "tokio-util", Some("build")),
        ("machine", "ed25519-dalek", None),
        ("net", "hpke", None),
        ("daemon", "jsonschema", None),
        ("types", "rand", None),
        ("machine", "jiff", None),
        ("api", "left-pad", None),
        ("daemon", "left-pad", Some("dev")),
        ("runtime", "proptest", None),
        ("wal", "tracing-subscriber", None),
        ("api", "opentelemetry", None),
    ] {
        let faults = foreign_faults(&metadata(room, &[(package, kind)]));
        assert_eq!(
            faults,
            [format!("{room} must not name {package}")],
            "{kind:?}"
        );
    }
    let right = [
        ("tokio", Some("dev")),
        ("openraft-rt", None),
        ("proptest", Some("dev")),
    ];
    assert_eq!(
        foreign_faults(&metadata("wal", &right)),
        Vec::<String>::new()
    );
}

#[test]
fn an_impure_source_is_found_and_its_tests_are_passed_over() {
    for (text, fault) in [
        (
            "use std::{collections::BTreeMap, fs::{self, File}};",
            "std::fs",
        ),
        ("use std::\n{\n    io,\n    net::TcpStream,\n};", "std::net"),
        ("fn f() { std::thread::spawn(|| ()); }", "std::thread"),
        ("use std::time::{Duration, Instant};", "std::time"),
        ("use std::time;", "std::time"),
        ("let now = Instant::now();", "Instant::now"),
        ("let now = clock::SystemTime::now();", "SystemTime::now"),
        ("async fn f() { tokio::spawn(g()); }", "tokio::"),
        (
            "use std::{collections::{BTreeMap, HashMap}, fmt};",
            "HashMap",
        ),
        ("let seen: HashSet<u8> = HashSet::new();", "HashSet"),
        ("let order = RandomState::new();", "RandomState"),
        ("let roll = rand::random::<u64>();", "rand::"),
    ] {
        assert_eq!(source_faults(text), [fault], "{text}");
    }
    for text in [
        "use std::time::Duration; // std::fs",
        "//! Never std::fs.\nlet now = R::Instant::now();",
        "fn f() {}\n\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n",
        "use crate::std::fsck;",
        "use rand::Rng as _;",
        "struct HashMapped;",
    ] {
        assert_eq!(source_faults(text), Vec::<String>::new(), "{text}");
    }
}
