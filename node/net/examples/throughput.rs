//! Small round trips a second between two nodes in one process, over loopback QUIC, or TCP
//! with Noise and Yamux where the fourth word is `tcp`:
//! `cargo run --release -p tongban-net --example throughput -- [in flight] [seconds] [bytes] [tcp]`.
#![expect(clippy::print_stdout, reason = "an example reports to its terminal")]

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::join_all;
use libp2p::identity::Keypair;
use tongban_net::{Directory, Libp2pTransport, NetConfig, Peer};
use tongban_runtime::seams::{Lane, Service, Transport};
use tongban_types::{Code, NodeId, PublicKey};

struct Echo;

#[async_trait]
impl Service for Echo {
    async fn call(&self, _: NodeId, _: Lane, body: Bytes) -> Result<Bytes, Code> {
        Ok(body)
    }
}

fn quic_on() -> bool {
    std::env::args().nth(4).as_deref() != Some("tcp")
}

async fn start(number: u8) -> Result<(Libp2pTransport, NodeId, Peer), Box<dyn Error>> {
    let me = NodeId::new("350100".parse()?, number)?;
    let seed = [number; 32];
    let config = NetConfig {
        me,
        identity: seed,
        listen: vec!["127.0.0.1:0".parse()?],
        quic: quic_on(),
        peers: Directory::default(),
    };
    let (transport, addresses) = Libp2pTransport::start(config).await?;
    transport.serve(Arc::new(Echo));
    let key = Keypair::ed25519_from_bytes(seed)?
        .public()
        .try_into_ed25519()?;
    let peer = Peer {
        key: PublicKey(key.to_bytes()),
        addresses,
    };
    Ok((transport, me, peer))
}

async fn ask(transport: &Libp2pTransport, to: NodeId, body: &Bytes, until: Instant) -> u32 {
    let mut answered = 0;
    while Instant::now() < until {
        let ttl = Duration::from_secs(10);
        let asked = transport.request(to, Lane::RaftAppend, body.clone(), ttl);
        answered += u32::from(asked.await.is_ok());
    }
    answered
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut argument = |default: u32| arguments.next().map_or(Ok(default), |text| text.parse());
    let (in_flight, seconds, bytes) = (argument(64)?, argument(3)?, argument(100)?);

    let (one, one_id, one_peer) = start(1).await?;
    let (two, two_id, two_peer) = start(2).await?;
    one.set_directory(Directory::new([(two_id, two_peer)])?);
    two.set_directory(Directory::new([(one_id, one_peer)])?);

    let one = Arc::new(one);
    let body = Bytes::from(vec![7; bytes as usize]);
    let until = Instant::now() + Duration::from_secs(seconds.into());
    let tasks = (0..in_flight).map(|_| {
        let (one, body) = (Arc::clone(&one), body.clone());
        tokio::spawn(async move { ask(&one, two_id, &body, until).await })
    });
    let mut answered = 0;
    for count in join_all(tasks).await {
        answered += count?;
    }
    let rate = answered / seconds.max(1);
    println!("{rate} round trips/s of {bytes} bytes, {in_flight} in flight");
    one.shut_down().await;
    two.shut_down().await;
    Ok(())
}
