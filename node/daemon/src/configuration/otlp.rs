//! `[otlp]`: where the traces of requests go. It is a collector on this machine: what leaves the machine is
//! sent on by it, with its own TLS and credentials.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use toml::Spanned;
use tongban_api::Said;

use super::http::{HttpMistake, is_allowed_without_tls};

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct OtlpSection {
    /// `http://127.0.0.1:4318`, a collector that takes OTLP over HTTP; without one nothing is sent.
    endpoint: Option<Spanned<String>>,
}

impl OtlpSection {
    /// Address and port of the collector.
    pub(super) fn collector(&self) -> Result<Option<SocketAddr>, HttpMistake> {
        let Some(endpoint) = &self.endpoint else {
            return Ok(None);
        };
        let mistaken = |what: Said| HttpMistake {
            span: endpoint.span(),
            key: "otlp.endpoint",
            what,
        };
        let address = address(endpoint.get_ref()).ok_or_else(|| {
            mistaken(Said::new(
                "应为 http://127.0.0.1:4318 的形式: 本机采集器的地址和端口, 没有路径",
                "must be of the form http://127.0.0.1:4318: address and port of a collector on this machine, no path",
            ))
        })?;
        if !is_allowed_without_tls(address) {
            let zh = "不是回环地址; 没有 TLS, 只发给本机的采集器, 由它转发";
            let en = "is not a loopback address; there is no TLS, so spans go only to a collector on this \
                      machine, which sends them on";
            return Err(mistaken(Said::new(
                format!("{address} {zh}"),
                format!("{address} {en}"),
            )));
        }
        Ok(Some(address))
    }
}

/// The address in `http://127.0.0.1:4318`. Names are not looked up, but for the one of this machine.
fn address(endpoint: &str) -> Option<SocketAddr> {
    let authority = endpoint.strip_prefix("http://")?;
    let authority = authority.strip_suffix('/').unwrap_or(authority);
    let authority = match authority.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => authority.to_owned(),
    };
    let address: SocketAddr = authority.parse().ok()?;
    (address.port() != 0).then_some(address)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tongban_types::Code;

    use super::super::tests::GOOD;
    use super::super::{Configuration, ConfigurationError};
    use crate::exit::Exit;
    use crate::failure::Coded as _;

    fn read(section: &str) -> Result<Configuration, ConfigurationError> {
        Configuration::parse(Path::new("node.toml"), &format!("{GOOD}{section}"))
    }

    fn with(endpoint: &str) -> Result<Configuration, ConfigurationError> {
        read(&format!("[otlp]\nendpoint = \"{endpoint}\"\n"))
    }

    #[test]
    fn traces_go_nowhere_unless_a_collector_is_named() {
        for section in ["", "[otlp]\n"] {
            assert_eq!(read(section).unwrap().collector, None, "{section}");
        }
    }

    #[test]
    fn a_collector_of_this_machine_is_named_by_address_or_as_localhost() {
        for (endpoint, address) in [
            ("http://127.0.0.1:4318", "127.0.0.1:4318"),
            ("http://localhost:4318/", "127.0.0.1:4318"),
            ("http://[::1]:4318", "[::1]:4318"),
        ] {
            let read = with(endpoint).unwrap();
            assert_eq!(read.collector, Some(address.parse().unwrap()), "{endpoint}");
        }
    }

    #[test]
    fn an_unusable_endpoint_is_refused_with_its_line_and_key() {
        // It is the second line after the good ones.
        let line = format!("第 {} 行", GOOD.lines().count() + 2);
        for endpoint in [
            "",
            "127.0.0.1:4318",
            "http://127.0.0.1",
            "http://127.0.0.1:0",
            "http://127.0.0.1:4318/v1/traces",
            "http://me@127.0.0.1:4318",
            "http://collector:4318",
            "https://127.0.0.1:4318",
            "grpc://127.0.0.1:4317",
            "http://10.0.0.7:4318",
            "http://[2001:db8::1]:4318",
        ] {
            let error = with(endpoint).unwrap_err();
            let said = error.to_string();
            assert!(said.contains(&line), "{endpoint}: {said}");
            assert!(said.contains("otlp.endpoint"), "{endpoint}: {said}");
            assert_eq!(error.code(), Code::CONFIGURATION_MALFORMED);
            assert_eq!(error.exit(), Exit::BadConfiguration);
        }
        let unknown = read("[otlp]\nendpiont = \"x\"\n").unwrap_err();
        assert!(unknown.to_string().contains("endpoint"), "{unknown}");
    }
}
