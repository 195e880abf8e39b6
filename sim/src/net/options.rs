//! How the network behaves, and what it did.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::runtime::Chance;

/// How a network behaves. May be changed while it runs.
#[derive(Clone, Debug)]
pub struct NetOptions {
    /// One way between machines of one province.
    pub near: RangeInclusive<Duration>,
    /// One way between provinces.
    pub far: RangeInclusive<Duration>,
    /// How often a message is delayed beyond that.
    pub spike: Chance,
    /// By how much.
    pub spike_delay: RangeInclusive<Duration>,
    /// How often a request is lost.
    pub loss: Chance,
    /// How often an answer is lost, after the request was carried out.
    pub answer_loss: Chance,
    /// How often a request arrives twice.
    pub duplicate: Chance,
    /// How often a message need not keep the order of its lane; appends always do, as the
    /// transport promises.
    pub reorder: Chance,
    /// Requests under way to one peer on one lane; one more is refused as `Busy`.
    pub waiting_max: usize,
}

impl Default for NetOptions {
    /// The distances of the six cities, and no faults.
    fn default() -> Self {
        Self {
            near: Duration::from_micros(500)..=Duration::from_millis(4),
            far: Duration::from_millis(15)..=Duration::from_millis(60),
            spike: Chance::NEVER,
            spike_delay: Duration::from_millis(100)..=Duration::from_secs(3),
            loss: Chance::NEVER,
            answer_loss: Chance::NEVER,
            duplicate: Chance::NEVER,
            reorder: Chance::NEVER,
            // As the real network bounds it.
            waiting_max: 1_024,
        }
    }
}

impl NetOptions {
    /// The same distances without faults.
    #[must_use]
    pub fn calm(self) -> Self {
        Self {
            near: self.near,
            far: self.far,
            waiting_max: self.waiting_max,
            ..Self::default()
        }
    }
}

/// What the network did, and how often each fault was really hit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetFaults {
    /// Requests handed to a service, twice if they arrived twice.
    pub delivered: u64,
    /// Answers handed to those who asked.
    pub answered: u64,
    /// Requests lost at random.
    pub requests_lost: u64,
    /// Answers lost at random after the request was carried out.
    pub answers_lost: u64,
    /// Requests that arrived twice.
    pub duplicated: u64,
    /// Messages delayed beyond their distance.
    pub spiked: u64,
    /// Messages that overtook another of their lane.
    pub overtaken: u64,
    /// Messages that ended at a cut.
    pub cut: u64,
    /// Requests to a machine that was down.
    pub down: u64,
    /// Requests whose handler was killed with its machine.
    pub handlers_killed: u64,
    /// Answers to a request already answered or given up, or to a machine switched off meanwhile.
    pub answers_vanished: u64,
    /// Requests refused because too many were under way.
    pub busy: u64,
}
