//! The node's own records in memory, in key order: what is durable, and nothing else.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::format::{LocalChange, encode_change};

type Table = BTreeMap<Vec<u8>, Vec<u8>>;

/// All tables by their permanent numbers, those this program does not know included.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    tables: BTreeMap<u8, Table>,
    bytes: u64,
}

/// Where a walk over all tables stands: at the pair behind this one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TablesCursor(Option<(u8, Vec<u8>)>);

impl Tables {
    /// Bytes of all keys and values.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn get(&self, table: u8, key: &[u8]) -> Option<Vec<u8>> {
        self.tables.get(&table)?.get(key).cloned()
    }

    pub(crate) fn scan(&self, table: u8, from: &[u8], limit: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        let Some(table) = self.tables.get(&table) else {
            return Vec::new();
        };
        table
            .range::<[u8], _>((Bound::Included(from), Bound::Unbounded))
            .take(limit)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }

    pub(crate) fn count(&self, table: u8) -> usize {
        self.tables.get(&table).map_or(0, BTreeMap::len)
    }

    pub(crate) fn apply(&mut self, change: LocalChange<'_>) {
        let table = self.tables.entry(change.table).or_default();
        let before = match change.value {
            Some(value) => {
                self.bytes += (change.key.len() + value.len()) as u64;
                table.insert(change.key.to_vec(), value.to_vec())
            }
            None => table.remove(change.key),
        };
        if let Some(before) = before {
            self.bytes -= (change.key.len() + before.len()) as u64;
        }
    }

    /// Encodes pairs from `cursor` on as changes, at least one and about `bytes_max`, and moves
    /// the cursor behind them; empty at the end.
    pub(crate) fn encode_chunk(&self, cursor: &mut TablesCursor, bytes_max: usize) -> Vec<u8> {
        let mut chunk = Vec::new();
        let first = cursor.0.as_ref().map_or(0, |(table, _)| *table);
        for (&table, pairs) in self.tables.range(first..) {
            let from = match &cursor.0 {
                Some((at, key)) if *at == table => Bound::Excluded(key.clone()),
                _ => Bound::Unbounded,
            };
            for (key, value) in pairs.range((from, Bound::Unbounded)) {
                let change = LocalChange {
                    table,
                    key,
                    value: Some(value),
                };
                encode_change(change, &mut chunk);
                if chunk.len() >= bytes_max {
                    cursor.0 = Some((table, key.clone()));
                    return chunk;
                }
            }
            // Everything up to the end of this table is taken: the next walk starts behind it.
            if let Some((key, _)) = pairs.last_key_value() {
                cursor.0 = Some((table, key.clone()));
            }
        }
        chunk
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::decode_changes;

    #[test]
    fn chunks_carry_every_pair_once() {
        let mut tables = Tables::default();
        for table in [0, 3, 200] {
            for key in 0..20_u8 {
                tables.apply(LocalChange {
                    table,
                    key: &[key],
                    value: Some(&[table; 30]),
                });
            }
        }
        let mut copy = Tables::default();
        let mut cursor = TablesCursor::default();
        let mut chunks = 0;
        loop {
            let chunk = tables.encode_chunk(&mut cursor, 100);
            if chunk.is_empty() {
                break;
            }
            chunks += 1;
            for change in decode_changes(&chunk).unwrap() {
                assert!(copy.get(change.table, change.key).is_none());
                copy.apply(change);
            }
        }
        assert!(chunks > 10);
        assert_eq!(
            (copy.bytes(), &copy.tables),
            (tables.bytes(), &tables.tables)
        );
    }

    #[test]
    fn bytes_and_pairs_are_counted_through_replacement_and_removal() {
        let mut tables = Tables::default();
        let mut put = |value: Option<&[u8]>| {
            tables.apply(LocalChange {
                table: 1,
                key: b"key",
                value,
            });
            (tables.bytes(), tables.count(1))
        };
        assert_eq!(put(Some(b"value")), (8, 1));
        assert_eq!(put(Some(b"v")), (4, 1));
        assert_eq!(put(None), (0, 0));
        assert_eq!(put(None), (0, 0));
    }
}
