//! One seed, with its options and an account.

use std::time::Instant;

use tongban_sim::output::line;
use tongban_sim::world::{Outcome, run_announced};

use super::command_line::Arguments;

/// Runs a seed; whether it is as it should be: sound, or found out if a fault is planted.
pub(super) fn run(arguments: &Arguments, seed: u64) -> bool {
    let began = Instant::now();
    let outcome = run_announced(arguments.order(seed), |options| {
        line(&format!("seed {seed}"));
        options
            .lines()
            .into_iter()
            .for_each(|option| line(&format!("  {option}")));
    });
    let took = began.elapsed().as_secs_f64();
    account(&outcome);
    let simulated = outcome.simulated.as_secs_f64();
    line(&format!(
        "{simulated:.1} s simulated in {took:.1} s, {:.0} times",
        simulated / took
    ));
    if let Some(violation) = &outcome.violation {
        line(&format!("BROKEN {violation}"));
        line(&format!("again: {}", arguments.repro(seed)));
    }
    line(&outcome.trace.to_string());
    let violation = outcome.violation.as_ref();
    arguments.is_wanted(violation.map(ToString::to_string).as_deref())
}

fn account(outcome: &Outcome) {
    for (kind, times) in &outcome.counts {
        line(&format!("  {times:>8} {kind}"));
    }
}
