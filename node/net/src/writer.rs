//! Frames into a stream of bytes. Small frames are gathered into one write, so that sixty-four of
//! them cost one Yamux frame and one encryption; a large body is written from where it lies.

use std::io;

use bytes::BytesMut;
use futures_util::{AsyncWrite, AsyncWriteExt};

use crate::frame::Head;

/// What is gathered into one write: one Yamux data frame.
const GATHER_BYTES: usize = 16 * 1024;

/// Frames of one direction of a stream.
#[derive(Debug)]
pub(crate) struct FrameWriter<W> {
    sink: W,
    gathered: BytesMut,
}

impl<W: AsyncWrite + Unpin> FrameWriter<W> {
    pub(crate) fn new(sink: W) -> Self {
        Self {
            sink,
            gathered: BytesMut::with_capacity(GATHER_BYTES),
        }
    }

    /// Adds a frame; nothing need leave before `flush`.
    pub(crate) async fn push(&mut self, head: impl Head, body: &[u8]) -> io::Result<()> {
        head.encode(&mut self.gathered);
        let room = GATHER_BYTES.saturating_sub(self.gathered.len());
        let (gathered, rest) = body.split_at(room.min(body.len()));
        self.gathered.extend_from_slice(gathered);
        if self.gathered.len() >= GATHER_BYTES {
            self.write_gathered().await?;
            self.sink.write_all(rest).await?;
        }
        Ok(())
    }

    /// Sends everything added.
    pub(crate) async fn flush(&mut self) -> io::Result<()> {
        self.write_gathered().await?;
        self.sink.flush().await
    }

    async fn write_gathered(&mut self) -> io::Result<()> {
        self.sink.write_all(&self.gathered).await?;
        self.gathered.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::io::Cursor;

    use super::*;
    use crate::frame::{RequestHead, length_of};
    use crate::reader::FrameReader;

    fn head(id: u64, body: &[u8]) -> RequestHead {
        RequestHead {
            id,
            ttl_ms: 1,
            length: length_of(body),
        }
    }

    #[tokio::test]
    async fn what_is_written_is_read_whatever_its_size() {
        let sizes = [0, 1, 100, 16_367, 16_368, 16_369, 40_000, 3];
        let mut writer = FrameWriter::new(Cursor::new(Vec::new()));
        for (id, size) in (0_u64..).zip(sizes) {
            let body = vec![1; size];
            writer.push(head(id, &body), &body).await.unwrap();
        }
        writer.flush().await.unwrap();

        let bytes = writer.sink.into_inner();
        let mut reader = FrameReader::<_, RequestHead>::new(bytes.as_slice());
        for (id, size) in (0_u64..).zip(sizes) {
            let (head, body) = reader.next().await.unwrap().unwrap();
            assert_eq!((head.id, body.len()), (id, size));
        }
        assert!(reader.next().await.unwrap().is_none());
    }
}
