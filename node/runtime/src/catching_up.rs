//! Catching up with the city's group, for what only a node that shows all of it may say.

use std::time::Duration;

use tongban_types::GroupId;

use crate::core::{Core, Until};
use crate::handle::NodeError;
use crate::seams::Platform;

impl<P: Platform> Core<P> {
    /// Returns once this node shows everything its city's group acknowledged before the call. Nothing is
    /// proposed, so that who is told that it did not come to that knows that nothing was done.
    pub(crate) async fn catch_up_own(&self) -> Result<(), NodeError> {
        let due = self.answer_due(Duration::ZERO);
        self.catch_up_until(&due).await
    }

    /// The same for an answer of which some of the time may be gone. That the group has no majority is said
    /// only where it was waited for as long as an order waits.
    async fn catch_up_until(&self, due: &Until<P::Runtime>) -> Result<(), NodeError> {
        let own = self.own().ok_or(NodeError::NoQuorum)?;
        let left = due.left().ok_or(NodeError::NotCaughtUp)?;
        let whole = self.tempo().order_timeout;
        let index = self.read_index(GroupId(self.city()), left.min(whole));
        let index = index.await.map_err(|_| {
            if left < whole {
                NodeError::NotCaughtUp
            } else {
                NodeError::NoQuorum
            }
        })?;
        let left = due.left().unwrap_or_default();
        let applied = own.group.wait_applied(index, left).await;
        applied.map_err(|_| NodeError::NotCaughtUp)
    }

    /// What is asked of a case here, for an act on it whose answer is due. A node that came back a moment ago
    /// may show neither a case nor its key yet: that there is no such case is said only once it has caught up.
    pub(crate) async fn ask_of_case<T>(
        &self,
        due: &Until<P::Runtime>,
        asked: impl Fn() -> Result<T, NodeError>,
    ) -> Result<T, NodeError> {
        match asked() {
            Err(NodeError::NoSuchCase(_)) => {}
            answered => return answered,
        }
        self.catch_up_until(due).await?;
        asked()
    }
}
