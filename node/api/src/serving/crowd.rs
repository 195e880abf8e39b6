//! How many connections each address has: one that opens all it can must leave places to others.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedSemaphorePermit;

use crate::limits::CONNECTIONS_OF_ONE_ADDRESS_MAX;

/// Connections by address; an address without any is not in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Crowd {
    by_address: Arc<Mutex<BTreeMap<IpAddr, usize>>>,
}

/// A connection's place, given back when it ends.
#[derive(Debug)]
pub(super) struct Place {
    from: IpAddr,
    crowd: Crowd,
    _of_all: OwnedSemaphorePermit,
}

impl Crowd {
    /// A place for one more connection of an address; `None` where it has all it may have.
    pub(super) fn admit(&self, from: IpAddr, of_all: OwnedSemaphorePermit) -> Option<Place> {
        let mut by_address = self
            .by_address
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let count = by_address.entry(from).or_default();
        if *count >= CONNECTIONS_OF_ONE_ADDRESS_MAX {
            return None;
        }
        *count += 1;
        drop(by_address);
        Some(Place {
            from,
            crowd: self.clone(),
            _of_all: of_all,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let by_address = &self.crowd.by_address;
        let mut by_address = by_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = by_address.get_mut(&self.from) {
            *count -= 1;
            if *count == 0 {
                by_address.remove(&self.from);
            }
        }
    }
}

/// The address by which a client is counted. Whoever has an IPv6 address has the 2^64 of its network
/// (RFC 4291 §2.5.1), and is one client by all of them.
pub(super) fn caller_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() >> 64 << 64;
            Ipv6Addr::from_bits(network).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::Semaphore;

    use super::*;

    #[test]
    fn the_addresses_of_one_network_are_one_client() {
        let of = |address: &str| caller_of(address.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1:2:3"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }

    #[tokio::test]
    async fn an_address_has_its_share_of_places_and_gets_them_back() {
        let crowd = Crowd::default();
        let places = Arc::new(Semaphore::new(2 * CONNECTIONS_OF_ONE_ADDRESS_MAX));
        let greedy = "192.0.2.1".parse().unwrap();
        let other = "192.0.2.2".parse().unwrap();
        let permit = || Arc::clone(&places).try_acquire_owned().unwrap();
        let mut held: Vec<Place> = (0..CONNECTIONS_OF_ONE_ADDRESS_MAX)
            .map(|_| crowd.admit(greedy, permit()).unwrap())
            .collect();
        assert!(crowd.admit(greedy, permit()).is_none());
        let elsewhere = crowd.admit(other, permit()).unwrap();
        drop(held.pop());
        assert!(crowd.admit(greedy, permit()).is_some());
        drop((held, elsewhere));
        assert!(crowd.by_address.lock().unwrap().is_empty());
        assert_eq!(
            places.available_permits(),
            2 * CONNECTIONS_OF_ONE_ADDRESS_MAX
        );
    }
}
