//! The network as one start of one machine sees it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use openraft_rt::{AsyncRuntime, Oneshot as _};
use tongban_runtime::seams::{Lane, Service, Transport, TransportError};
use tongban_types::NodeId;
use tongban_types::limits::FRAME_BYTES_MAX;

use super::SimNet;
use super::delivery::{Outcome, Request};
use super::links::{Direction, Route};
use crate::runtime::{SimOneshot, SimRuntime, lock};

/// The transport of one start of a machine.
#[derive(Clone, Debug)]
pub struct SimTransport {
    net: SimNet,
    node: NodeId,
    start: u64,
}

impl SimTransport {
    pub(super) fn new(net: SimNet, node: NodeId, start: u64) -> Self {
        Self { net, node, start }
    }

    /// Takes a place among the requests under way, if one may be sent at all.
    fn admit(&self, route: Route, bytes: usize) -> Result<Place, TransportError> {
        let peer = route.to;
        if bytes > FRAME_BYTES_MAX {
            let bytes_max = FRAME_BYTES_MAX;
            return Err(TransportError::TooLarge { bytes, bytes_max });
        }
        let mut state = lock(&self.net.0);
        if !state.machines.contains_key(&peer) {
            return Err(TransportError::NotEnrolled { peer });
        }
        let start = state.machines.get(&self.node).map(|machine| machine.start);
        if start != Some(self.start) {
            return Err(TransportError::Unreachable { peer });
        }
        let waiting_max = state.options.waiting_max;
        let waiting = state
            .waiting
            .entry((route.from, peer, route.lane))
            .or_default();
        if *waiting >= waiting_max {
            state.faults.busy += 1;
            return Err(TransportError::Busy { peer });
        }
        *waiting += 1;
        drop(state);
        Ok(Place {
            net: self.net.clone(),
            route,
        })
    }
}

/// A place among the requests under way, given back when the request ends or is dropped.
struct Place {
    net: SimNet,
    route: Route,
}

impl Drop for Place {
    fn drop(&mut self) {
        let key = (self.route.from, self.route.to, self.route.lane);
        if let Some(waiting) = lock(&self.net.0).waiting.get_mut(&key) {
            *waiting -= 1;
        }
    }
}

impl Transport for SimTransport {
    async fn request(
        &self,
        peer: NodeId,
        lane: Lane,
        body: Bytes,
        ttl: Duration,
    ) -> Result<Bytes, TransportError> {
        let route = Route {
            from: self.node,
            to: peer,
            lane,
            direction: Direction::Request,
        };
        let _place = self.admit(route, body.len())?;
        let (sender, outcome) = SimOneshot::channel();
        let reply = Arc::new(Mutex::new(Some(sender)));
        let request = Request { route, body, reply };
        self.net.send(&request);
        match SimRuntime::timeout(ttl, outcome).await {
            Ok(Ok(Outcome::Answered(Ok(body)))) => Ok(body),
            Ok(Ok(Outcome::Answered(Err(code)))) => Err(TransportError::Refused { peer, code }),
            Ok(Ok(Outcome::Lost)) => Err(TransportError::Unreachable { peer }),
            Ok(Ok(Outcome::Broken) | Err(_)) => Err(TransportError::Unclear { peer }),
            Err(_) => {
                let after_ms = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
                Err(TransportError::TimedOut { peer, after_ms })
            }
        }
    }

    fn serve(&self, service: Arc<dyn Service>) {
        let mut state = lock(&self.net.0);
        let machine = state.machines.get_mut(&self.node);
        let replaced = match machine {
            Some(machine) if machine.start == self.start => machine.service.replace(service),
            _ => Some(service),
        };
        drop(state);
        drop(replaced);
    }

    fn connected(&self) -> Vec<NodeId> {
        let state = lock(&self.net.0);
        let is_connected = |other: NodeId| {
            other != self.node
                && !state.links.is_cut(self.node, other)
                && !state.links.is_cut(other, self.node)
        };
        let machines = state.machines.iter();
        machines
            .filter(|(node, machine)| machine.service.is_some() && is_connected(**node))
            .map(|(node, _)| *node)
            .collect()
    }
}
