//! The one place that prints.

use std::io::Write as _;

/// Prints a line. A reader that went away ends nothing: the exit code still tells.
pub fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    // Rust's own `println` panics where nobody reads any more.
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}
