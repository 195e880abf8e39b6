//! Ports, and the clock against the group's time as the node that runs tells it.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::time::Duration;

use serde_json::Value;
use tongban_runtime::seams::WallClock as _;

use super::Finding;
use crate::commands::own_group::own_group;
use crate::commands::stopped_node::on_tasks;
use crate::configuration::Configuration;
use crate::instant::read_time;
use crate::node_access::NodeAccess;
use crate::node_process::Ready;
use crate::platform::SystemClock;

/// Beyond it the node's orders are refused; half of it is a warning.
const SKEW_FAILURE_MS: u64 = 30_000;

/// A node that answers at all answers a status from memory.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) fn examine(
    configuration: &Configuration,
    runs: Option<&Ready>,
    offline: bool,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let links = configuration.federation_listen;
    let ports = [
        ("port-http", configuration.http_listen),
        ("port-links", links),
    ];
    for (id, address) in ports {
        findings.push(port(id, Carrier::Tcp, address, runs.is_some()));
    }
    if configuration.federation_quic {
        findings.push(port("port-quic", Carrier::Udp, links, runs.is_some()));
    }
    findings.push(match (offline, runs) {
        (true, _) => Finding::skipped("clock", "--offline"),
        (false, None) => Finding::skipped(
            "clock",
            ("节点没有运行, 无从比较", "no node runs to compare with"),
        ),
        (false, Some(_)) => clock(configuration),
    });
    findings
}

/// What a port is of: each has ports of its own.
#[derive(Clone, Copy, Debug)]
enum Carrier {
    Tcp,
    Udp,
}

impl Carrier {
    fn try_port(self, address: SocketAddr) -> io::Result<()> {
        match self {
            Self::Tcp => TcpListener::bind(address).map(drop),
            Self::Udp => UdpSocket::bind(address).map(drop),
        }
    }

    /// Lists who uses a port.
    fn listing(self, address: SocketAddr) -> String {
        let letter = match self {
            Self::Tcp => 't',
            Self::Udp => 'u',
        };
        format!("ss -l{letter}np 'sport = :{}'", address.port())
    }
}

fn port(id: &'static str, carrier: Carrier, address: SocketAddr, is_ours: bool) -> Finding {
    match carrier.try_port(address) {
        Ok(()) => {
            let seen = (format!("{address} 空闲"), format!("{address} is free"));
            Finding::success(id, seen)
        }
        Err(_) if is_ours => {
            let seen = (
                format!("{address} 由本节点使用"),
                format!("{address} is used by this node"),
            );
            Finding::success(id, seen)
        }
        Err(error) => {
            let seen = format!("{address}: {error}");
            Finding::failure(id, seen, carrier.listing(address))
        }
    }
}

fn clock(configuration: &Configuration) -> Finding {
    let asked = on_tasks(async {
        let mut client = NodeAccess::of_data(&configuration.data).open(PATIENCE)?;
        client.read("/api/v1/status").await
    });
    match asked {
        Ok(status) => skew(&status, SystemClock.now().unix_ms()),
        Err(failure) => Finding::failed("clock", &failure),
    }
}

/// This machine's clock against the time of its group, which a majority's clocks carry.
fn skew(status: &Value, now_ms: i64) -> Finding {
    let own = own_group(status).filter(|own| own["has_quorum"] == true);
    let time = own.and_then(|own| own["time"].as_str());
    let Some(group) = time.and_then(|time| read_time(time).ok()) else {
        let why = (
            "本市审批组没有多数或不在本节点, 无从比较",
            "the city's group has no majority or is not here to compare with",
        );
        return Finding::skipped("clock", why);
    };
    let apart = now_ms.abs_diff(group.unix_ms());
    let seen = (
        format!("与审批组时间相差 {apart} 毫秒"),
        format!("{apart} ms apart from the group's time"),
    );
    if apart > SKEW_FAILURE_MS {
        Finding::failure("clock", seen, "timedatectl status")
    } else if apart > SKEW_FAILURE_MS / 2 {
        Finding::warning("clock", seen, "timedatectl status")
    } else {
        Finding::success("clock", seen)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Level;
    use super::*;

    #[test]
    fn a_port_that_another_has_taken_is_found_for_either_carrier() {
        let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let found = port("port-quic", Carrier::Udp, address, false);
        assert_eq!(found.level, Level::Failure);
        let cure = format!("ss -lunp 'sport = :{}'", address.port());
        assert_eq!(found.cure, Some(cure));
        let own = port("port-quic", Carrier::Udp, address, true);
        assert_eq!(own.level, Level::Success);
        drop(taken);
        let free = port("port-quic", Carrier::Udp, address, false);
        assert_eq!(free.level, Level::Success);
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let found = port("port-links", Carrier::Tcp, address, false);
        assert_eq!(found.level, Level::Failure);
        let cure = format!("ss -ltnp 'sport = :{}'", address.port());
        assert_eq!(found.cure, Some(cure));
    }

    #[test]
    fn a_clock_far_from_the_group_is_found() {
        let status = |quorum| {
            json!({"node": "350100-01", "groups": [{
                "group": "350100", "time": "1970-01-01T08:01:40.000+08:00", "has_quorum": quorum
            }]})
        };
        let level = |now_ms| skew(&status(true), now_ms).level;
        assert_eq!(level(101_000), Level::Success);
        assert_eq!(level(120_000), Level::Warning);
        assert_eq!(level(60_000), Level::Failure);
        assert_eq!(skew(&status(false), 60_000).level, Level::Skipped);
        let mut of_another = status(true);
        of_another["node"] = json!("350300-01");
        assert_eq!(skew(&of_another, 60_000).level, Level::Skipped);
    }
}
