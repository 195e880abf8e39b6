//! Frames out of a stream of bytes. `FrameDecoder` does no IO and never panics, whatever the bytes;
//! `FrameReader` feeds it. A large body is read straight to where it stays; a small one is copied
//! out of the read buffer, so that it does not keep the whole buffer alive.

use std::io;
use std::marker::PhantomData;

use bytes::{Bytes, BytesMut};
use futures_util::{AsyncRead, AsyncReadExt};
use thiserror::Error;

use crate::frame::{Head, MalformedFrame};

/// Read buffer of a stream: one Yamux frame, so that one read takes what one write sent.
const BUFFER_BYTES: usize = 16 * 1024;

/// Why no more frames come.
#[derive(Debug, Error)]
pub(crate) enum ReadError {
    /// The stream is dead.
    #[error("the stream cannot be read")]
    Io(#[from] io::Error),
    /// The peer does not speak this protocol.
    #[error(transparent)]
    Malformed(#[from] MalformedFrame),
}

/// Cuts frames out of bytes.
#[derive(Debug)]
pub(crate) struct FrameDecoder<H> {
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    large: Option<LargeBody<H>>,
}

/// A body that does not fit the buffer, read in place.
#[derive(Debug)]
struct LargeBody<H> {
    head: H,
    bytes: BytesMut,
    filled: usize,
}

impl<H: Head> FrameDecoder<H> {
    pub(crate) fn new() -> Self {
        Self {
            buffer: vec![0; BUFFER_BYTES].into_boxed_slice(),
            start: 0,
            end: 0,
            large: None,
        }
    }

    /// Where the next bytes go; never empty after `next_frame` returned `None`.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        if let Some(large) = &mut self.large {
            return &mut large.bytes[large.filled..];
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        &mut self.buffer[self.end..]
    }

    /// Takes note that the first `count` bytes of `space` were filled.
    pub(crate) fn filled(&mut self, count: usize) {
        match &mut self.large {
            Some(large) => large.filled = (large.filled + count).min(large.bytes.len()),
            None => self.end = (self.end + count).min(self.buffer.len()),
        }
    }

    /// The next whole frame; `None` when more bytes are needed.
    pub(crate) fn next_frame(&mut self) -> Result<Option<(H, Bytes)>, MalformedFrame> {
        if let Some(large) = self.large.take() {
            if large.filled < large.bytes.len() {
                self.large = Some(large);
                return Ok(None);
            }
            return Ok(Some((large.head, large.bytes.freeze())));
        }
        let unread = &self.buffer[self.start..self.end];
        let Some((head, rest)) = unread.split_at_checked(H::BYTES) else {
            return Ok(None);
        };
        let head = H::decode(head)?;
        let length = head.body_length();
        if let Some(body) = rest.get(..length) {
            let body = Bytes::copy_from_slice(body);
            self.start += H::BYTES + length;
            return Ok(Some((head, body)));
        }
        if H::BYTES + length > self.buffer.len() {
            let mut bytes = BytesMut::zeroed(length);
            let filled = rest.len();
            bytes[..filled].copy_from_slice(rest);
            self.large = Some(LargeBody {
                head,
                bytes,
                filled,
            });
            self.start = 0;
            self.end = 0;
        }
        Ok(None)
    }
}

/// Frames of one direction of a stream.
#[derive(Debug)]
pub(crate) struct FrameReader<R, H> {
    source: R,
    decoder: FrameDecoder<H>,
    heads: PhantomData<H>,
}

impl<R: AsyncRead + Unpin, H: Head> FrameReader<R, H> {
    pub(crate) fn new(source: R) -> Self {
        Self {
            source,
            decoder: FrameDecoder::new(),
            heads: PhantomData,
        }
    }

    /// The next frame; `None` when the peer ended the stream.
    pub(crate) async fn next(&mut self) -> Result<Option<(H, Bytes)>, ReadError> {
        loop {
            if let Some(frame) = self.decoder.next_frame()? {
                return Ok(Some(frame));
            }
            let count = self.source.read(self.decoder.space()).await?;
            if count == 0 {
                return Ok(None);
            }
            self.decoder.filled(count);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tongban_types::limits::FRAME_BYTES_MAX;

    use super::*;
    use crate::frame::{AnswerHead, RequestHead, length_of};

    /// Feeds bytes in pieces of the given sizes, as a network would.
    fn decode<H: Head>(
        mut bytes: &[u8],
        pieces: &[usize],
    ) -> Result<Vec<(H, Bytes)>, MalformedFrame> {
        let mut decoder = FrameDecoder::new();
        let mut frames = Vec::new();
        let mut pieces = pieces.iter().cycle();
        loop {
            while let Some(frame) = decoder.next_frame()? {
                frames.push(frame);
            }
            let space = decoder.space();
            assert!(!space.is_empty(), "the decoder would never go on");
            let piece = pieces.next().copied().unwrap_or(1).max(1);
            let count = piece.min(space.len()).min(bytes.len());
            if count == 0 {
                return Ok(frames);
            }
            space[..count].copy_from_slice(&bytes[..count]);
            decoder.filled(count);
            bytes = &bytes[count..];
        }
    }

    fn request(id: u64, body: &[u8]) -> (RequestHead, Bytes) {
        let head = RequestHead {
            id,
            ttl_ms: 9,
            length: length_of(body),
        };
        (head, Bytes::copy_from_slice(body))
    }

    fn encode(frames: &[(RequestHead, Bytes)]) -> BytesMut {
        let mut bytes = BytesMut::new();
        for (head, body) in frames {
            head.encode(&mut bytes);
            bytes.extend_from_slice(body);
        }
        bytes
    }

    #[test]
    fn the_largest_frame_is_read_and_the_next_after_it() {
        let frames = [
            request(1, &vec![7; FRAME_BYTES_MAX]),
            request(2, b""),
            request(3, b"x"),
        ];
        let bytes = encode(&frames);
        assert_eq!(decode(&bytes, &[70_000]).unwrap(), frames);
    }

    proptest! {
        #[test]
        fn frames_come_out_as_they_went_in_however_they_are_cut(
            lengths in prop::collection::vec(
                prop_oneof![0_usize..40, 16_300_usize..16_500, Just(50_000_usize)], 0..12),
            pieces in prop::collection::vec(1_usize..20_000, 1..6),
        ) {
            let frames: Vec<_> = (0_u64..)
                .zip(lengths)
                .map(|(id, length)| request(id, &vec![u8::try_from(id).unwrap(); length]))
                .collect();
            prop_assert_eq!(decode(&encode(&frames), &pieces).unwrap(), frames);
        }

        #[test]
        fn any_bytes_are_frames_or_malformed_and_never_a_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..2_000),
            pieces in prop::collection::vec(1_usize..100, 1..4),
        ) {
            let _ = decode::<RequestHead>(&bytes, &pieces);
            let _ = decode::<AnswerHead>(&bytes, &pieces);
        }

        #[test]
        fn nearly_right_bytes_never_panic(
            frame in 0_u64..3,
            at in 0_usize..60,
            byte in any::<u8>(),
            pieces in prop::collection::vec(1_usize..50, 1..4),
        ) {
            let mut bytes = encode(&[request(frame, b"abc"), request(1, &[1; 20])]);
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = decode::<RequestHead>(&bytes, &pieces);
            let _ = decode::<AnswerHead>(&bytes, &pieces);
        }
    }
}
