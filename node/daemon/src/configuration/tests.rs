//! What a file may say, which mistake is found where, and that every sample handed out loads.

use super::*;
use crate::both_languages::assert_said;
use crate::failure::Coded as _;

pub(super) const GOOD: &str = r#"
[node]
city = "350100"
number = 1

[data]
folder = "data"

[federation]
listen = "0.0.0.0:7400"

[http]
listen = "127.0.0.1:8443"
tls = "on"
[registry]
file = "/etc/tongban/registry.json"
governance = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

[log]
level = "info"
format = "json"
"#;

fn parse(text: &str) -> Result<Configuration, ConfigurationError> {
    Configuration::parse(Path::new("/etc/tongban/node.toml"), text)
}

fn refusal(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    let error = parse(&GOOD.replacen(from, to, 1)).unwrap_err();
    error.to_string()
}

#[test]
fn a_whole_file_is_read_and_paths_are_beside_it() {
    let read = parse(GOOD).unwrap();
    assert_eq!(read.node.to_string(), "350100-01");
    assert_eq!(read.data, Path::new("/etc/tongban/data"));
    assert_eq!(read.registry_file, Path::new("/etc/tongban/registry.json"));
    assert_eq!(read.log_format, LogFormat::Json);
}

#[test]
fn what_may_be_left_out_has_the_usual_value() {
    let short = GOOD.split("[federation]").next().unwrap().to_owned()
        + "[registry]"
        + GOOD
            .split("[registry]")
            .nth(1)
            .unwrap()
            .split("[log]")
            .next()
            .unwrap();
    let read = parse(&short).unwrap();
    assert_eq!(read.federation_listen.port(), 7400);
    assert!(read.federation_quic);
    assert_eq!(read.http_listen.to_string(), "127.0.0.1:8443");
    assert_eq!(read.http_line, HttpLine::Own { names: Vec::new() });
    assert_eq!(read.log_level, "info");
}

#[test]
fn a_mistake_names_its_line_and_key() {
    let cases = [
        ("folder = ", "foulder = ", "第 7 行", "data.foulder:"),
        (
            "listen = \"0.0.0.0:7400\"",
            "listen = \"0.0.0.0\"",
            "第 10 行",
            "federation.listen",
        ),
        ("number = 1", "number = 0", "第 4 行", "node.number"),
        ("number = 1", "number = 100", "第 4 行", "node.number"),
        (
            "city = \"350100\"",
            "city = \"350102\"",
            "第 3 行",
            "node.city",
        ),
        ("\"info\"", "\"loud\"", "第 20 行", "log.level"),
        ("0011", "001", "第 17 行", "registry.governance"),
        ("[log]", "[logg]", "第 19 行", "logg"),
        (
            "[log]",
            "[replication]\nsnapshot_every_entries = 19\n[log]",
            "第 20 行",
            "replication.snapshot_every_entries",
        ),
        (
            "[log]",
            "[replication]\nsegment_kib = 63\n[log]",
            "第 20 行",
            "replication.segment_kib",
        ),
        ("city = \"350100\"", "city = \"350100", "第 3 行", "city"),
    ];
    for (from, to, line, key) in cases {
        let message = refusal(from, to);
        assert!(message.contains(line), "{to}: {message}");
        assert!(message.contains(key), "{to}: {message}");
    }
    assert!(refusal("folder = \"data\"", "").contains("folder"));
}

fn layers(given: &[&str]) -> Layers {
    let given: Vec<String> = given.iter().map(|one| (*one).to_owned()).collect();
    Layers::of_process(&given).unwrap()
}

fn parse_below(text: &str, given: &[&str]) -> Result<Configuration, ConfigurationError> {
    Configuration::parse_below(Path::new("/etc/tongban/node.toml"), text, &layers(given))
}

fn origin(read: &Configuration, key: &str) -> String {
    let setting = read.settings.iter().find(|one| one.key == key);
    setting
        .map(|one| one.origin.to_string())
        .unwrap_or_default()
}

#[test]
fn what_stands_above_the_file_counts_and_says_where_it_comes_from() {
    let given = [
        "node.city=350300",
        "node.number=7",
        "log.level=debug",
        "replication.segment_kib=64",
        "replication.snapshot_every_entries=1000",
    ];
    let read = parse_below(GOOD, &given).unwrap();
    assert_eq!(read.node.to_string(), "350300-07");
    assert_eq!(
        (read.log_level.as_str(), read.wal.segment_bytes),
        ("debug", 64 << 10)
    );
    assert_eq!(origin(&read, "node.number"), "--set");
    assert_eq!(origin(&read, "replication.segment_kib"), "--set");
    assert_eq!(origin(&read, "http.listen"), "file:13");
    assert_eq!(origin(&read, "log.format"), "file:21");
    let short = GOOD.split("[federation]").next().unwrap();
    let read = parse_below(
        short,
        &[
            "registry.file=r.json",
            &format!("registry.governance={}", "0a".repeat(32)),
        ],
    )
    .unwrap();
    assert_eq!(origin(&read, "federation.listen"), "default");
    assert_eq!(origin(&read, "registry.file"), "--set");
}

