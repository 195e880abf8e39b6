//! The body of a file: piece after piece, the next one read while the last one is written.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};

type Reading = Pin<Box<dyn Future<Output = io::Result<Bytes>> + Send>>;

/// Reads the beginning of a range: at least one byte of one that is not empty.
pub(crate) type Pieces = Box<dyn Fn(Range<u64>) -> Reading + Send>;

struct FileBody {
    first: Option<Bytes>,
    rest: Range<u64>,
    next: Pieces,
    reading: Option<Reading>,
}

/// A body of a first piece and what is read of the rest.
pub(crate) fn file_body(first: Bytes, rest: Range<u64>, next: Pieces) -> Body {
    let first = Some(first).filter(|piece| !piece.is_empty());
    Body::new(
        FileBody {
            first,
            rest,
            next,
            reading: None,
        }
        .boxed_unsync(),
    )
}

impl FileBody {
    fn read_ahead(&mut self) {
        if self.reading.is_none() && !self.rest.is_empty() {
            self.reading = Some((self.next)(self.rest.clone()));
        }
    }
}

impl HttpBody for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.read_ahead();
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        let Some(reading) = self.reading.as_mut() else {
            return Poll::Ready(None);
        };
        let read = match reading.as_mut().poll(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(read) => read,
        };
        self.reading = None;
        match read {
            // Fewer bytes than were announced must break the answer off, not end it.
            Ok(piece) if piece.is_empty() => {
                let short = io::Error::other("the file ended early");
                Poll::Ready(Some(Err(short)))
            }
            Ok(piece) => {
                self.rest.start += piece.len() as u64;
                self.read_ahead();
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
            Err(error) => Poll::Ready(Some(Err(error))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.reading.is_none() && self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let first = self.first.as_ref().map_or(0, |piece| piece.len() as u64);
        SizeHint::with_exact(first + self.rest.end - self.rest.start)
    }
}
