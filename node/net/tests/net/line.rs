//! A line to a node that carries TCP and UDP on one port number, each of which can be cut without
//! either end being told: nothing is carried any longer, and nothing is closed.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::support::any_port;

/// Larger than any datagram.
const DATAGRAM_BYTES: usize = 65_536;

pub(crate) struct Line {
    pub(crate) address: SocketAddr,
    tcp_cut: watch::Sender<bool>,
    udp_cut: watch::Sender<bool>,
    tcp: AbortHandle,
}

impl Line {
    pub(crate) async fn to(target: SocketAddr) -> Self {
        let (tcp, udp) = both_on_one_port().await;
        let address = tcp.local_addr().unwrap();
        let (tcp_cut, tcp_is_cut) = watch::channel(false);
        let (udp_cut, udp_is_cut) = watch::channel(false);
        let tcp = tokio::spawn(carry_tcp(tcp, target, tcp_is_cut)).abort_handle();
        tokio::spawn(carry_udp(udp, target, udp_is_cut));
        Self {
            address,
            tcp_cut,
            udp_cut,
            tcp,
        }
    }

    /// From now on as when the node at its end is killed: UDP says nothing, and TCP is refused.
    pub(crate) fn kill(&self) {
        self.udp_cut.send_replace(true);
        self.tcp.abort();
    }

    pub(crate) fn cut(&self, tcp: bool, udp: bool) {
        self.tcp_cut.send_replace(tcp);
        self.udp_cut.send_replace(udp);
    }
}

async fn both_on_one_port() -> (TcpListener, UdpSocket) {
    loop {
        let tcp = TcpListener::bind(any_port()).await.unwrap();
        if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()).await {
            return (tcp, udp);
        }
    }
}

async fn carry_tcp(listener: TcpListener, target: SocketAddr, is_cut: watch::Receiver<bool>) {
    loop {
        let (mut near, _) = listener.accept().await.unwrap();
        let mut is_cut = is_cut.clone();
        tokio::spawn(async move {
            if !*is_cut.borrow() {
                let mut far = TcpStream::connect(target).await.unwrap();
                tokio::select! {
                    _ = copy_bidirectional(&mut near, &mut far) => return,
                    _ = is_cut.wait_for(|cut| *cut) => {}
                }
                // Both sockets stay open, and silent, until the line is whole again.
                let _ = is_cut.wait_for(|cut| !*cut).await;
                return;
            }
            let _ = is_cut.wait_for(|cut| !*cut).await;
        });
    }
}

async fn carry_udp(near: UdpSocket, target: SocketAddr, is_cut: watch::Receiver<bool>) {
    let near = Arc::new(near);
    let mut ways: HashMap<SocketAddr, Arc<UdpSocket>> = HashMap::new();
    let mut datagram = vec![0; DATAGRAM_BYTES];
    loop {
        let Ok((bytes, from)) = near.recv_from(&mut datagram).await else {
            continue;
        };
        if *is_cut.borrow() {
            continue;
        }
        let way = if let Some(far) = ways.get(&from) {
            far.clone()
        } else {
            let far = Arc::new(UdpSocket::bind(any_port()).await.unwrap());
            far.connect(target).await.unwrap();
            ways.insert(from, far.clone());
            let back = carry_back(far.clone(), near.clone(), from, is_cut.clone());
            tokio::spawn(back);
            far
        };
        let _ = way.send(&datagram[..bytes]).await;
    }
}

async fn carry_back(
    far: Arc<UdpSocket>,
    near: Arc<UdpSocket>,
    to: SocketAddr,
    is_cut: watch::Receiver<bool>,
) {
    let mut datagram = vec![0; DATAGRAM_BYTES];
    loop {
        if let Ok(bytes) = far.recv(&mut datagram).await
            && !*is_cut.borrow()
        {
            let _ = near.send_to(&datagram[..bytes], to).await;
        }
    }
}
