//! No fault of the world makes a node log an ERROR: that word is for what is broken.

use super::Violation;

const NAME: &str = "no error logged";

/// Judges the errors logged so far.
pub fn check(errors: &[String]) -> Result<(), Violation> {
    match errors.first() {
        None => Ok(()),
        Some(error) => Err(Violation::new(NAME, error.clone())),
    }
}
