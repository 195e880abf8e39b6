//! One of several processes that share the seeds: a line a seed, then the counts.

use std::collections::BTreeMap;

use tongban_sim::output::line;
use tongban_sim::world;

use super::command_line::Arguments;
use super::tally::Report;

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
        line(&Report::of(&outcome).to_line());
        let violation = outcome.violation.as_ref().map(ToString::to_string);
        if arguments.plant.is_some() && arguments.is_wanted(violation.as_deref()) {
            // The control: the same seed with the same faults and nothing planted is sound.
            let control = Arguments {
                control: true,
                ..arguments.clone()
            };
            let outcome = world::run(control.order(seed));
            line(&Report::of_control(&outcome).to_line());
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
