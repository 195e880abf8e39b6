//! Which inbound connections may begin a handshake: bounded in all, by address, and for strangers, each
//! carrier by itself. TCP has proved the address it comes from; the first datagram of QUIC has proved
//! nothing, so that who writes the addresses of others into theirs fills QUIC's places and no others.

use std::net::IpAddr;

use crate::carrier::Carrier;
use crate::config::Tuning;
use crate::metrics::Denial;

/// An inbound connection in handshake.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Handshake {
    pub(crate) carrier: Carrier,
    pub(crate) from: Option<IpAddr>,
    /// Whether a node is enrolled at that address.
    pub(crate) is_machine: bool,
}

impl Handshake {
    /// Whether nothing speaks for it yet.
    fn is_stranger(&self) -> bool {
        self.carrier == Carrier::Quic || !self.is_machine
    }

    /// Why it may not begin beside those under way.
    pub(crate) fn denial<'a>(
        &self,
        under_way: impl Iterator<Item = &'a Self>,
        tuning: &Tuning,
    ) -> Option<Denial> {
        let (mut all, mut of_strangers, mut of_address) = (0, 0, 0);
        for one in under_way.filter(|one| one.carrier == self.carrier) {
            all += 1;
            of_strangers += usize::from(one.is_stranger());
            of_address += usize::from(one.from == self.from);
        }
        let is_full = self.is_stranger() && of_strangers >= tuning.pending_of_strangers_max;
        if all >= tuning.pending_max || is_full {
            return Some(Denial::Pending);
        }
        (of_address >= tuning.pending_per_address_max).then_some(Denial::PendingOfAddress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(carrier: Carrier, last: u8, is_machine: bool) -> Handshake {
        Handshake {
            carrier,
            from: Some([192, 0, 2, last].into()),
            is_machine,
        }
    }

    /// As many of them as may begin beside one another.
    fn fill(under_way: &mut Vec<Handshake>, one: Handshake) -> (usize, Denial) {
        let before = under_way.len();
        loop {
            match one.denial(under_way.iter(), &Tuning::default()) {
                Some(denial) => return (under_way.len() - before, denial),
                None => under_way.push(one),
            }
        }
    }

    #[test]
    fn datagrams_with_the_addresses_of_machines_leave_tcp_its_places() {
        let mut under_way = Vec::new();
        for last in 1..=8 {
            fill(&mut under_way, from(Carrier::Quic, last, true));
        }
        let tuning = Tuning::default();
        assert_eq!(under_way.len(), tuning.pending_of_strangers_max);
        for last in 1..=8 {
            let machine = from(Carrier::Tcp, last, true);
            assert_eq!(machine.denial(under_way.iter(), &tuning), None, "{last}");
        }
    }

    #[test]
    fn strangers_and_one_address_leave_places_to_the_others() {
        let tuning = Tuning::default();
        let mut under_way = Vec::new();
        for last in 1..=8 {
            fill(&mut under_way, from(Carrier::Tcp, last, false));
        }
        assert_eq!(under_way.len(), tuning.pending_of_strangers_max);
        let machine = from(Carrier::Tcp, 9, true);
        let (begun, denial) = fill(&mut under_way, machine);
        assert_eq!(begun, tuning.pending_per_address_max);
        assert!(matches!(denial, Denial::PendingOfAddress));
        fill(&mut under_way, from(Carrier::Tcp, 10, true));
        assert_eq!(under_way.len(), tuning.pending_max);
    }
}
