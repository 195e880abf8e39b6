//! The machine seen from outside: stories over cities of a small federation, properties over
//! arbitrary logs, the ownership protocol under a model checker, and the bytes it stores.

#![expect(
    clippy::unwrap_used,
    reason = "the lint knows only functions marked as tests, not the fixture they stand on"
)]

mod common;

mod arbitrary;
mod golden;
mod ownership_model;
mod properties;
mod refusals;
mod story_certificates;
mod story_deadlines;
mod story_foresight;
mod story_forms;
mod story_group_time;
mod story_key_times;
mod story_memory;
mod story_one_city;
mod story_parcels;
mod story_placement;
mod story_trust;
mod story_two_cities;
mod story_withdrawal;
