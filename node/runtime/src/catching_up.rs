//! Catching up with the city's group, for what only a node that shows all of it may say.

use tongban_types::GroupId;

use crate::core::{Core, Until};
use crate::handle::NodeError;
use crate::seams::Platform;

impl<P: Platform> Core<P> {
    /// Returns once this node shows everything its city's group acknowledged before the call. Nothing is
    /// proposed, so that who is told that it did not come to that knows that nothing was done.
    pub(crate) async fn catch_up_own(&self) -> Result<(), NodeError> {
        let own = self.own().ok_or(NodeError::NoQuorum)?;
        let tempo = self.tempo();
        let until = Until::<P::Runtime>::after(tempo.answer_time_max());
        let index = self.read_index(GroupId(self.city()), tempo.order_timeout);
        let index = index.await.map_err(|_| NodeError::NoQuorum)?;
        let left = until.left().unwrap_or_default();
        let applied = own.group.wait_applied(index, left).await;
        applied.map_err(|_| NodeError::NotCaughtUp)
    }

    /// What is asked of a case here, for an act on it. A node that came back a moment ago may show neither a
    /// case nor its key yet: that there is no such case is said only once it has caught up.
    pub(crate) async fn ask_of_case<T>(
        &self,
        asked: impl Fn() -> Result<T, NodeError>,
    ) -> Result<T, NodeError> {
        match asked() {
            Err(NodeError::NoSuchCase(_)) => {}
            answered => return answered,
        }
        self.catch_up_own().await?;
        asked()
    }
}
