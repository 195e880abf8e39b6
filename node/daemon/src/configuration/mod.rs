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
#[cfg(test)]
pub(crate) mod minimal;
mod node;
#[cfg(feature = "otlp")]
mod otlp;
mod registry;
mod replication;
mod settings;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tongban_api::Said;
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
            |mistake: http::HttpMistake| place.at(&mistake.span, mistake.key, mistake.what);
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
            node: node.id().map_err(|malformed| {
                let says = Said::of_identifier(&malformed);
                place.at(&node.number.span(), "node.number", says)
            })?,
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
