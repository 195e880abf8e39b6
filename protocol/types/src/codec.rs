//! Bytes inside: postcard behind a `u16` kind and a `u16` version, both little endian. Enum tags are
//! the order of the variants, so variants are only appended; golden vectors hold every tag still.

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::Code;

/// A record with a permanent place in logs, files or frames.
pub trait Record: Serialize + DeserializeOwned {
    /// Which record; given once, never again.
    const KIND: u16;
    /// Its newest version.
    const VERSION: u16;
    /// Its name in errors.
    const NAME: &'static str;
}

/// Why bytes are not the record that was expected.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DecodeError {
    /// Shorter than its head.
    #[error("{name}: {bytes} bytes are too few")]
    Short {
        /// The record expected.
        name: &'static str,
        /// How many there are.
        bytes: usize,
    },
    /// Another record.
    #[error("{name}: expected kind {expected}, found {found}")]
    Kind {
        /// The record expected.
        name: &'static str,
        /// Its kind.
        expected: u16,
        /// The kind that stands there.
        found: u16,
    },
    /// A version this program does not know.
    #[error("{name}: version {found} is not known here (newest: {newest})")]
    Version {
        /// The record expected.
        name: &'static str,
        /// The newest version known.
        newest: u16,
        /// The version that stands there.
        found: u16,
    },
    /// The body is not that record, or something follows it.
    #[error("{name}: the body does not decode")]
    Body {
        /// The record expected.
        name: &'static str,
    },
}

impl DecodeError {
    /// The code `explain` describes.
    pub fn code(&self) -> Code {
        Code::MALFORMED_RECORD
    }
}

const HEAD_BYTES: usize = 4;

/// The bytes of a record.
pub fn encode<T: Record>(record: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    bytes.extend_from_slice(&T::KIND.to_le_bytes());
    bytes.extend_from_slice(&T::VERSION.to_le_bytes());
    postcard::to_extend(record, bytes)
        .expect("a vector takes all bytes, and our records have only known lengths")
}

/// The record of bytes; nothing may follow it.
pub fn decode<T: Record>(bytes: &[u8]) -> Result<T, DecodeError> {
    let name = T::NAME;
    let Some((head, body)) = bytes.split_at_checked(HEAD_BYTES) else {
        return Err(DecodeError::Short {
            name,
            bytes: bytes.len(),
        });
    };
    let kind = u16::from_le_bytes([head[0], head[1]]);
    let version = u16::from_le_bytes([head[2], head[3]]);
    if kind != T::KIND {
        return Err(DecodeError::Kind {
            name,
            expected: T::KIND,
            found: kind,
        });
    }
    if version != T::VERSION {
        return Err(DecodeError::Version {
            name,
            newest: T::VERSION,
            found: version,
        });
    }
    match postcard::take_from_bytes(body) {
        Ok((record, [])) => Ok(record),
        _ => Err(DecodeError::Body { name }),
    }
}

/// Declares the permanent place of records.
#[macro_export]
macro_rules! records {
    ($($record:ty = $kind:literal v $version:literal $name:literal;)*) => {$(
        impl $crate::Record for $record {
            const KIND: u16 = $kind;
            const VERSION: u16 = $version;
            const NAME: &'static str = $name;
        }
    )*};
}