#[test]
fn a_mistake_above_the_file_is_found_where_it_was_made_and_others_keep_their_lines() {
    let said = |text: &str, given: &[&str]| parse_below(text, given).unwrap_err().to_string();
    for (given, parts) in [
        ("log.level=loud", ["--set, log.level", "loud"]),
        ("node.number=many", ["--set, node.number", "many"]),
        ("node.number=0", ["--set, node.number", ""]),
        ("log.leval=info", ["--set", "did you mean level?"]),
        ("lag.level=info", ["--set", "did you mean log?"]),
    ] {
        let message = said(GOOD, &[given]);
        assert!(
            parts.iter().all(|part| message.contains(part)),
            "{given}: {message}"
        );
    }
    let open = said(GOOD, &["http.listen=0.0.0.0:1", "http.tls=off"]);
    assert!(
        open.contains("--set") && open.contains("0.0.0.0:1"),
        "{open}"
    );
    // A line written in above it moves nothing.
    let wrong = GOOD.replace("format = \"json\"", "format = \"jason\"");
    let message = said(&wrong, &["replication.segment_kib=64", "node.number=2"]);
    assert!(message.contains("第 21 行第 10 列"), "{message}");
    let wrong = GOOD.replace("level = \"info\"", "[log2]\nx = 1");
    assert!(said(&wrong, &["node.number=2"]).contains("第 20 行"));
}

#[test]
fn a_mistake_is_told_in_one_language_at_a_time() {
    let told = |from: &str, to: &str, given: &[&str]| {
        assert!(GOOD.contains(from), "{from}");
        let error = parse_below(&GOOD.replacen(from, to, 1), given).unwrap_err();
        error.says().unwrap()
    };
    let open = "listen = \"0.0.0.0:1\"\ntls = \"off\"";
    let good_http = "listen = \"127.0.0.1:8443\"\ntls = \"on\"";
    let rated = "reads_per_second = 0\n[registry]";
    let short = "[replication]\nsegment_kib = 63\n[log]";
    let weak = format!("[backup]\nrecovery_key = \"{}\"\n[log]", "0".repeat(64));
    let cases: [(&str, &str, &[&str]); 14] = [
        ("folder = ", "foulder = ", &[]),
        ("folder = \"data\"", "", &[]),
        ("number = 1", "number = 0", &[]),
        ("number = 1", "number = \"one\"", &[]),
        ("\"350100\"", "\"350102\"", &[]),
        ("\"info\"", "\"loud\"", &[]),
        ("0011", "001", &[]),
        ("[registry]", rated, &[]),
        ("[log]", short, &[]),
        ("[log]", &weak, &[]),
        (good_http, open, &[]),
        ("[log]", "[log]", &["node.number=0"]),
        ("[log]", "[log]", &["log.leval=info"]),
        ("[log]", "[log]", &["http.listen=0.0.0.0:1", "http.tls=off"]),
    ];
    for (from, to, given) in cases {
        let said = told(from, to, given);
        assert_said(&said);
        assert!(!said.zh.contains("did you mean"), "{to}: {said:?}");
    }
}

#[test]
fn only_loopback_is_bound_without_tls() {
    for address in [
        "0.0.0.0:8443",
        "10.0.0.1:8443",
        "[::]:8443",
        "[2001:db8::1]:80",
    ] {
        let open = GOOD.replace("127.0.0.1:8443", address);
        assert!(parse(&open).is_ok(), "{address}");
        let error = parse(&open.replace("tls = \"on\"", "tls = \"off\"")).unwrap_err();
        assert!(
            matches!(error, ConfigurationError::NotLoopback { line: 13, .. }),
            "{error}"
        );
    }
    for address in ["127.0.0.1:0", "127.9.9.9:1", "[::1]:8443"] {
        assert!(
            parse(
                &GOOD
                    .replace("127.0.0.1:8443", address)
                    .replace("\"on\"", "\"off\"")
            )
            .is_ok(),
            "{address}"
        );
    }
}

#[test]
fn a_given_certificate_has_its_key_and_tls() {
    let given = "certificate = \"api.pem\"\nkey = \"/etc/ssl/api.key\"\n";
    let with = |tls: &str| GOOD.replace("tls = \"on\"", &format!("tls = \"{tls}\"\n{given}"));
    let HttpLine::Given(files) = parse(&with("on")).unwrap().http_line else {
        panic!("a given certificate is served");
    };
    assert_eq!(files.certificate, Path::new("/etc/tongban/api.pem"));
    assert_eq!(files.key, Path::new("/etc/ssl/api.key"));
    for (text, at) in [
        (with("off"), "http.certificate"),
        (
            with("on").replace("key = \"/etc/ssl/api.key\"", ""),
            "http.certificate",
        ),
        (
            with("on").replace("certificate = \"api.pem\"", ""),
            "http.key",
        ),
        (with("maybe"), "http.tls"),
        (
            with("on").replace("[registry]", "orders_per_second = 0\n[registry]"),
            "http.orders_per_second",
        ),
    ] {
        let error = parse(&text).unwrap_err().to_string();
        assert!(error.contains(at), "{at}: {error}");
    }
}

#[test]
fn every_sample_an_operator_finds_loads() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/six-cities");
    let mut nodes = Vec::new();
    for entry in std::fs::read_dir(samples).unwrap() {
        let folder = entry.unwrap().path();
        if folder.is_dir() {
            let read = Configuration::read(&folder.join("node.toml")).unwrap();
            let name = folder.file_name().unwrap().to_str().unwrap();
            assert!(name.starts_with(&read.node.city().to_string()), "{name}");
            nodes.push(read.node.city().number());
        }
    }
    nodes.sort_unstable();
    assert_eq!(
        nodes,
        [350_100, 350_300, 350_700, 350_900, 610_500, 621_100]
    );
}
