//! `[federation]`: where other nodes reach this one.

use std::net::{Ipv4Addr, SocketAddr};

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FederationSection {
    /// Address and port of the links between nodes; port 0 lets the system choose.
    pub(super) listen: SocketAddr,
}

impl Default for FederationSection {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::UNSPECIFIED, 7400).into(),
        }
    }
}
