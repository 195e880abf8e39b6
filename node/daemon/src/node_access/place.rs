//! Where a node is asked: `https://` or, on this machine, `http://`, and a host with a port. A mistake in it is one of usage.

use std::net::SocketAddr;
use std::path::Path;
use std::str::FromStr;

use hyper::Uri;
use tokio::net::lookup_host;
use tongban_api::Said;
use tongban_types::Code;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::misread::Misread;
use crate::tls::Trust;

/// Without one a URL means these ports.
const HTTP_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;

/// Host and port of a node's API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NodeUrl {
    host: String,
    port: u16,
    has_tls: bool,
}

impl FromStr for NodeUrl {
    type Err = Misread;

    fn from_str(text: &str) -> Result<Self, Misread> {
        let wrong = || {
            Misread::new(
                "应为 https://主机:端口 或 http://主机:端口, 没有路径",
                "write https://HOST:PORT or http://HOST:PORT, without a path",
            )
        };
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        let scheme = uri.scheme_str().unwrap_or("http");
        let has_tls = scheme == "https";
        let is_http = has_tls || scheme == "http";
        let has_path = !matches!(uri.path(), "" | "/") || uri.query().is_some();
        let authority = uri.authority().ok_or_else(wrong)?;
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']');
        // A name in front of the host, or what is no port behind it, would be passed over in silence.
        let behind = authority.as_str().strip_prefix(authority.host());
        let is_plain = behind.is_some_and(|rest| rest.is_empty() || authority.port().is_some());
        if !is_http || has_path || host.is_empty() || !is_plain {
            return Err(wrong());
        }
        Ok(Self {
            host: host.to_owned(),
            port: authority
                .port_u16()
                .unwrap_or(if has_tls { HTTPS_PORT } else { HTTP_PORT }),
            has_tls,
        })
    }
}

impl std::fmt::Display for NodeUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = if self.has_tls { "https" } else { "http" };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

impl NodeUrl {
    /// Everything the host stands for.
    pub(crate) async fn addresses(&self) -> Result<Vec<SocketAddr>, Failure> {
        match lookup_host((self.host.as_str(), self.port)).await {
            Ok(found) => Ok(found.collect()),
            Err(_) => Err(self.unresolved()),
        }
    }

    /// How the node proves itself: by what the certificates in `roots` vouch for.
    pub(crate) fn trust(&self, roots: Option<&Path>) -> Result<Trust, Failure> {
        match roots {
            _ if !self.has_tls => Ok(Trust::Plain),
            Some(file) => Ok(Trust::Roots {
                file: file.to_owned(),
                host: self.host.clone(),
            }),
            None => {
                let says = Said::new(
                    "https 地址须用 --ca 指明所信任的证书",
                    "an https address needs --ca, the certificates to trust",
                );
                let next = "tongban status --url URL --token TOKEN --ca DATA/tls/certificate.pem";
                Err(Failure::told(Code::NODE_NOT_TRUSTED, Exit::NotAllowed, says).then(next))
            }
        }
    }

    /// The host stands for nothing.
    pub(crate) fn unresolved(&self) -> Failure {
        let host = &self.host;
        let says = Said::new(
            format!("主机名 {host} 无法解析"),
            format!("the host name {host} stands for no address"),
        );
        Failure::told(Code::NODE_UNREACHABLE, Exit::Unreachable, says)
            .then("tongban status --url https://127.0.0.1:8443 --token TOKEN --ca FILE")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_url_leads_to_addresses_by_name_and_by_number() {
        for (text, port) in [
            ("http://127.0.0.1:8443/", 8443),
            ("http://localhost:8443", 8443),
            ("127.0.0.1:9", 9),
            ("http://[::1]:8443", 8443),
            ("http://localhost", 80),
            ("https://localhost", 443),
            ("https://[::1]:8443/", 8443),
        ] {
            let url: NodeUrl = text.parse().unwrap();
            assert_eq!(url.to_string().parse(), Ok(url.clone()));
            let found = url.addresses().await.unwrap();
            assert!(!found.is_empty(), "{text}");
            assert!(
                found
                    .iter()
                    .all(|at| at.port() == port && at.ip().is_loopback()),
                "{text}: {found:?}"
            );
        }
    }

    #[test]
    fn a_malformed_url_is_refused_before_anybody_is_asked() {
        for text in [
            "",
            "http://",
            "https://",
            "ftp://127.0.0.1:8443",
            "http://127.0.0.1:port",
            "http://127.0.0.1:99999",
            "http://127.0.0.1:8443/api",
            "http://me@127.0.0.1:8443",
            "/var/lib/tongban",
        ] {
            assert!(text.parse::<NodeUrl>().is_err(), "{text}");
        }
    }
}
