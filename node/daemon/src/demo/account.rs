//! What people read while it happens: seconds since the beginning, and a sentence.

use std::time::Instant;

use super::words::{self, Line, Values};
use crate::output::{Output, Reader, folded, padded};

/// Places of a line at a terminal.
const PLACES: usize = 100;

/// Places of the time before a sentence, in both languages; what belongs to it stands below it.
const INDENT: usize = 11;

/// The same with a mark of four places and the blanks behind it.
const INDENT_MARKED: usize = INDENT + 6;

/// A timed account.
#[derive(Debug)]
pub(crate) struct Account {
    begun: Instant,
    output: Output,
    is_told: bool,
}

impl Account {
    /// Begins now; where acts are not told, others say what came of them.
    pub(crate) fn begin(output: Output, is_told: bool) -> Self {
        Self {
            begun: Instant::now(),
            output,
            is_told,
        }
    }

    /// Whom it is told.
    pub(crate) const fn reader(&self) -> Reader {
        self.output.reader()
    }

    /// Tells an act that is done.
    pub(super) fn tell(&self, line: Line, values: Values<'_>) {
        if self.is_told {
            self.note(line, values);
        }
    }

    /// Says what happened just now.
    pub(super) fn note(&self, line: Line, values: Values<'_>) {
        let sentence = line.told(self.reader(), values);
        self.show(&behind(&self.time(), INDENT, &sentence));
    }

    /// Says a sentence behind a mark of four places.
    pub(super) fn note_marked(&self, mark: &str, sentence: &str) {
        let before = format!("{}{mark}  ", self.time());
        self.show(&behind(&before, INDENT_MARKED, sentence));
    }

    /// Says more of what was marked last.
    pub(super) fn note_below(&self, sentence: &str) {
        let before = " ".repeat(INDENT_MARKED);
        self.show(&behind(&before, INDENT_MARKED, sentence));
    }

    /// Now, in as many places in both languages.
    fn time(&self) -> String {
        let unit = words::SECONDS.told(self.reader(), &[]);
        padded(&format!("[{:>5.1} {unit}]", self.seconds()), INDENT)
    }

    /// Says something that has no time.
    pub(super) fn say(&self, line: Line, values: Values<'_>) {
        self.output.tell(&line.told(self.reader(), values));
    }

    /// Shows text that is whole in itself: a command, a report.
    pub(super) fn show(&self, text: &str) {
        self.output.tell(text);
    }

    /// Shows a report under the act that was told last.
    pub(super) fn show_below(&self, report: &str) {
        if !self.is_told {
            return;
        }
        let indented = |line: &str| format!("{}{line}", " ".repeat(INDENT));
        let lines: Vec<String> = report.lines().map(indented).collect();
        self.show(&lines.join("\n"));
    }

    /// Seconds since the beginning, to a tenth.
    pub(crate) fn seconds(&self) -> f64 {
        (self.begun.elapsed().as_secs_f64() * 10.0).round() / 10.0
    }
}

/// A sentence behind what takes `indent` places, on as many lines as it takes.
fn behind(before: &str, indent: usize, sentence: &str) -> String {
    let blanks = format!("\n{}", " ".repeat(indent));
    format!(
        "{before}{}",
        folded(sentence, PLACES - indent).join(&blanks)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_stands_behind_its_time_whatever_its_length() {
        assert_eq!(behind("[  1.0 s]  ", 11, "short"), "[  1.0 s]  short");
        let told = behind("[  1.0 秒] ", 11, &"字".repeat(50));
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines[0], format!("[  1.0 秒] {}", "字".repeat(44)));
        assert_eq!(
            lines[1..],
            [format!("{}{}", " ".repeat(11), "字".repeat(6))]
        );
    }
}
