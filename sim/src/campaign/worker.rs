//! One of several processes that share the seeds: a line a seed, then the counts.

use std::collections::BTreeMap;

use super::command_line::Arguments;
use super::tally::Report;
use crate::output::line;
use crate::world;

/// Runs every `stride`-th seed; with a planted fault, until it is found.
pub(super) fn run(arguments: &Arguments, stride: u64) -> bool {
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut seed = arguments.from;
    let end = arguments.from.saturating_add(arguments.seeds);
    while seed < end {
        let outcome = world::run(arguments.order(seed));
        for (kind, times) in &outcome.counts {
            *counts.entry(kind).or_default() += times;
        }
        let is_broken = outcome.violation.is_some();
        line(&Report::of(&outcome).to_line());
        if is_broken && arguments.plant.is_some() {
            break;
        }
        seed = seed.saturating_add(stride.max(1));
    }
    for (kind, times) in counts {
        line(
            &Report::Count {
                kind: kind.to_owned(),
                times,
            }
            .to_line(),
        );
    }
    true
}
