//! The outcome of a spawned task.

use std::pin::Pin;
use std::task::{Context, Poll};

use thiserror::Error;

use super::oneshot::OneshotReceiver;

/// The task's machine was switched off before the task ended. A task that panics ends the whole
/// run instead, so there is no other reason.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the task was killed with its node")]
pub struct TaskKilled;

/// Waits for a task's outcome. Dropping it lets the task go on.
#[derive(Debug)]
pub struct JoinHandle<T>(OneshotReceiver<T>);

impl<T> JoinHandle<T> {
    pub(crate) fn new(outcome: OneshotReceiver<T>) -> Self {
        Self(outcome)
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, TaskKilled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = Pin::new(&mut self.0).poll(cx);
        outcome.map(|outcome| outcome.map_err(|_| TaskKilled))
    }
}
