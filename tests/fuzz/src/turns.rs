//! One input, cut into turns: a tag, a length of two bytes, little-endian, and so many bytes.

/// Turns an input may have: what takes longer finds nothing new.
const TURNS_MAX: usize = 24;

/// The turns of an input; the last may be shorter than it says.
pub fn turns(mut input: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (&[tag, low, high], rest) = input.split_first_chunk::<3>()?;
        let length = usize::from(u16::from_le_bytes([low, high])).min(rest.len());
        let (body, rest) = rest.split_at(length);
        input = rest;
        Some((tag, body))
    })
    .take(TURNS_MAX)
}

/// Appends a turn to an input.
pub fn add_turn(input: &mut Vec<u8>, tag: u8, body: &[u8]) {
    let length = u16::try_from(body.len()).expect("turns are short");
    input.push(tag);
    input.extend_from_slice(&length.to_le_bytes());
    input.extend_from_slice(body);
}
