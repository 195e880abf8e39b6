//! What the nodes of the cities are linked by, as they say it: QUIC or TCP, a pair at a time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::sleep;
use tongban_api::Said;
use tongban_types::Code;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::staging::Federation;

/// The names the API has for what a link runs on.
pub(super) const QUIC: &str = "quic";
pub(super) const TCP: &str = "tcp";

/// A link that broke is dialed again within seconds.
const LINK_TIME_MAX: Duration = Duration::from_secs(20);

const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What each linked pair of nodes is linked by; a pair is two places, the lower first.
#[derive(Debug, Default)]
pub(super) struct Lines(BTreeMap<(usize, usize), String>);

impl Lines {
    /// Asks every node, until a pair is linked.
    pub(super) async fn look(
        federation: &Federation,
        pair: (usize, usize),
    ) -> Result<Self, Failure> {
        let begun = Instant::now();
        loop {
            let mut lines = Self::default();
            for place in 0..federation.layout.sites.len() {
                lines.enter(federation, place, &federation.peers(place).await?);
            }
            if !lines.carrier_of(pair).is_empty() {
                return Ok(lines);
            }
            if begun.elapsed() > LINK_TIME_MAX {
                let (one, two) = (federation.city(pair.0).name, federation.city(pair.1).name);
                let says = Said::new(
                    format!("{one} – {two}: 没有连接"),
                    format!("{one} – {two}: not linked"),
                );
                let (code, exit) = (Code::DEMO_CLAIM_BROKEN, Exit::Unreachable);
                return Err(Failure::told(code, exit, says));
            }
            sleep(LOOK_EVERY).await;
        }
    }

    fn enter(&mut self, federation: &Federation, place: usize, page: &Value) {
        let peers = page["peers"].as_array().map(Vec::as_slice);
        for peer in peers.unwrap_or_default() {
            let node = peer["node"].as_str().unwrap_or_default();
            let mut sites = federation.layout.sites.iter();
            let other = sites.position(|site| site.node.to_string() == node);
            let carrier = peer["carrier"].as_str();
            if let (Some(other), Some(carrier)) = (other, carrier) {
                self.0.insert(sorted((place, other)), carrier.to_owned());
            }
        }
    }

    /// What a pair is linked by; empty if it is not.
    pub(super) fn carrier_of(&self, pair: (usize, usize)) -> &str {
        self.0.get(&sorted(pair)).map_or("", String::as_str)
    }

    /// How many pairs are linked by that.
    pub(super) fn count(&self, carrier: &str) -> usize {
        self.0.values().filter(|found| *found == carrier).count()
    }

    /// What the links of one node run on.
    pub(super) fn of(&self, place: usize) -> impl Iterator<Item = &str> {
        let links = self.0.iter();
        let links = links.filter(move |((one, two), _)| *one == place || *two == place);
        links.map(|(_, carrier)| carrier.as_str())
    }
}

fn sorted((one, two): (usize, usize)) -> (usize, usize) {
    (one.min(two), one.max(two))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_the_same_from_either_end_and_counted_once() {
        let mut lines = Lines::default();
        for (pair, carrier) in [((0, 4), QUIC), ((4, 0), QUIC), ((5, 0), TCP)] {
            lines.0.insert(sorted(pair), carrier.to_owned());
        }
        assert_eq!(
            (lines.carrier_of((4, 0)), lines.carrier_of((0, 5))),
            (QUIC, TCP)
        );
        assert_eq!((lines.count(QUIC), lines.count(TCP)), (1, 1));
        assert_eq!(lines.of(0).collect::<Vec<_>>(), [QUIC, TCP]);
        assert_eq!(lines.carrier_of((1, 2)), "");
    }
}
