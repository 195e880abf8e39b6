//! Free loopback ports, by TCP and UDP alike, outside the range the system gives to outgoing connections, so that a port
//! stays free while its process is down, and reserved until this process ends.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};

use anyhow::bail;
use tongban_runtime::seams::Entropy as _;

use crate::platform::OsEntropy;

/// Below Linux' own range for outgoing connections, which begins at 32768.
const FIRST: u64 = 20_000;
const COUNT: u64 = 12_000;

/// Tries for one port; a machine on which thousands are taken is no place for a demonstration.
const TRIES_MAX: usize = 1_000;

/// Another address of this machine. Whoever listens here on a port has reserved it on [`Ipv4Addr::LOCALHOST`]:
/// two processes that look for ports at once would find the same ones free otherwise, before either's nodes
/// listen and again whenever one of them is down. The tests of the whole program reserve theirs likewise.
const RESERVED_AT: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 84);

/// `count` different free ports, which nobody else who looks here finds before this process ends.
pub(crate) fn free_ports(count: usize) -> anyhow::Result<Vec<u16>> {
    let mut found = Vec::with_capacity(count);
    for _ in 0..TRIES_MAX {
        if found.len() == count {
            break;
        }
        let port = u16::try_from(FIRST + OsEntropy.next_u64() % COUNT)?;
        if let Some(reservation) = reserve(port) {
            found.push((port, reservation));
        }
    }
    if found.len() < count {
        bail!("本机没有足够的空闲端口 (not enough free ports here)");
    }
    // The processes that will listen there are this one's, and end with it.
    let keep = |(port, reservation): (u16, TcpListener)| {
        Box::leak(Box::new(reservation));
        port
    };
    Ok(found.into_iter().map(keep).collect())
}

/// What holds a port, if it is free and nobody else has reserved it.
fn reserve(port: u16) -> Option<TcpListener> {
    let reservation = TcpListener::bind((RESERVED_AT, port)).ok()?;
    let address = (Ipv4Addr::LOCALHOST, port);
    TcpListener::bind(address).ok()?;
    UdpSocket::bind(address).ok()?;
    Some(reservation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_given_out_once_though_nobody_listens_there() {
        let port = free_ports(1).unwrap()[0];
        assert!(reserve(port).is_none());
        assert!(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok());
        assert!(UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok());
    }

    #[test]
    fn a_port_in_use_is_not_reserved() {
        // Outside of what others look for meanwhile.
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        assert!(reserve(port).is_none());
        assert!(TcpListener::bind((RESERVED_AT, port)).is_ok());
    }
}
