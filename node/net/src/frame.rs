//! The heads of frames on a lane, as bytes, and what is refused in them. Numbers are in network
//! order. The opener of a stream writes requests, the other side writes answers.

use bytes::{Buf, BufMut, BytesMut};
use thiserror::Error;
use tongban_types::Code;
use tongban_types::limits::FRAME_BYTES_MAX;

/// A frame that no honest peer sends; its stream is closed.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum MalformedFrame {
    /// The body would be larger than a frame may be.
    #[error("a body of {length} bytes is larger than {FRAME_BYTES_MAX}")]
    TooLong { length: usize },
    /// A refusal says nothing but its code.
    #[error("a refusal carries a body of {length} bytes")]
    RefusalWithBody { length: usize },
    /// The answer is to a request that was never sent.
    #[error("an answer to request {id}, which was never sent")]
    NeverAsked { id: u64 },
}

impl MalformedFrame {
    /// The code `explain` describes.
    pub(crate) const CODE: Code = Code::MALFORMED_FRAME;
}

/// The fixed part of a frame, before its body.
pub(crate) trait Head: Copy + Sized {
    /// Its size on the wire.
    const BYTES: usize;

    /// Reads a head from exactly `BYTES` bytes and refuses what no honest peer sends.
    fn decode(bytes: &[u8]) -> Result<Self, MalformedFrame>;

    /// Appends the head.
    fn encode(self, to: &mut BytesMut);

    /// Bytes of the body that follows.
    fn body_length(self) -> usize;
}

/// Head of a request: id `u64`, time to live in milliseconds `u32`, length of the body `u32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RequestHead {
    /// Names the request on its stream.
    pub(crate) id: u64,
    /// How long the sender still waits, from when this was written.
    pub(crate) ttl_ms: u32,
    /// Bytes of the body.
    pub(crate) length: u32,
}

impl Head for RequestHead {
    const BYTES: usize = 16;

    fn decode(mut bytes: &[u8]) -> Result<Self, MalformedFrame> {
        let head = Self {
            id: bytes.get_u64(),
            ttl_ms: bytes.get_u32(),
            length: bytes.get_u32(),
        };
        refuse_too_long(head.body_length())?;
        Ok(head)
    }

    fn encode(self, to: &mut BytesMut) {
        to.put_u64(self.id);
        to.put_u32(self.ttl_ms);
        to.put_u32(self.length);
    }

    fn body_length(self) -> usize {
        self.length as usize
    }
}

/// Head of an answer: id of the request `u64`, status `u16`, length of the body `u32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AnswerHead {
    /// The request answered.
    pub(crate) id: u64,
    /// 0, or the number of the code by which the peer refuses.
    pub(crate) status: u16,
    /// Bytes of the body; 0 for a refusal.
    pub(crate) length: u32,
}

impl Head for AnswerHead {
    const BYTES: usize = 14;

    fn decode(mut bytes: &[u8]) -> Result<Self, MalformedFrame> {
        let head = Self {
            id: bytes.get_u64(),
            status: bytes.get_u16(),
            length: bytes.get_u32(),
        };
        let length = head.body_length();
        refuse_too_long(length)?;
        if head.status != 0 && length != 0 {
            return Err(MalformedFrame::RefusalWithBody { length });
        }
        Ok(head)
    }

    fn encode(self, to: &mut BytesMut) {
        to.put_u64(self.id);
        to.put_u16(self.status);
        to.put_u32(self.length);
    }

    fn body_length(self) -> usize {
        self.length as usize
    }
}

/// The length of a body as it stands in a head.
pub(crate) fn length_of(body: &[u8]) -> u32 {
    u32::try_from(body.len()).expect("bodies are at most FRAME_BYTES_MAX, checked before sending")
}

fn refuse_too_long(length: usize) -> Result<(), MalformedFrame> {
    if length > FRAME_BYTES_MAX {
        return Err(MalformedFrame::TooLong { length });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(head: impl Head) -> Vec<u8> {
        let mut bytes = BytesMut::new();
        head.encode(&mut bytes);
        bytes.to_vec()
    }

    #[test]
    fn the_bytes_of_heads_do_not_change() {
        let request = RequestHead {
            id: 0x0102,
            ttl_ms: 500,
            length: 3,
        };
        let bytes = [0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 1, 0xf4, 0, 0, 0, 3];
        assert_eq!(encoded(request), bytes);
        assert_eq!(RequestHead::decode(&bytes), Ok(request));

        let answer = AnswerHead {
            id: 7,
            status: 1001,
            length: 0,
        };
        let bytes = [0, 0, 0, 0, 0, 0, 0, 7, 3, 0xe9, 0, 0, 0, 0];
        assert_eq!(encoded(answer), bytes);
        assert_eq!(AnswerHead::decode(&bytes), Ok(answer));
    }

    #[test]
    fn a_body_larger_than_a_frame_is_refused_by_its_head() {
        let length = length_of(&vec![0; FRAME_BYTES_MAX]) + 1;
        let head = RequestHead {
            id: 1,
            ttl_ms: 1,
            length,
        };
        let refused = MalformedFrame::TooLong {
            length: FRAME_BYTES_MAX + 1,
        };
        assert_eq!(RequestHead::decode(&encoded(head)), Err(refused));
    }

    #[test]
    fn a_refusal_has_no_body() {
        let head = AnswerHead {
            id: 1,
            status: 1001,
            length: 4,
        };
        let refused = MalformedFrame::RefusalWithBody { length: 4 };
        assert_eq!(AnswerHead::decode(&encoded(head)), Err(refused));
    }
}
