//! Frames out of a stream that arrives in any pieces.

use bytes::{Bytes, BytesMut};

use crate::frame::{AnswerHead, Head, RequestHead};
use crate::reader::FrameDecoder;

/// Cuts frames out of a stream, in pieces of `piece` bytes and in one, which must be the same
/// frames; and writes their heads again.
pub fn read_frames(stream: &[u8], piece: usize) {
    read_as::<RequestHead>(stream, piece);
    read_as::<AnswerHead>(stream, piece);
}

/// Two requests and two answers, the second a refusal, as they follow each other in a stream.
pub fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let request = |id| RequestHead {
        id,
        ttl_ms: 5_000,
        length: 3,
    };
    let answer = |id, status, length| AnswerHead { id, status, length };
    let requests = [(request(1), "abc"), (request(2), "def")];
    let answers = [(answer(1, 0, 3), "abc"), (answer(2, 6010, 0), "")];
    vec![
        ("requests", stream(&requests)),
        ("answers", stream(&answers)),
    ]
}

/// An input that arrives seven bytes at a time.
fn stream<H: Head>(frames: &[(H, &str)]) -> Vec<u8> {
    let mut bytes = BytesMut::from(&[7_u8][..]);
    for (head, body) in frames {
        head.encode(&mut bytes);
        bytes.extend_from_slice(body.as_bytes());
    }
    bytes.to_vec()
}

fn read_as<H: Head + PartialEq + std::fmt::Debug>(stream: &[u8], piece: usize) {
    let whole = frames::<H>(stream, stream.len());
    assert_eq!(frames::<H>(stream, piece), whole);
    for (head, body) in &whole {
        assert_eq!(head.body_length(), body.len());
        let mut bytes = BytesMut::new();
        head.encode(&mut bytes);
        assert_eq!(H::decode(&bytes).ok(), Some(*head));
    }
}

fn frames<H: Head>(stream: &[u8], piece: usize) -> Vec<(H, Bytes)> {
    let mut decoder = FrameDecoder::<H>::new();
    let mut frames = Vec::new();
    for mut bytes in stream.chunks(piece.max(1)) {
        while !bytes.is_empty() {
            let space = decoder.space();
            let count = space.len().min(bytes.len());
            assert!(count > 0, "a decoder that needs more has room for more");
            space[..count].copy_from_slice(&bytes[..count]);
            decoder.filled(count);
            bytes = &bytes[count..];
            loop {
                match decoder.next_frame() {
                    Ok(Some(frame)) => frames.push(frame),
                    Ok(None) => break,
                    Err(_) => return frames,
                }
            }
        }
    }
    frames
}
