//! What the strict reader refuses, and its bounds.

use std::fmt;

use thiserror::Error;
use tongban_types::Code;

/// Largest magnitude of an integer that every reader holds exactly: 2^53-1 (RFC 8259 §6).
pub(crate) const INTEGER_MAX: i64 = (1 << 53) - 1;

/// Nesting: our deepest format has nine levels; the bound keeps recursion shallow.
pub const DEPTH_MAX: usize = 16;

/// What is wrong with the text.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum JsonFault {
    /// Larger than its bound.
    #[error("the text has {bytes} bytes, at most {max} are taken")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The bound.
        max: usize,
    },
    /// Not UTF-8.
    #[error("the text is not UTF-8")]
    NotUtf8,
    /// Not JSON.
    #[error("{expected} was expected")]
    Malformed {
        /// What should stand here.
        expected: JsonExpected,
    },
    /// One name twice in an object.
    #[error("a member stands twice")]
    DuplicateMember,
    /// A number with a fraction or an exponent, or minus zero.
    #[error("numbers are integers here")]
    NotAnInteger,
    /// An integer that not every reader holds exactly.
    #[error("an integer is beyond 2^53-1")]
    IntegerTooLarge,
    /// A surrogate without its other half.
    #[error("a lone surrogate")]
    LoneSurrogate,
    /// Nested too deeply.
    #[error("nested more than {DEPTH_MAX} deep")]
    TooDeep,
}

/// What should stand where something else does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonExpected {
    /// Nothing more.
    End,
    /// Any value.
    Value,
    /// Between name and value.
    Colon,
    /// After a member.
    CommaOrBrace,
    /// After an element.
    CommaOrBracket,
    /// `true`, `false` or `null`.
    Word(&'static str),
    /// After a sign.
    Digit,
    /// No zero before other digits.
    NoLeadingZeros,
    /// A string, or a member's name.
    Text,
    /// At the end of a string.
    ClosingQuote,
    /// Where a control character stands as it is.
    EscapedControl,
    /// A letter that may stand after a backslash.
    Escape,
    /// After `\u`.
    FourDigits,
}

impl fmt::Display for JsonExpected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::End => "the end",
            Self::Value => "a value",
            Self::Colon => "a colon",
            Self::CommaOrBrace => "a comma or a closing brace",
            Self::CommaOrBracket => "a comma or a closing bracket",
            Self::Word(word) => word,
            Self::Digit => "a digit",
            Self::NoLeadingZeros => "a number without leading zeros",
            Self::Text => "a string",
            Self::ClosingQuote => "a closing quote",
            Self::EscapedControl => "an escaped control character",
            Self::Escape => "an escape",
            Self::FourDigits => "four hexadecimal digits",
        })
    }
}

/// Why a text is not strict JSON, and where.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("at byte {offset}: {fault}")]
pub struct JsonError {
    /// Byte offset.
    pub offset: usize,
    /// What is wrong there.
    pub fault: JsonFault,
}

impl JsonError {
    /// The code `explain` describes.
    pub fn code(&self) -> Code {
        match self.fault {
            JsonFault::TooLarge { .. } => Code::TOO_LARGE,
            _ => Code::JSON_NOT_STRICT,
        }
    }
}
