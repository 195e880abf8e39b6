//! Why the links of this node do not start.

use std::error::Error;

use tongban_api::Said;
use tongban_net::NetError;

pub(super) fn of(error: &(dyn Error + 'static)) -> Option<Said> {
    error.downcast_ref::<NetError>().map(links)
}

/// What it says, less its cause.
fn links(error: &NetError) -> Said {
    let zh = match error {
        NetError::MalformedKey { node } => format!("节点 {node} 的传输密钥不是 Ed25519 公钥"),
        NetError::SharedKey { first, second } => {
            format!("节点 {first} 和 {second} 登记了同一把传输密钥")
        }
        NetError::OwnKey { me } => format!("本机的传输密钥不是为节点 {me} 登记的那把"),
        NetError::Listen { address, .. } => format!("无法在 {address} 监听连接"),
    };
    Said::new(zh, error.to_string())
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::net::SocketAddr;

    use tongban_types::NodeId;

    use super::super::line;
    use super::super::tests::assert_said;
    use super::*;

    #[test]
    fn every_reason_of_the_links_not_to_start_is_said_in_both_languages() {
        let node: NodeId = "350100-01".parse().unwrap();
        let other: NodeId = "350100-02".parse().unwrap();
        let in_use = NetError::Listen {
            address: SocketAddr::from(([127, 0, 0, 1], 7_400)),
            source: io::Error::other("address in use"),
        };
        let said = line(&in_use);
        assert_eq!(said.zh, "无法在 127.0.0.1:7400 监听连接: address in use");
        for error in [
            NetError::MalformedKey { node },
            NetError::SharedKey {
                first: node,
                second: other,
            },
            NetError::OwnKey { me: node },
            in_use,
        ] {
            assert_said(&error);
        }
    }
}
