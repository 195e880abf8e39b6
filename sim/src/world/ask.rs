//! How people reach a node: their request runs on its machine and dies with it.

use std::sync::Arc;
use std::time::Duration;

use openraft_rt::{AsyncRuntime, Oneshot as _, OneshotSender as _};
use tongban_runtime::{NodeError, NodeHandle};

use super::scene::Scene;
use crate::runtime::{SimOneshot, SimRuntime, World};

/// Patience of a person: beyond every time out of a node.
const PATIENCE: Duration = Duration::from_secs(40);

/// Why there was no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// The node is down, or went down meanwhile.
    Gone,
    /// It said that it could not, or not know whether it did.
    Unclear(NodeError),
    /// It said no for good.
    Refused(NodeError),
}

/// Asks a node and waits.
pub(crate) async fn ask<T, F, A>(scene: &Scene, place: usize, question: F) -> Result<T, Unanswered>
where
    T: Send + 'static,
    F: FnOnce(Arc<dyn NodeHandle>) -> A,
    A: Future<Output = Result<T, NodeError>> + Send + 'static,
{
    let machine = &scene.machines[place];
    let handle = machine.handle().ok_or(Unanswered::Gone)?;
    let (sender, answer) = SimOneshot::channel();
    let asked = question(handle);
    World::spawn(machine.owner(), async move {
        // Whoever asked may have gone.
        let _ = sender.send(asked.await);
    });
    match SimRuntime::timeout(PATIENCE, answer).await {
        Ok(Ok(Ok(answer))) => Ok(answer),
        Ok(Ok(Err(error))) if is_unclear(&error) => Err(Unanswered::Unclear(error)),
        Ok(Ok(Err(error))) => Err(Unanswered::Refused(error)),
        Ok(Err(_)) => Err(Unanswered::Gone),
        Err(_) => Err(Unanswered::Unclear(NodeError::TimedOut)),
    }
}

fn is_unclear(error: &NodeError) -> bool {
    match error {
        NodeError::TimedOut
        | NodeError::NoQuorum
        | NodeError::Busy
        | NodeError::UnderWay
        | NodeError::NoKey(_)
        | NodeError::Failed(_) => true,
        NodeError::Refused(refusal) => refusal.is_passing(),
        NodeError::AuthorityOutside { .. }
        | NodeError::NoSuchCase(_)
        | NodeError::TooLarge { .. }
        | NodeError::NumbersUsedUp => false,
    }
}
