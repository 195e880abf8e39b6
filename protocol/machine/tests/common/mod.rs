//! A small federation to tell stories in: six cities of one node each, whose groups vote in a ring.
//! [`City`](city::City) is one group's log and state; parcels go from one to the other by
//! [`carry`](road::carry).

pub(crate) mod acts;
pub(crate) mod city;
pub(crate) mod federation;
pub(crate) mod invariants;
pub(crate) mod keys;
pub(crate) mod road;
pub(crate) mod stages;

pub(crate) mod prelude {
    //! What every story needs.

    pub(crate) use super::acts::*;
    pub(crate) use super::city::*;
    pub(crate) use super::federation::*;
    pub(crate) use super::keys::*;
    pub(crate) use super::road::*;
    pub(crate) use super::stages::*;
}
