//! What workers report, and the sum of it.

use std::collections::BTreeMap;

use tongban_sim::invariants::Violation;
use tongban_sim::world::Outcome;

/// One line of a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// A seed was run.
    Seed {
        seed: u64,
        simulated_ms: u64,
        hash: String,
        violation: Option<String>,
    },
    /// The seed that found what is planted was run without it.
    Control { seed: u64, violation: String },
    /// How often something happened over all seeds of the worker.
    Count { kind: String, times: u64 },
}

impl Report {
    /// The report of an outcome.
    pub(super) fn of(outcome: &Outcome) -> Self {
        Self::Seed {
            seed: outcome.seed,
            simulated_ms: u64::try_from(outcome.simulated.as_millis()).unwrap_or(u64::MAX),
            hash: outcome.trace.to_string(),
            violation: outcome.violation.as_ref().map(one_line),
        }
    }

    /// The report of a control.
    pub(super) fn of_control(outcome: &Outcome) -> Self {
        Self::Control {
            seed: outcome.seed,
            violation: outcome.violation.as_ref().map(one_line).unwrap_or_default(),
        }
    }

    /// One line, its fields parted by tabs.
    pub(super) fn to_line(&self) -> String {
        match self {
            Self::Seed {
                seed,
                simulated_ms,
                hash,
                violation,
            } => {
                let violation = violation.as_deref().unwrap_or("");
                format!("seed\t{seed}\t{simulated_ms}\t{hash}\t{violation}")
            }
            Self::Control { seed, violation } => format!("control\t{seed}\t{violation}"),
            Self::Count { kind, times } => format!("count\t{kind}\t{times}"),
        }
    }

    /// Reads a line; `None` if it is something else.
    pub(super) fn read(line: &str) -> Option<Self> {
        let mut fields = line.split('\t');
        match fields.next()? {
            "seed" => {
                let (seed, simulated_ms) =
                    (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
                let (hash, violation) = (fields.next()?.to_owned(), fields.next()?);
                let violation = (!violation.is_empty()).then(|| violation.to_owned());
                Some(Self::Seed {
                    seed,
                    simulated_ms,
                    hash,
                    violation,
                })
            }
            "control" => Some(Self::Control {
                seed: fields.next()?.parse().ok()?,
                violation: fields.next()?.to_owned(),
            }),
            "count" => {
                let (kind, times) = (fields.next()?.to_owned(), fields.next()?.parse().ok()?);
                Some(Self::Count { kind, times })
            }
            _ => None,
        }
    }
}

/// One line a report, whatever a panic said.
fn one_line(broken: &Violation) -> String {
    broken.to_string().replace(['\n', '\t'], " ")
}

/// The sum of all reports.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) seeds: u64,
    pub(super) simulated_ms: u64,
    pub(super) broken: BTreeMap<u64, String>,
    /// Controls, and what broke in them; empty where nothing did.
    pub(super) controls: BTreeMap<u64, String>,
    pub(super) counts: BTreeMap<String, u64>,
}

impl Tally {
    /// Adds a report.
    pub(super) fn add(&mut self, report: Report) {
        match report {
            Report::Seed {
                seed,
                simulated_ms,
                violation,
                ..
            } => {
                self.seeds += 1;
                self.simulated_ms += simulated_ms;
                if let Some(violation) = violation {
                    self.broken.insert(seed, violation);
                }
            }
            Report::Control { seed, violation } => drop(self.controls.insert(seed, violation)),
            Report::Count { kind, times } => *self.counts.entry(kind).or_default() += times,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_as_it_was_written() {
        let seed = |violation: Option<&str>| Report::Seed {
            seed: 7,
            simulated_ms: 61_000,
            hash: "00ff".to_owned(),
            violation: violation.map(str::to_owned),
        };
        let count = Report::Count {
            kind: "line cut".to_owned(),
            times: 3,
        };
        let control = |violation: &str| Report::Control {
            seed: 7,
            violation: violation.to_owned(),
        };
        let controls = [control(""), control("once only: no")];
        let seeds = [seed(None), seed(Some("once only: no"))];
        for report in controls.into_iter().chain(seeds).chain([count]) {
            assert_eq!(Report::read(&report.to_line()), Some(report));
        }
        assert_eq!(Report::read("thread 'main' panicked"), None);
    }
}
