//! Counts what test runners say of themselves, so that a whole check ends with one line.

use std::fmt;

/// Tests that passed and tests that failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Passed.
    pub passed: u64,
    /// Failed, by whatever name the runner gives it.
    pub failed: u64,
}

/// How the last line of each runner's report begins: libtest, and nextest.
const REPORTS: [&str; 2] = ["test result: ", "Summary ["];

/// What runners call a failure.
const FAILURES: [&str; 3] = ["failed", "timed", "exec"];

impl Tally {
    /// Adds what a line of a runner's output reports; other lines report nothing.
    pub fn read(&mut self, line: &str) {
        let line = line.trim_start();
        if !REPORTS.iter().any(|report| line.starts_with(report)) {
            return;
        }
        let words: Vec<&str> = line
            .split([' ', ',', ';'])
            .filter(|word| !word.is_empty())
            .collect();
        for pair in words.windows(2) {
            let Ok(count) = pair[0].parse::<u64>() else {
                continue;
            };
            if pair[1] == "passed" {
                self.passed += count;
            } else if FAILURES.contains(&pair[1]) {
                self.failed += count;
            }
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_runners_are_understood_and_sums_are_kept() {
        let mut tally = Tally::default();
        for line in [
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.41s",
            "test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out",
            "     Summary [  24.310s] 40 tests run: 37 passed (2 slow), 1 failed, 2 timed out, 5 skipped",
            "test a::b ... ok",
            "a case says: 9 passed; 9 failed",
        ] {
            tally.read(line);
        }
        assert_eq!(
            tally,
            Tally {
                passed: 53,
                failed: 5
            }
        );
        assert_eq!(tally.to_string(), "53 passed, 5 failed");
    }
}
