//! `[federation]`: where other nodes reach this one.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FederationSection {
    /// Address and port of the links between nodes; port 0 lets the system choose.
    pub(super) listen: SocketAddr,
    /// Whether QUIC is spoken beside TCP, on the same port number by UDP. Off where a line bends UDP
    /// rather than cutting it.
    pub(super) quic: bool,
}

impl Default for FederationSection {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::UNSPECIFIED, 7400).into(),
            quic: true,
        }
    }
}
