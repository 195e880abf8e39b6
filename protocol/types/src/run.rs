//! Bytes in records as one run. postcard writes a run of bytes as it writes their sequence, and takes
//! it in one piece instead of byte by byte.

use std::fmt;

use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// What is set aside before any of a sequence was read, where it comes byte by byte.
const SET_ASIDE_MAX: usize = 4_096;

/// Writes a run.
pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

/// Takes a run in.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    deserializer.deserialize_byte_buf(Run)
}

struct Run;

impl<'de> Visitor<'de> for Run {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
        Ok(bytes)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Vec<u8>, A::Error> {
        let announced = sequence.size_hint().unwrap_or_default();
        let mut bytes = Vec::with_capacity(announced.min(SET_ASIDE_MAX));
        while let Some(byte) = sequence.next_element()? {
            bytes.push(byte);
        }
        Ok(bytes)
    }
}

/// A list of runs.
pub mod list {
    use super::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize)]
    struct Given<'a>(#[serde(with = "super")] &'a [u8]);

    #[derive(Deserialize)]
    struct Taken(#[serde(with = "super")] Vec<u8>);

    /// Writes a list of runs.
    pub fn serialize<S: Serializer>(runs: &[Vec<u8>], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(runs.iter().map(|run| Given(run)))
    }

    /// Takes a list of runs in.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Vec<u8>>, D::Error> {
        let taken = Vec::<Taken>::deserialize(deserializer)?;
        Ok(taken.into_iter().map(|run| run.0).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct AsRuns {
        #[serde(with = "super")]
        one: Vec<u8>,
        #[serde(with = "super::list")]
        many: Vec<Vec<u8>>,
    }

    #[derive(Serialize)]
    struct AsSequences {
        one: Vec<u8>,
        many: Vec<Vec<u8>>,
    }

    #[test]
    fn a_run_is_written_like_a_sequence_and_read_from_either() {
        let (one, many) = (vec![7; 300], vec![vec![], vec![1, 0xff], vec![2; 200]]);
        let runs = AsRuns {
            one: one.clone(),
            many: many.clone(),
        };
        let sequences = AsSequences { one, many };
        let bytes = postcard::to_allocvec(&sequences).unwrap();
        assert_eq!(postcard::to_allocvec(&runs).unwrap(), bytes);
        assert_eq!(postcard::from_bytes::<AsRuns>(&bytes).unwrap(), runs);
        let json = serde_json::to_string(&sequences).unwrap();
        assert_eq!(serde_json::to_string(&runs).unwrap(), json);
        assert_eq!(serde_json::from_str::<AsRuns>(&json).unwrap(), runs);
    }

    #[test]
    fn a_run_longer_than_what_follows_is_refused() {
        let bytes = postcard::to_allocvec(&vec![1_u8; 50]).unwrap();
        for length in 0..bytes.len() {
            let cut = postcard::from_bytes::<AsRuns>(&bytes[..length]);
            assert!(cut.is_err());
        }
        let huge = [0xff, 0xff, 0xff, 0xff, 0x0f];
        assert!(postcard::from_bytes::<AsRuns>(&huge).is_err());
    }
}
