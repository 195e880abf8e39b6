//! Selecting between two futures, in the order of the arguments or in drawn order.

use std::pin::pin;
use std::task::{Context, Poll};

use openraft_rt::{OptionalSend, Select2};

use super::executor;

/// The first of two that is ready. Wider selects are made of this one.
pub(crate) async fn select2<A, B>(first: A, second: B) -> Select2<A::Output, B::Output>
where
    A: Future + OptionalSend,
    B: Future + OptionalSend,
{
    let mut first = pin!(first);
    let mut second = pin!(second);
    std::future::poll_fn(move |cx: &mut Context<'_>| {
        let is_second_first =
            executor::with(|world| world.scheduling.shuffle_selects && world.order.coin());
        if is_second_first && let Poll::Ready(value) = second.as_mut().poll(cx) {
            return Poll::Ready(Select2::Second(value));
        }
        if let Poll::Ready(value) = first.as_mut().poll(cx) {
            return Poll::Ready(Select2::First(value));
        }
        if !is_second_first && let Poll::Ready(value) = second.as_mut().poll(cx) {
            return Poll::Ready(Select2::Second(value));
        }
        Poll::Pending
    })
    .await
}
