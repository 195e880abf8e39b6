//! Changes of the node's own records, as one `Local` record carries them: table u8, 1 for a put
//! and 0 for a removal u8, key length u16, value length u32, key, value.

use super::Cursor;

/// One change, borrowed from a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LocalChange<'a> {
    /// The table's permanent number.
    pub(crate) table: u8,
    pub(crate) key: &'a [u8],
    /// `None` removes the key.
    pub(crate) value: Option<&'a [u8]>,
}

/// Appends one change. The key is at most `u16::MAX` and the value at most `u32::MAX` bytes long;
/// callers have checked both against smaller bounds.
pub(crate) fn encode_change(change: LocalChange<'_>, out: &mut Vec<u8>) {
    let value = change.value.unwrap_or_default();
    out.push(change.table);
    out.push(u8::from(change.value.is_some()));
    let key_length = u16::try_from(change.key.len()).expect("keys are at most 256 bytes");
    let value_length = u32::try_from(value.len()).expect("a record is at most 16 MiB");
    out.extend_from_slice(&key_length.to_le_bytes());
    out.extend_from_slice(&value_length.to_le_bytes());
    out.extend_from_slice(change.key);
    out.extend_from_slice(value);
}

/// All changes of a record in order; `None` if the bytes are not whole changes.
pub(crate) fn decode_changes(bytes: &[u8]) -> Option<Vec<LocalChange<'_>>> {
    let mut cursor = Cursor(bytes);
    let mut changes = Vec::new();
    while !cursor.0.is_empty() {
        changes.push(decode_change(&mut cursor)?);
    }
    Some(changes)
}

fn decode_change<'a>(cursor: &mut Cursor<'a>) -> Option<LocalChange<'a>> {
    let table = cursor.u8()?;
    let put = match cursor.u8()? {
        0 => false,
        1 => true,
        _ => return None,
    };
    let key_length = usize::from(cursor.u16()?);
    let value_length = usize::try_from(cursor.u32()?).ok()?;
    let key = cursor.take(key_length)?;
    let value = cursor.take(value_length)?;
    Some(LocalChange {
        table,
        key,
        value: put.then_some(value),
    })
}
