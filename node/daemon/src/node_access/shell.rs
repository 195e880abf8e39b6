//! Words of a command as a POSIX shell takes them, so that a command that is shown can be pasted.

use std::path::Path;

/// A word between quotation marks.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A word as it would be typed: between quotation marks where the shell would read it otherwise.
pub(crate) fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// A path as it would be typed.
pub(crate) fn path_word(path: &Path) -> String {
    word(&path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_where_the_shell_would_read_it_otherwise() {
        for plain in ["000109900001", "/var/lib/tongban", "https://a:8443", "-"] {
            assert_eq!(word(plain), plain);
        }
        for (text, typed) in [
            ("", "''"),
            ("材料 齐全", "'材料 齐全'"),
            ("it's", r"'it'\''s'"),
            ("$HOME", "'$HOME'"),
            ("http://[::1]:8443", "'http://[::1]:8443'"),
        ] {
            assert_eq!(word(text), typed);
        }
    }
}
