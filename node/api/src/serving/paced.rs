//! The body of an answer, given to the connection in small pieces as it takes them: so each piece that a
//! client takes is a sign of life, and what it does not take stays where it is.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};

use super::life::Life;
use crate::limits::ANSWER_PIECE_BYTES;

/// A body in pieces.
pub(super) struct Paced {
    body: Body,
    rest: Bytes,
    life: Life,
}

impl Paced {
    pub(super) fn new(body: Body, life: Life) -> Self {
        Self {
            body,
            rest: Bytes::new(),
            life,
        }
    }
}

impl HttpBody for Paced {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            let polled = ready!(Pin::new(&mut self.body).poll_frame(context));
            self.life.touch();
            match polled.map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(bytes))) => self.rest = bytes,
                Some(Ok(Err(trailers))) => return Poll::Ready(Some(Ok(trailers))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
        self.life.touch();
        let length = self.rest.len().min(ANSWER_PIECE_BYTES);
        let piece = self.rest.split_to(length);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        let of_body = self.body.size_hint();
        let mut hint = SizeHint::new();
        if let Some(upper) = of_body.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(of_body.lower() + rest);
        hint
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn an_answer_goes_out_whole_in_pieces_and_its_length_is_known_throughout() {
        let whole = Bytes::from(vec![7; 2 * ANSWER_PIECE_BYTES + 1]);
        let mut body = Paced::new(Body::from(whole.clone()), Life::begin());
        let mut lengths = Vec::new();
        let mut came = 0;
        loop {
            let left = (whole.len() - came) as u64;
            assert_eq!(body.size_hint().exact(), Some(left));
            let Some(frame) = body.frame().await else {
                break;
            };
            let piece = frame.unwrap().into_data().unwrap();
            came += piece.len();
            lengths.push(piece.len());
        }
        assert_eq!(lengths, [ANSWER_PIECE_BYTES, ANSWER_PIECE_BYTES, 1]);
        assert!(body.is_end_stream());
    }
}
