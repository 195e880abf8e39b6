//! Whether a request's body was read to its end before the answer was given.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::Request;
use hyper::body::{Body, Frame, Incoming, SizeHint};

/// A body that notes when it is read whole.
pub(super) struct Watched {
    body: Incoming,
    read: Arc<AtomicBool>,
}

/// The request with its body watched, and what becomes true once that is read whole.
pub(super) fn watched(request: Request<Incoming>) -> (Request<Watched>, Arc<AtomicBool>) {
    let read = Arc::new(AtomicBool::new(request.body().is_end_stream()));
    let noted = read.clone();
    let request = request.map(|body| Watched { body, read });
    (request, noted)
}

impl Body for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if matches!(polled, Poll::Ready(None)) || self.body.is_end_stream() {
            self.read.store(true, Ordering::Release);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
