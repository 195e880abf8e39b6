//! What is ordered is carried out to its end, whether or not the client stays for the answer: a server
//! drops a handler with its connection, and an order dropped half way would free its key while what it
//! wrote is still on its way to the disk.

use axum::http::StatusCode;
use tongban_types::Code;
use tracing::Instrument as _;

use crate::problem::Problem;

/// Carries an order out in a task of its own, and waits for it. Nothing but the end of the process
/// ends it early.
pub(crate) async fn carried_out<T, E>(
    order: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Result<Result<T, E>, Problem>
where
    T: Send + 'static,
    E: Send + 'static,
{
    let order = order.instrument(tracing::Span::current());
    tokio::spawn(order).await.map_err(|ended| {
        tracing::error!(%ended, "an order was not carried out to its end");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, Code::NODE_FAILED)
    })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::task::Poll;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn an_order_goes_on_when_nobody_waits_for_it_any_more() {
        let (begin, begun) = oneshot::channel::<()>();
        let (end, ended) = oneshot::channel();
        let order = async {
            begun.await.unwrap();
            end.send("carried out").unwrap();
            Ok::<_, Infallible>(())
        };
        let mut waiting = Box::pin(carried_out(order));
        std::future::poll_fn(|context| {
            assert!(waiting.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
        drop(waiting);
        begin.send(()).unwrap();
        assert_eq!(ended.await.unwrap(), "carried out");
    }
}
