//! The one place that prints.

/// Prints a line. A reader that went away ends nothing: the exit code still tells.
#[expect(
    clippy::print_stdout,
    reason = "what the simulator finds is read on the terminal"
)]
pub(crate) fn line(text: &str) {
    println!("{text}");
}
