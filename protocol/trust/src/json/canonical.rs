//! Writing JSON. The canonical form is OLPC's, as TUF uses it: members sorted by code point, no
//! blanks, integers only, and in strings nothing escaped but the quote and the backslash. That is
//! not always JSON (control characters stand bare), so it is only ever signed; what is stored or
//! sent is the compact form, which any reader takes.

use super::value::Json;

/// The OLPC canonical form: the bytes a registry signature covers.
pub fn canonical(value: &Json) -> Vec<u8> {
    let mut writer = Writer {
        out: String::new(),
        bare_controls: true,
        indent: None,
    };
    writer.value(value, 0);
    writer.out.into_bytes()
}

/// JSON without blanks, members sorted. One value has one such text.
pub fn compact(value: &Json) -> String {
    let mut writer = Writer {
        out: String::new(),
        bare_controls: false,
        indent: None,
    };
    writer.value(value, 0);
    writer.out
}

/// JSON for people who read what they sign: a line a member, a final newline.
pub fn indented(value: &Json) -> String {
    let mut writer = Writer {
        out: String::new(),
        bare_controls: false,
        indent: Some(2),
    };
    writer.value(value, 0);
    writer.out.push('\n');
    writer.out
}

struct Writer {
    out: String,
    bare_controls: bool,
    indent: Option<usize>,
}

impl Writer {
    fn value(&mut self, value: &Json, depth: usize) {
        match value {
            Json::Null => self.out.push_str("null"),
            Json::Boolean(true) => self.out.push_str("true"),
            Json::Boolean(false) => self.out.push_str("false"),
            Json::Integer(number) => self.out.push_str(&number.to_string()),
            Json::Text(text) => self.text(text),
            Json::List(elements) => self.list(elements, depth),
            Json::Object(members) => {
                self.out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    self.separate(index, depth + 1);
                    self.text(name);
                    self.out
                        .push_str(if self.indent.is_some() { ": " } else { ":" });
                    self.value(value, depth + 1);
                }
                self.close(members.is_empty(), depth, '}');
            }
        }
    }

    fn list(&mut self, elements: &[Json], depth: usize) {
        self.out.push('[');
        for (index, element) in elements.iter().enumerate() {
            self.separate(index, depth + 1);
            self.value(element, depth + 1);
        }
        self.close(elements.is_empty(), depth, ']');
    }

    fn separate(&mut self, index: usize, depth: usize) {
        if index > 0 {
            self.out.push(',');
        }
        self.line(depth);
    }

    fn close(&mut self, is_empty: bool, depth: usize, bracket: char) {
        if !is_empty {
            self.line(depth);
        }
        self.out.push(bracket);
    }

    fn line(&mut self, depth: usize) {
        if let Some(width) = self.indent {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n(' ', width * depth));
        }
    }

    fn text(&mut self, text: &str) {
        self.out.push('"');
        for letter in text.chars() {
            match letter {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                control if control < ' ' && !self.bare_controls => {
                    self.out.push_str("\\u00");
                    for nibble in [u32::from(control) >> 4, u32::from(control) & 0xf] {
                        self.out.extend(char::from_digit(nibble, 16));
                    }
                }
                other => self.out.push(other),
            }
        }
        self.out.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Json {
        Json::object([
            (
                "b",
                Json::List(vec![Json::Integer(-1), Json::Null, Json::Boolean(true)]),
            ),
            ("福州", Json::text("a\"b\\c\u{1}\u{2028}\n")),
            ("_type", Json::object([])),
            ("B", Json::List(vec![])),
        ])
    }

    #[test]
    fn the_canonical_form_escapes_only_quote_and_backslash() {
        let expected = "{\"B\":[],\"_type\":{},\"b\":[-1,null,true],\
                        \"福州\":\"a\\\"b\\\\c\u{1}\u{2028}\n\"}";
        assert_eq!(String::from_utf8(canonical(&sample())).unwrap(), expected);
    }

    #[test]
    fn the_stored_forms_are_read_by_any_reader_as_the_same_value() {
        let expected = serde_json::to_value(sample()).unwrap();
        for text in [compact(&sample()), indented(&sample())] {
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(&text).unwrap(),
                expected
            );
            assert_eq!(
                crate::json::read_strict(text.as_bytes(), 4096).unwrap(),
                sample()
            );
        }
    }
}
