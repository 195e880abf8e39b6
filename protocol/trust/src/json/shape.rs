//! Why a value is not of the shape a format asks for: where, and what is wrong there. Each thing that can be
//! wrong is a value of its own, so that a room above can say it in the language of its reader.

use std::fmt;

use thiserror::Error;

/// A value that is not of the expected shape.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{place}: {problem}")]
pub struct ShapeError {
    /// Where, as a path of member names.
    pub place: String,
    /// What is wrong.
    pub problem: ShapeProblem,
}

impl ShapeError {
    /// An error at a place.
    pub fn new(place: impl Into<String>, problem: ShapeProblem) -> Self {
        Self {
            place: place.into(),
            problem,
        }
    }
}

/// What is wrong at a place.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ShapeProblem {
    /// A member that must be there is not.
    #[error("is missing")]
    Missing,
    /// A member that is not on the list.
    #[error("is not expected here")]
    Unexpected,
    /// A value of another kind.
    #[error("is {found}, {expected} was expected")]
    OtherKind {
        /// What stands there.
        found: JsonKind,
        /// What should.
        expected: JsonKind,
    },
    /// An array with too many elements.
    #[error("has more than {max} elements")]
    TooManyElements {
        /// The bound.
        max: usize,
    },
    /// A table with too many members.
    #[error("has more than {max} members")]
    TooManyMembers {
        /// The bound.
        max: usize,
    },
    /// Another text than the only one that may stand there.
    #[error("is not {expected}")]
    OtherText {
        /// The only one.
        expected: &'static str,
    },
    /// A count below zero.
    #[error("is below 0")]
    Negative,
    /// A city's code or a node's name that is none.
    #[error("holds a malformed code")]
    MalformedCode,
    /// Not so many hexadecimal digits.
    #[error("is not {digits} lowercase hexadecimal digits")]
    NotHexadecimal {
        /// How many there must be.
        digits: usize,
    },
    /// Not a time as the format writes them.
    #[error("is no time as 2026-11-24T00:00:00Z")]
    NoTime,
    /// It would be written otherwise by us than it is written there.
    #[error("is not in its one spelling")]
    OtherSpelling,
    /// A key object that is not ed25519 as TUF writes it.
    #[error("is no ed25519 key of TUF")]
    NoTufKey,
    /// A key stands under another id than its own.
    #[error("a key does not have its id")]
    OtherKeyId,
    /// A holder names no key that is there, or one that is taken.
    #[error("names no key, or one key twice")]
    NoKeyOfItsOwn,
    /// A key has no holder.
    #[error("does not name every key")]
    KeyUnnamed,
    /// A role that no node has.
    #[error("is no role of a node")]
    NoRole,
    /// A state that no key has.
    #[error("is not active or retired")]
    NoKeyState,
    /// The id of a key in a signature.
    #[error("a keyid is not 64 hexadecimal digits")]
    MalformedKeyId,
    /// The bytes of a signature.
    #[error("a sig is not 128 hexadecimal digits")]
    MalformedSignature,
}

/// What kind of value stands somewhere, or should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonKind {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean,
    /// An integer.
    Integer,
    /// A string.
    Text,
    /// An array.
    List,
    /// An array of strings alone, where one is expected.
    Texts,
    /// An object.
    Object,
}

impl fmt::Display for JsonKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Integer => "an integer",
            Self::Text => "a string",
            Self::List => "an array",
            Self::Texts => "an array of strings",
            Self::Object => "an object",
        })
    }
}
