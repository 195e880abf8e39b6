//! How people reach a node: their request runs on its machine and dies with it.

use std::sync::Arc;
use std::time::Duration;

use openraft_rt::{AsyncRuntime, Oneshot as _, OneshotSender as _};
use tongban_runtime::{NodeError, NodeHandle};

use super::scene::Scene;
use crate::invariants::Violation;
use crate::runtime::{SimOneshot, SimRuntime, World, lock};

/// Patience of a person: beyond every time out of a node.
const PATIENCE: Duration = Duration::from_secs(40);

/// Why there was no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// The node is down, or went down meanwhile.
    Gone,
    /// It said that it could not, or not know whether it did.
    Unclear(NodeError),
    /// It said no for good.
    Refused(NodeError),
}

/// Asks the node at a place of the ring and waits as long as a person would. What is asked runs on its
/// machine; whoever waits learns that it went down.
pub async fn ask<T, F, A>(scene: &Scene, place: usize, question: F) -> Result<T, Unanswered>
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
        Ok(Ok(Err(error))) if is_unclear(&error) => {
            accuse_unless_broken(scene, place, &error);
            Err(Unanswered::Unclear(error))
        }
        Ok(Ok(Err(error))) => Err(Unanswered::Refused(error)),
        Ok(Err(_)) => Err(Unanswered::Gone),
        Err(_) => Err(Unanswered::Unclear(NodeError::TimedOut)),
    }
}

/// A node may say that it failed only where its disk did.
fn accuse_unless_broken(scene: &Scene, place: usize, error: &NodeError) {
    let machine = &scene.machines[place];
    if matches!(error, NodeError::Failed(_)) && !machine.disk().is_broken() {
        let what = format!("{} says on a sound disk: {error}", machine.node());
        let violation = Violation::new("no node gives up", what);
        lock(&scene.oracle).accuse(violation);
    }
}

fn is_unclear(error: &NodeError) -> bool {
    match error {
        NodeError::TimedOut
        | NodeError::NotCaughtUp
        | NodeError::NoQuorum
        | NodeError::Busy
        | NodeError::Draining
        | NodeError::UnderWay
        | NodeError::NoKey(_)
        | NodeError::FileUnreachable
        | NodeError::Failed(_) => true,
        NodeError::Refused(refusal) => refusal.is_passing(),
        NodeError::AuthorityOutside { .. }
        | NodeError::NoSuchCase(_)
        | NodeError::TooLarge { .. }
        | NodeError::TooManyAttachments { .. }
        | NodeError::File(_)
        | NodeError::NotHosted(_)
        | NodeError::RefusedThere(_)
        | NodeError::HandOver(_)
        | NodeError::NumbersUsedUp => false,
    }
}
