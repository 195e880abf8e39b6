//! Columns on a terminal, where a Chinese character takes two places.

use comfy_table::Cell;
use comfy_table::presets::NOTHING;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Rows under the names of their columns.
#[derive(Debug)]
pub(crate) struct Table {
    rows: comfy_table::Table,
}

impl Table {
    pub(super) fn with<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut rows = comfy_table::Table::new();
        rows.load_style(NOTHING).set_header(names.map(Cell::new));
        Self { rows }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.add_row(cells.into_iter().map(Cell::new));
    }

    /// The lines, columns aligned, nothing behind the last.
    pub(crate) fn text(mut self) -> String {
        let columns = self.rows.column_count();
        for place in 0..columns {
            if let Some(column) = self.rows.column_mut(place) {
                // Two places between columns, none before the first.
                column.set_padding((0, 2));
            }
        }
        self.rows.trim_fmt()
    }
}

/// The places a text takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// The text with blanks behind it up to `places`.
pub(crate) fn padded(text: &str, places: usize) -> String {
    let blanks = places.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(blanks))
}

/// What may not begin a line.
const CLOSING: &str = ")],;:.!?，。；：、）」》！？";

/// The text in lines of at most `places`, broken at blanks and beside Chinese characters. What has neither, such
/// as a path, is not broken.
pub(crate) fn folded(text: &str, places: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for piece in pieces(text) {
        let line = lines.last_mut().expect("there is one");
        if width(line) + width(piece.trim_end()) > places && !line.is_empty() {
            line.truncate(line.trim_end().len());
            lines.push(piece.to_owned());
        } else {
            line.push_str(piece);
        }
    }
    lines
}

/// The pieces a text may be broken into, each with the blanks behind it.
fn pieces(text: &str) -> Vec<&str> {
    let (mut pieces, mut begin, mut last) = (Vec::new(), 0, None);
    for (place, letter) in text.char_indices() {
        let is_wide = |letter: char| letter.width() == Some(2);
        let may_break = last.is_some_and(|last| {
            let beside = last == ' ' || is_wide(last) || is_wide(letter);
            beside && letter != ' ' && last != '(' && !CLOSING.contains(letter)
        });
        if may_break {
            pieces.push(&text[begin..place]);
            begin = place;
        }
        last = Some(letter);
    }
    pieces.push(&text[begin..]);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_folded_where_it_may_be() {
        assert_eq!(folded("one two three", 8), ["one two", "three"]);
        assert_eq!(folded("福州窗口收件, 完", 8), ["福州窗口", "收件, 完"]);
        assert_eq!(
            folded("福州窗, 完", 6),
            ["福州", "窗, 完"],
            "no line begins with a comma"
        );
        assert_eq!(
            folded("see /a/path/without/blanks now", 8),
            ["see", "/a/path/without/blanks", "now"]
        );
        assert_eq!(folded("", 8), [""]);
    }

    #[test]
    fn chinese_takes_two_places() {
        assert_eq!(width("福州市 ok"), 9);
        assert_eq!(padded("福州", 6), "福州  ");
        assert_eq!(padded("福州", 3), "福州");
    }

    #[test]
    fn columns_stand_under_each_other_whatever_is_in_them() {
        let mut table = Table::with(["城市", "node"].into_iter());
        table.row(["福州市".to_owned(), "n1".to_owned()]);
        table.row(["Weinan".to_owned(), String::new()]);
        assert_eq!(table.text(), "城市    node\n福州市  n1\nWeinan");
    }
}
