//! Free loopback ports, by TCP and UDP alike, outside the range the system gives to outgoing connections, so that a port
//! stays free while its process is down.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};

use anyhow::bail;
use tongban_runtime::seams::Entropy as _;

use crate::platform::OsEntropy;

/// Below Linux' own range for outgoing connections, which begins at 32768.
const FIRST: u64 = 20_000;
const COUNT: u64 = 12_000;

/// Tries for one port; a machine on which thousands are taken is no place for a demonstration.
const TRIES_MAX: usize = 1_000;

/// `count` different free ports.
pub(crate) fn free_ports(count: usize) -> anyhow::Result<Vec<u16>> {
    let mut held = Vec::with_capacity(count);
    for _ in 0..TRIES_MAX {
        if held.len() == count {
            break;
        }
        let port = u16::try_from(FIRST + OsEntropy.next_u64() % COUNT)?;
        // Held until all are found, so that none is found twice.
        let address = (Ipv4Addr::LOCALHOST, port);
        if let (Ok(tcp), Ok(udp)) = (TcpListener::bind(address), UdpSocket::bind(address)) {
            held.push((port, tcp, udp));
        }
    }
    if held.len() < count {
        bail!("本机没有足够的空闲端口 (not enough free ports here)");
    }
    Ok(held.into_iter().map(|(port, _, _)| port).collect())
}
