//! Only enrolled nodes pass, by the key they prove.

use tongban_net::{Denial, Directory, Libp2pTransport, NetConfig, NetError};
use tongban_runtime::seams::{Transport, TransportError};

use crate::support::{Node, any_port, eventually, node_id, pair, peer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_not_enrolled_is_refused_in_both_directions_and_counted() {
    let (one, two) = (Node::start(1).await, Node::start(2).await);
    one.knows(&[&two]);

    let refused = one.ask(&two, "let me in").await;
    assert_eq!(refused, Err(TransportError::Unreachable { peer: two.id() }));
    assert!(two.transport.metrics().denied[&Denial::NotEnrolled] >= 1);
    let not_sent = two.ask(&one, "who are you").await;
    assert_eq!(
        not_sent,
        Err(TransportError::NotEnrolled { peer: one.id() })
    );
    assert_eq!(two.service.started() + one.service.started(), 0);
    assert!(one.transport.connected().is_empty() && two.transport.connected().is_empty());

    two.knows(&[&one]);
    assert_eq!(
        one.ask_until_answered(&two, "enrolled now").await,
        "enrolled now"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_key_at_the_address_of_a_node_is_refused() {
    let (one, two) = (Node::start(1).await, Node::start(2).await);
    let impersonated = peer(9, two.address);
    one.transport
        .set_directory(Directory::new([(two.id(), impersonated)]).unwrap());
    two.knows(&[&one]);

    let refused = one.ask(&two, "a secret").await;
    assert_eq!(refused, Err(TransportError::Unreachable { peer: two.id() }));
    assert_eq!(one.transport.metrics().denied[&Denial::WrongKey], 1);
    assert_eq!(two.service.started(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn removing_a_node_closes_its_connections_and_ends_what_waits() {
    let (one, two) = pair().await;
    let waiting = one.ask(&two, "hold");
    let removal = async {
        eventually("the request is started", || two.service.started() == 1).await;
        one.knows(&[]);
    };
    let (ended, ()) = tokio::join!(waiting, removal);
    assert_eq!(ended, Err(TransportError::Unclear { peer: two.id() }));
    eventually("the connection is closed on both sides", || {
        let open = |node: &Node| node.transport.metrics().connections;
        open(&one) == 0 && open(&two) == 0 && two.transport.connected().is_empty()
    })
    .await;
    assert_eq!(
        one.ask(&two, "again").await,
        Err(TransportError::NotEnrolled { peer: two.id() })
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_enrolled_with_a_new_key_loses_the_connection_of_the_old_one() {
    let (one, two) = pair().await;
    assert!(one.ask(&two, "hello").await.is_ok());
    let renewed = peer(9, two.address);
    one.transport
        .set_directory(Directory::new([(two.id(), renewed)]).unwrap());
    eventually("the connection is closed", || {
        one.transport.metrics().connections == 0
    })
    .await;
    assert!(one.ask(&two, "hello").await.is_err());
}

#[tokio::test]
async fn a_machine_with_another_key_than_enrolled_does_not_start() {
    let start = |identity: u8, me: u8| {
        let peers = Directory::new([(node_id(1), peer(1, any_port()))]).unwrap();
        Libp2pTransport::start(NetConfig {
            me: node_id(me),
            identity: [identity; 32],
            listen: vec![any_port()],
            quic: true,
            peers,
        })
    };
    assert!(matches!(start(2, 1).await, Err(NetError::OwnKey { .. })));
    assert!(matches!(start(1, 2).await, Err(NetError::OwnKey { .. })));
    assert!(start(1, 1).await.is_ok());
}

#[tokio::test]
async fn a_port_in_use_is_a_clear_error() {
    let node = Node::start(1).await;
    let config = NetConfig {
        me: node_id(2),
        identity: [2; 32],
        listen: vec![node.address],
        quic: true,
        peers: Directory::default(),
    };
    let error = Libp2pTransport::start(config).await.unwrap_err();
    assert!(matches!(error, NetError::Listen { address, .. } if address == node.address));
    assert_eq!(error.code().to_string(), "TB6004");
}
