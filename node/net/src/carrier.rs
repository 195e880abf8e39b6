//! What a connection runs on: QUIC over UDP, or Noise and Yamux over TCP, both on the same port number.

use std::net::SocketAddr;

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

/// What a connection runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Carrier {
    /// QUIC version 1 (RFC 9000) with libp2p's certificates; dialed first.
    Quic,
    /// TCP with Noise and Yamux; where UDP is cut or QUIC is off.
    Tcp,
}

impl Carrier {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Quic, Self::Tcp];

    /// Its name in metrics and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quic => "quic",
            Self::Tcp => "tcp",
        }
    }

    /// How libp2p writes an address of it.
    pub(crate) fn at(self, address: SocketAddr) -> Multiaddr {
        let ip = Multiaddr::from(address.ip());
        match self {
            Self::Quic => ip
                .with(Protocol::Udp(address.port()))
                .with(Protocol::QuicV1),
            Self::Tcp => ip.with(Protocol::Tcp(address.port())),
        }
    }

    /// What an address is of.
    pub(crate) fn of(address: &Multiaddr) -> Self {
        let is_quic = address.iter().any(|part| part == Protocol::QuicV1);
        if is_quic { Self::Quic } else { Self::Tcp }
    }
}

/// Address and port of either carrier.
pub(crate) fn socket_of(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    let ip = match parts.next()? {
        Protocol::Ip4(ip) => ip.into(),
        Protocol::Ip6(ip) => ip.into(),
        _ => return None,
    };
    match parts.next()? {
        Protocol::Tcp(port) | Protocol::Udp(port) => Some(SocketAddr::new(ip, port)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_tells_its_carrier_and_its_port() {
        for address in ["127.0.0.1:7400", "[2001:db8::1]:7400"] {
            let address: SocketAddr = address.parse().unwrap();
            for carrier in Carrier::ALL {
                let written = carrier.at(address);
                assert_eq!(Carrier::of(&written), carrier);
                assert_eq!(socket_of(&written), Some(address));
            }
        }
        assert_eq!(
            Carrier::Quic.at(([127, 0, 0, 1], 7400).into()).to_string(),
            "/ip4/127.0.0.1/udp/7400/quic-v1"
        );
    }
}
