//! A node's configuration: the sample that operators of its city find, with what differs on this machine.

use std::path::Path;

use anyhow::Context as _;
use data_encoding::HEXLOWER;
use tongban_types::{Hash, SealingPublicKey};

use super::layout::{Site, StageLine};

/// More than a machine answers.
const PER_SECOND_MAX: u32 = 1_000_000;

/// Its text, TOML. A second node of a city has the city's sample too, with its own number.
pub(super) fn configuration(
    site: &Site,
    registry: &Path,
    governance: Hash,
    recovery: Option<SealingPublicKey>,
) -> anyhow::Result<String> {
    let mut sample: toml::Table = toml::from_str(site.city.sample).context("a sample is TOML")?;
    let changes: [(&str, &str, toml::Value); 7] = [
        ("node", "number", i64::from(site.node.number()).into()),
        ("data", "folder", site.data.display().to_string().into()),
        ("federation", "listen", site.federation.to_string().into()),
        ("http", "listen", site.http.to_string().into()),
        ("registry", "file", registry.display().to_string().into()),
        ("registry", "governance", governance.to_string().into()),
        ("log", "format", "json".into()),
    ];
    for (section, key, value) in changes {
        let section = sample.get_mut(section).and_then(toml::Value::as_table_mut);
        let section = section.context("a sample has every section")?;
        section.insert(key.to_owned(), value);
    }
    if !site.quic {
        let section = sample.get_mut("federation");
        let section = section.and_then(toml::Value::as_table_mut);
        let section = section.context("a sample has every section")?;
        section.insert("quic".to_owned(), false.into());
    }
    if let Some(key) = recovery {
        let key = toml::Value::String(HEXLOWER.encode(&key.0));
        let section = toml::Table::from_iter([("recovery_key".to_owned(), key)]);
        sample.insert("backup".to_owned(), section.into());
    }
    if site.line != StageLine::Own {
        let http = sample.get_mut("http").and_then(toml::Value::as_table_mut);
        let http = http.context("a sample has every section")?;
        if site.line == StageLine::PlainUnbounded {
            http.insert("tls".to_owned(), "off".into());
        }
        for rate in ["reads_per_second", "orders_per_second"] {
            http.insert(rate.to_owned(), i64::from(PER_SECOND_MAX).into());
        }
    }
    Ok(toml::to_string(&sample)?)
}
