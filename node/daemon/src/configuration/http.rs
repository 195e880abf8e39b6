//! `[http]`: where the API is. It carries tokens and personal data, so without TLS it binds to
//! loopback only.

use std::net::{Ipv4Addr, SocketAddr};

use serde::Deserialize;
use toml::Spanned;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct HttpSection {
    /// Address and port of the API; port 0 lets the system choose.
    pub(super) listen: Spanned<SocketAddr>,
}

impl Default for HttpSection {
    fn default() -> Self {
        Self {
            listen: Spanned::new(0..0, (Ipv4Addr::LOCALHOST, 8443).into()),
        }
    }
}

/// Whether nobody but this machine can reach the address.
pub(crate) fn is_allowed_without_tls(address: SocketAddr) -> bool {
    address.ip().is_loopback()
}
