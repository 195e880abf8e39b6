//! Places for what takes memory or a thread for as long as it lasts: so many in all, and so many of one
//! token, so that nobody keeps the others out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use tongban_types::{Code, Hash};

use crate::limits::{
    COUNTINGS_MAX, COUNTINGS_OF_ONE_MAX, STREAMS_MAX, STREAMS_OF_ONE_MAX, TRANSFERS_MAX,
    TRANSFERS_OF_ONE_MAX,
};
use crate::problem::Problem;

/// Places of one kind.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    all: usize,
    of_one: usize,
    taken: Arc<Mutex<BTreeMap<Hash, usize>>>,
}

/// One place, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    token: Hash,
    places: Places,
}

/// The places of a node, by what they are for.
#[derive(Clone, Debug)]
pub(crate) struct AllPlaces {
    /// Streams of events.
    pub(crate) streams: Places,
    /// Bytes of files on their way in.
    pub(crate) uploads: Places,
    /// Bytes of files on their way out.
    pub(crate) downloads: Places,
    /// Exact counts.
    pub(crate) countings: Places,
}

impl Default for AllPlaces {
    fn default() -> Self {
        Self {
            streams: Places::of(STREAMS_MAX, STREAMS_OF_ONE_MAX),
            uploads: Places::of(TRANSFERS_MAX, TRANSFERS_OF_ONE_MAX),
            downloads: Places::of(TRANSFERS_MAX, TRANSFERS_OF_ONE_MAX),
            countings: Places::of(COUNTINGS_MAX, COUNTINGS_OF_ONE_MAX),
        }
    }
}

impl Places {
    fn of(all: usize, of_one: usize) -> Self {
        Self {
            all,
            of_one,
            taken: Arc::default(),
        }
    }

    fn taken(&self) -> MutexGuard<'_, BTreeMap<Hash, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for the holder of a token; where there is none, a problem that passes, by this code.
    pub(crate) fn take(&self, token: Hash, code: Code) -> Result<Place, Problem> {
        let mut taken = self.taken();
        let all: usize = taken.values().sum();
        let theirs = taken.get(&token).copied().unwrap_or(0);
        if all >= self.all || theirs >= self.of_one {
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, code).retry_later());
        }
        taken.insert(token, theirs + 1);
        drop(taken);
        let places = self.clone();
        Ok(Place { token, places })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        if let Some(theirs) = taken.get_mut(&self.token) {
            *theirs -= 1;
            if *theirs == 0 {
                taken.remove(&self.token);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_its_share_and_what_is_given_back_is_taken_again() {
        let places = Places::of(3, 2);
        let take = |token| places.take(Hash([token; 32]), Code::NODE_BUSY);
        let first = take(1).unwrap();
        let second = take(1).unwrap();
        assert!(take(1).is_err());
        let others = take(2).unwrap();
        assert!(take(3).is_err(), "all are taken");
        drop(second);
        drop(others);
        let again = take(1).unwrap();
        drop((first, again));
        assert!(places.taken().is_empty());
    }
}
