//! `node.toml`: what an operator writes, checked as a whole before anything starts. A section a file;
//! unknown keys are refused; every mistake names its line and key.

mod backup;
mod blobs;
mod data;
mod effective;
mod error;
mod federation;
mod http;
mod layers;
mod log;
mod node;
#[cfg(feature = "otlp")]
mod otlp;
mod registry;
mod replication;
mod settings;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tongban_types::{NodeId, SealingPublicKey};

pub(crate) use error::ConfigurationError;
pub(crate) use http::{HttpLine, is_allowed_without_tls};
pub(crate) use layers::{Layers, Origin};
pub(crate) use log::LogFormat;
pub(crate) use settings::{Change, Setting, changes};

use crate::mistake::Place;
use effective::Effective;

/// A configuration file as it is written.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Written {
    node: node::NodeSection,
    data: data::DataSection,
    #[serde(default)]
    federation: federation::FederationSection,
    #[serde(default)]
    http: http::HttpSection,
    registry: registry::RegistrySection,
    #[serde(default)]
    replication: replication::ReplicationSection,
    #[serde(default)]
    blobs: blobs::BlobsSection,
    #[serde(default)]
    backup: backup::BackupSection,
    #[serde(default)]
    log: log::LogSection,
    #[cfg(feature = "otlp")]
    #[serde(default)]
    otlp: otlp::OtlpSection,
}

/// A configuration that keeps every rule; relative paths are resolved against the file's folder.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    /// The file it came from.
    pub(crate) file: PathBuf,
    /// Which node this is.
    pub(crate) node: NodeId,
    /// Where everything it writes goes.
    pub(crate) data: PathBuf,
    /// Where other nodes reach it.
    pub(crate) federation_listen: std::net::SocketAddr,
    /// Whether the links between nodes may run on QUIC.
    pub(crate) federation_quic: bool,
    /// Where its API is.
    pub(crate) http_listen: std::net::SocketAddr,
    /// What its API is served over.
    pub(crate) http_line: HttpLine,
    /// How often one caller of its API may ask.
    pub(crate) http_rates: tongban_api::Rates,
    /// The registry file it starts from.
    pub(crate) registry_file: PathBuf,
    /// The hash of the governance keys it believes at its first start.
    pub(crate) governance: tongban_types::Hash,
    /// How its groups' logs are kept short.
    pub(crate) raft: tongban_assembly::RaftTempo,
    /// Sizes of its log.
    pub(crate) wal: tongban_wal::WalConfig,
    /// How much attachments may take.
    pub(crate) blob_space: tongban_blobs::SpaceSettings,
    /// Where they lie instead of the data folder.
    #[cfg(feature = "s3")]
    pub(crate) bucket: Option<blobs::BucketPlace>,
    /// The offline recovery key that backups are sealed to.
    pub(crate) recovery_key: Option<SealingPublicKey>,
    /// What is logged.
    pub(crate) log_level: String,
    /// In which form.
    pub(crate) log_format: LogFormat,
    /// Who collects the traces of requests, on this machine.
    #[cfg(feature = "otlp")]
    pub(crate) collector: Option<std::net::SocketAddr>,
    /// Every setting as it is in force, and where it comes from.
    pub(crate) settings: Vec<Setting>,
}

impl Configuration {
    /// Reads and checks a file, and what of the environment stands above it.
    pub(crate) fn read(file: &Path) -> Result<Self, ConfigurationError> {
        Self::read_below(file, &Layers::of_process(&[])?)
    }

    /// Reads a file and judges it together with the layers above it.
    pub(crate) fn read_below(file: &Path, layers: &Layers) -> Result<Self, ConfigurationError> {
        let text =
            std::fs::read_to_string(file).map_err(|source| ConfigurationError::Unreadable {
                file: file.to_owned(),
                source,
            })?;
        Self::parse_below(file, &text, layers)
    }

    fn parse_below(file: &Path, text: &str, layers: &Layers) -> Result<Self, ConfigurationError> {
        // A value given above the file is taken as text first, and as TOML where no text is wanted.
        let mut raw = Vec::new();
        loop {
            let effective = Effective::of(file, text, layers, &raw)?;
            match Self::parse(file, &effective.text) {
                Ok(mut read) => {
                    for setting in &mut read.settings {
                        setting.origin = effective.origin(&setting.key);
                    }
                    return Ok(read);
                }
                Err(error) => match effective.not_text(&error) {
                    Some(key) if !raw.contains(&key) && is_toml(layers, &key) => raw.push(key),
                    _ => return Err(effective.relocated(error)),
                },
            }
        }
    }

    /// Checks the text of a file.
    pub(crate) fn parse(file: &Path, text: &str) -> Result<Self, ConfigurationError> {
        let place = Place { file, text };
        let written: Written = toml::from_str(text).map_err(|error| place.malformed(error))?;
        let settings = settings::of(&written);
        let Written {
            node,
            data,
            federation,
            http,
            registry,
            replication,
            blobs,
            backup,
            log,
            #[cfg(feature = "otlp")]
            otlp,
        } = written;
        let folder = file.parent().unwrap_or_else(|| Path::new(""));
        let mistaken =
            |mistake: http::HttpMistake| place.at(&mistake.span, mistake.key, &mistake.what);
        let http_line = http.line(folder).map_err(mistaken)?;
        let http_rates = http.rates().map_err(mistaken)?;
        let http_listen = *http.listen.get_ref();
        if http_line == HttpLine::Plain && !is_allowed_without_tls(http_listen) {
            return Err(ConfigurationError::NotLoopback {
                file: file.to_owned(),
                line: place.line_of(&http.listen.span()),
                address: http_listen,
            });
        }
        Ok(Self {
            file: file.to_owned(),
            node: node
                .id()
                .map_err(|error| place.at(&node.number.span(), "node.number", &error))?,
            data: folder.join(data.folder),
            federation_listen: federation.listen,
            federation_quic: federation.quic,
            http_listen,
            http_line,
            http_rates,
            registry_file: folder.join(registry.file),
            governance: registry.governance,
            raft: replication.tempo(),
            wal: replication.log(),
            blob_space: blobs.space(),
            #[cfg(feature = "s3")]
            bucket: blobs.bucket(folder),
            recovery_key: backup.recovery_key,
            log_level: log.level.name().to_owned(),
            log_format: log.format,
            #[cfg(feature = "otlp")]
            collector: otlp.collector().map_err(mistaken)?,
            settings,
        })
    }
}

/// Whether a value above the file is a value of TOML.
fn is_toml(layers: &Layers, key: &layers::Key) -> bool {
    let value = layers.given.get(key);
    value.is_some_and(|(value, _)| toml::from_str::<toml::Table>(&format!("v = {value}")).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
