//! How often one caller may ask, by the generic cell rate algorithm (ITU-T I.371): each asking moves
//! the time at which the next one would be on schedule, and an asking too far ahead of its schedule is
//! refused. A caller is a token, or without one that opens anything an address. What orders, what
//! reads and what nobody is known to ask are counted apart.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use axum::http::{HeaderValue, Method, StatusCode, header};
use tokio::time::Instant;
use tongban_types::{Code, Hash};

use crate::limits::{
    CALLERS_MAX, OPEN_PER_SECOND, ORDERS_PER_SECOND, PER_SECOND_MAX, READS_PER_SECOND,
};
use crate::problem::Problem;

/// How often one caller may ask, a second; twice as often for one second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// What reads.
    pub reads_per_second: u32,
    /// What creates and acts.
    pub orders_per_second: u32,
    /// What nobody is known to ask: probes, the description, wrong tokens.
    pub open_per_second: u32,
}

impl Rates {
    /// As often as a machine can: for measuring and for tests.
    pub const UNBOUNDED: Self = Self {
        reads_per_second: PER_SECOND_MAX,
        orders_per_second: PER_SECOND_MAX,
        open_per_second: PER_SECOND_MAX,
    };
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            reads_per_second: READS_PER_SECOND,
            orders_per_second: ORDERS_PER_SECOND,
            open_per_second: OPEN_PER_SECOND,
        }
    }
}

/// The rates that are in force, changed while the API is served.
#[derive(Clone, Debug, Default)]
pub struct RatesInForce(Arc<RwLock<Rates>>);

impl RatesInForce {
    /// From now on.
    pub fn set(&self, rates: Rates) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = rates;
    }

    fn get(&self) -> Rates {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Rates> for RatesInForce {
    fn from(rates: Rates) -> Self {
        Self(Arc::new(RwLock::new(rates)))
    }
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Caller {
    /// The holder of a token that opens something.
    Token(Hash),
    /// Whoever else is there.
    Address(IpAddr),
    /// Everybody for whom there is no room in the book: they share one schedule.
    Others,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Order,
    Read,
    Open,
    Probe,
}

/// The schedules of all callers.
#[derive(Debug)]
pub(crate) struct Schedules {
    rates: RatesInForce,
    next: Mutex<BTreeMap<(Caller, Class), Instant>>,
}

impl Schedules {
    pub(crate) fn new(rates: impl Into<RatesInForce>) -> Self {
        Self {
            rates: rates.into(),
            next: Mutex::default(),
        }
    }

    /// Whether this asking is on schedule.
    pub(crate) fn admit(
        &self,
        caller: Caller,
        method: &Method,
        is_probe: bool,
    ) -> Result<(), Problem> {
        let class = match caller {
            _ if is_probe => Class::Probe,
            Caller::Address(_) | Caller::Others => Class::Open,
            Caller::Token(_) if method.is_safe() => Class::Read,
            Caller::Token(_) => Class::Order,
        };
        let rates = self.rates.get();
        let per_second = match class {
            Class::Open | Class::Probe => rates.open_per_second,
            Class::Read => rates.reads_per_second,
            Class::Order => rates.orders_per_second,
        };
        self.admit_at(Instant::now(), caller, class, per_second)
            .map_err(too_often)
    }

    /// Admits an asking, or says how long until it would be admitted.
    fn admit_at(
        &self,
        now: Instant,
        caller: Caller,
        class: Class,
        per_second: u32,
    ) -> Result<(), Duration> {
        let step = Duration::from_secs(1) / per_second.max(1);
        // Two seconds' worth at once.
        let ahead_max = step * per_second.max(1).saturating_mul(2).saturating_sub(1);
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = (caller, class);
        if !next.contains_key(&key) && next.len() >= CALLERS_MAX {
            // Whoever is back on schedule is as one who never asked.
            next.retain(|_, on_schedule| *on_schedule > now);
            if next.len() >= CALLERS_MAX {
                let shared = if class == Class::Probe {
                    class
                } else {
                    Class::Open
                };
                key = (Caller::Others, shared);
            }
        }
        let on_schedule = next.get(&key).map_or(now, |next| (*next).max(now));
        let ahead = on_schedule.saturating_duration_since(now);
        if let Some(wait) = ahead.checked_sub(ahead_max).filter(|wait| !wait.is_zero()) {
            return Err(wait);
        }
        next.insert(key, on_schedule + step);
        Ok(())
    }
}

fn too_often(wait: Duration) -> Problem {
    let seconds = wait.as_secs() + 1;
    let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, Code::TOO_OFTEN);
    match HeaderValue::try_from(seconds.to_string()) {
        Ok(seconds) => problem.header(header::RETRY_AFTER, seconds),
        Err(_) => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: Rates = Rates {
        reads_per_second: 100,
        orders_per_second: 10,
        open_per_second: 10,
    };

    fn address(last: u32) -> Caller {
        Caller::Address(IpAddr::from(last.to_be_bytes()))
    }

    #[test]
    fn two_seconds_worth_is_admitted_at_once_and_then_one_a_step() {
        let schedules = Schedules::new(RATES);
        let caller = Caller::Token(Hash([1; 32]));
        let begun = Instant::now();
        let admit = |after_ms| {
            let now = begun + Duration::from_millis(after_ms);
            schedules.admit_at(now, caller, Class::Order, 10)
        };
        assert_eq!((0..20).filter(|_| admit(0).is_ok()).count(), 20);
        assert_eq!(admit(0), Err(Duration::from_millis(100)));
        assert_eq!(admit(99), Err(Duration::from_millis(1)));
        assert_eq!(admit(100), Ok(()));
        assert!(admit(100).is_err());
        assert_eq!((0..30).filter(|_| admit(5_000).is_ok()).count(), 20);
    }

    #[test]
    fn callers_and_classes_have_schedules_of_their_own() {
        let schedules = Schedules::new(RATES);
        let (first, second) = (Caller::Token(Hash([1; 32])), Caller::Token(Hash([2; 32])));
        while schedules.admit(first, &Method::POST, false).is_ok() {}
        assert!(schedules.admit(first, &Method::GET, false).is_ok());
        assert!(schedules.admit(second, &Method::POST, false).is_ok());
    }

    #[test]
    fn a_loud_address_takes_nothing_from_the_probes_behind_it() {
        let schedules = Schedules::new(RATES);
        while schedules.admit(address(1), &Method::GET, false).is_ok() {}
        assert!(schedules.admit(address(1), &Method::GET, true).is_ok());
        while schedules.admit(address(1), &Method::GET, true).is_ok() {}
        assert!(schedules.admit(address(2), &Method::GET, true).is_ok());
    }

    #[test]
    fn the_book_of_callers_does_not_grow_without_end() {
        let schedules = Schedules::new(RATES);
        let now = Instant::now();
        let callers = u32::try_from(CALLERS_MAX).unwrap();
        for caller in 0..callers + 50 {
            // Those without a place share one schedule.
            let admitted = schedules.admit_at(now, address(caller), Class::Open, 10);
            assert_eq!(admitted.is_ok(), caller < callers + 20, "{caller}");
        }
        assert!(schedules.next.lock().unwrap().len() <= CALLERS_MAX + 1);
        let later = now + Duration::from_secs(10);
        assert!(
            schedules
                .admit_at(later, address(u32::MAX), Class::Open, 10)
                .is_ok()
        );
        assert_eq!(schedules.next.lock().unwrap().len(), 1);
    }
}
