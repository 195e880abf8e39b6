//! The strict reader. What different JSON libraries read differently is refused: duplicate members,
//! floats, integers beyond 2^53-1, lone surrogates, deep nesting, anything after the value.

use std::collections::BTreeMap;

use super::fault::{DEPTH_MAX, INTEGER_MAX, JsonError, JsonExpected, JsonFault};
use super::value::Json;

/// Reads one JSON value of at most `bytes_max` bytes.
pub fn read_strict(bytes: &[u8], bytes_max: usize) -> Result<Json, JsonError> {
    if bytes.len() > bytes_max {
        let fault = JsonFault::TooLarge {
            bytes: bytes.len(),
            max: bytes_max,
        };
        return Err(JsonError {
            offset: bytes_max,
            fault,
        });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| JsonError {
        offset: error.valid_up_to(),
        fault: JsonFault::NotUtf8,
    })?;
    let mut reader = Reader { text, offset: 0 };
    let outcome = reader.document();
    outcome.map_err(|fault| JsonError {
        offset: reader.offset,
        fault,
    })
}

struct Reader<'t> {
    text: &'t str,
    offset: usize,
}

impl Reader<'_> {
    fn document(&mut self) -> Result<Json, JsonFault> {
        let value = self.value(1)?;
        self.skip_blanks();
        if self.peek().is_some() {
            return Err(JsonFault::Malformed {
                expected: JsonExpected::End,
            });
        }
        Ok(value)
    }

    fn value(&mut self, depth: usize) -> Result<Json, JsonFault> {
        self.skip_blanks();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.string().map(Json::Text),
            Some(b'-' | b'0'..=b'9') => self.integer(),
            Some(b't') => self.word("true", Json::Boolean(true)),
            Some(b'f') => self.word("false", Json::Boolean(false)),
            Some(b'n') => self.word("null", Json::Null),
            _ => Err(JsonFault::Malformed {
                expected: JsonExpected::Value,
            }),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, JsonFault> {
        let mut members = BTreeMap::new();
        self.open(depth)?;
        if self.take_if(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            self.skip_blanks();
            let name = self.string()?;
            self.skip_blanks();
            self.expect(b':', JsonExpected::Colon)?;
            let value = self.value(depth + 1)?;
            if members.insert(name, value).is_some() {
                return Err(JsonFault::DuplicateMember);
            }
            self.skip_blanks();
            if self.take_if(b'}') {
                return Ok(Json::Object(members));
            }
            self.expect(b',', JsonExpected::CommaOrBrace)?;
        }
    }

    fn list(&mut self, depth: usize) -> Result<Json, JsonFault> {
        let mut elements = Vec::new();
        self.open(depth)?;
        if self.take_if(b']') {
            return Ok(Json::List(elements));
        }
        loop {
            elements.push(self.value(depth + 1)?);
            self.skip_blanks();
            if self.take_if(b']') {
                return Ok(Json::List(elements));
            }
            self.expect(b',', JsonExpected::CommaOrBracket)?;
        }
    }

    fn open(&mut self, depth: usize) -> Result<(), JsonFault> {
        if depth > DEPTH_MAX {
            return Err(JsonFault::TooDeep);
        }
        self.offset += 1;
        self.skip_blanks();
        Ok(())
    }

    fn word(&mut self, word: &'static str, value: Json) -> Result<Json, JsonFault> {
        if !self.rest().starts_with(word) {
            return Err(JsonFault::Malformed {
                expected: JsonExpected::Word(word),
            });
        }
        self.offset += word.len();
        Ok(value)
    }

    fn integer(&mut self) -> Result<Json, JsonFault> {
        let rest = self.rest();
        let sign = usize::from(rest.starts_with('-'));
        let digits = rest[sign..].bytes().take_while(u8::is_ascii_digit).count();
        let number = &rest[..sign + digits];
        match rest.as_bytes().get(sign + digits) {
            _ if digits == 0 => {
                return Err(JsonFault::Malformed {
                    expected: JsonExpected::Digit,
                });
            }
            _ if digits > 1 && rest.as_bytes()[sign] == b'0' => {
                return Err(JsonFault::Malformed {
                    expected: JsonExpected::NoLeadingZeros,
                });
            }
            Some(b'.' | b'e' | b'E') => return Err(JsonFault::NotAnInteger),
            _ if number == "-0" => return Err(JsonFault::NotAnInteger),
            _ => {}
        }
        match number.parse::<i64>() {
            Ok(value) if (-INTEGER_MAX..=INTEGER_MAX).contains(&value) => {
                self.offset += number.len();
                Ok(Json::Integer(value))
            }
            _ => Err(JsonFault::IntegerTooLarge),
        }
    }

    fn string(&mut self) -> Result<String, JsonFault> {
        self.expect(b'"', JsonExpected::Text)?;
        let mut text = String::new();
        loop {
            let rest = self.rest();
            let plain = rest
                .bytes()
                .position(|byte| byte == b'"' || byte == b'\\' || byte < b' ')
                .ok_or(JsonFault::Malformed {
                    expected: JsonExpected::ClosingQuote,
                })?;
            text.push_str(&rest[..plain]);
            self.offset += plain;
            match self.peek() {
                Some(b'"') => {
                    self.offset += 1;
                    return Ok(text);
                }
                Some(b'\\') => {
                    self.offset += 1;
                    text.push(self.escape()?);
                }
                _ => {
                    return Err(JsonFault::Malformed {
                        expected: JsonExpected::EscapedControl,
                    });
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonFault> {
        let letter = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(),
            _ => {
                return Err(JsonFault::Malformed {
                    expected: JsonExpected::Escape,
                });
            }
        };
        self.offset += 1;
        Ok(letter)
    }

    fn unicode_escape(&mut self) -> Result<char, JsonFault> {
        let first = self.four_digits()?;
        if !(0xd800..0xe000).contains(&first) {
            return char::from_u32(first).ok_or(JsonFault::LoneSurrogate);
        }
        if first >= 0xdc00 || !self.rest().starts_with("\\u") {
            return Err(JsonFault::LoneSurrogate);
        }
        self.offset += 1;
        let second = self.four_digits()?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(JsonFault::LoneSurrogate);
        }
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00))
            .ok_or(JsonFault::LoneSurrogate)
    }

    /// The four hexadecimal digits after the `u` that stands here.
    fn four_digits(&mut self) -> Result<u32, JsonFault> {
        let malformed = JsonFault::Malformed {
            expected: JsonExpected::FourDigits,
        };
        let digits = self.rest().as_bytes().get(1..5).ok_or(malformed.clone())?;
        let mut value = 0;
        for digit in digits {
            let digit = char::from(*digit).to_digit(16).ok_or(malformed.clone())?;
            value = value * 16 + digit;
        }
        self.offset += 5;
        Ok(value)
    }

    fn rest(&self) -> &str {
        self.text.get(self.offset..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.offset).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.offset += 1;
        }
    }

    fn take_if(&mut self, byte: u8) -> bool {
        let stands = self.peek() == Some(byte);
        self.offset += usize::from(stands);
        stands
    }

    fn expect(&mut self, byte: u8, expected: JsonExpected) -> Result<(), JsonFault> {
        if self.take_if(byte) {
            Ok(())
        } else {
            Err(JsonFault::Malformed { expected })
        }
    }
}
