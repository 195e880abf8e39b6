//! What a node does with orders of placement it is told of: it takes note, takes a group up that it is
//! placed in, and leaves one once the group stands without it.

use std::sync::Arc;

use openraft_rt::Mutex as _;
use tongban_machine::Refusal;
use tongban_types::{Code, GroupId, NodeId, PlacementOrder, Purpose, Signed, decode};

use crate::core::{Core, Hosted};
use crate::opener::GroupOpener;
use crate::running::RunningNode;
use crate::seams::Platform;
use crate::told::{Told, groups_told};

impl<P: Platform> RunningNode<P> {
    /// Takes groups up and leaves them, one after the other, so that no group is opened while it still
    /// ends.
    pub(crate) async fn run_moving(self: Arc<Self>, opener: Arc<dyn GroupOpener<P>>) {
        let core = self.core();
        let mut placed = core.placed.listen();
        while !core.is_stopping() {
            placed.mark();
            for (group, told) in groups_told(&*core.local) {
                match core.group(group) {
                    None if told.names(core.me) && !told.has_left => {
                        self.take_up_by_order(group, &*opener).await;
                    }
                    Some(hosted) if !told.names(core.me) => core.leave(group, &hosted).await,
                    _ => {}
                }
            }
            placed.heard(core.tempo().look_every).await;
        }
    }

    async fn take_up_by_order(&self, group: GroupId, opener: &dyn GroupOpener<P>) {
        let core = self.core();
        match opener.open(group, core.registry()).await {
            Ok(hosted) => {
                tracing::info!(%group, node = %core.me, "taking the group up, by order");
                self.take_up(group, hosted);
            }
            Err(reason) => tracing::error!(%group, reason, "the group is not taken up"),
        }
    }
}

impl<P: Platform> Core<P> {
    /// Takes note of the order by which a group is placed, as a replica of it says: of who may speak in
    /// the group, and whether this node has a part in it.
    pub(crate) async fn on_placed(
        &self,
        peer: NodeId,
        group: GroupId,
        signed: &Signed,
        naming: Option<&Signed>,
    ) -> Result<(), Code> {
        let refused = || Refusal::KeyWithoutRight.code();
        let order = self.order_of(group, signed).ok_or_else(refused)?;
        let told = self.note_order(group, Told::new(signed, &order)).await?;
        let Some((told, hosted)) = told.zip(self.group(group)) else {
            return Ok(());
        };
        let mut may_speak = told.replicas();
        if self.has_part(group, &hosted, peer, naming) {
            may_speak.insert(peer);
        }
        hosted.group.admit(may_speak);
        Ok(())
    }

    /// Whether a node that the order in force does not name has had a part in the group since what the
    /// log here says: such a one may still lead it, until it stands as ordered.
    fn has_part(
        &self,
        group: GroupId,
        hosted: &Hosted<P>,
        peer: NodeId,
        naming: Option<&Signed>,
    ) -> bool {
        let here = self.placement_by_own_log(group, hosted);
        let here = here.map_or(0, |placement| placement.version);
        match naming {
            Some(naming) => self.order_of(group, naming).is_some_and(|order| {
                order.version >= here && Told::new(naming, &order).names(peer)
            }),
            None => here == 0 && self.registry().voters(group).contains(&peer),
        }
    }

    /// An order for a group, if the governance of its city signed it.
    fn order_of(&self, group: GroupId, signed: &Signed) -> Option<PlacementOrder> {
        let order: PlacementOrder = decode(&signed.bytes).ok()?;
        let governance = self.registry().governance_key(group.city());
        let is_signed = order.group == group
            && governance == Some(signed.signer)
            && tongban_trust::verify_signed(Purpose::PlacementOrder, signed).is_ok();
        is_signed.then_some(order)
    }

    /// Writes an order down, if it concerns this node and says more than what is known; what is known
    /// then.
    async fn note_order(&self, group: GroupId, told: Told) -> Result<Option<Told>, Code> {
        let _alone = self.told_gate.lock().await;
        let known = Told::read(&*self.local, group);
        let concerns_us = told.names(self.me) || known.is_some() || self.group(group).is_some();
        if !concerns_us {
            return Ok(None);
        }
        let Some(mut told) = told.in_place_of(known.as_ref()) else {
            return Ok(known);
        };
        // Whoever left is back only where it is named again.
        told.has_left = !told.names(self.me) && known.is_some_and(|known| known.has_left);
        self.write_told(group, &told).await?;
        self.placed.ring();
        Ok(Some(told))
    }

    async fn write_told(&self, group: GroupId, told: &Told) -> Result<(), Code> {
        told.write(&*self.local, group).await.map_err(|error| {
            self.fail(format!("an order of placement cannot be noted: {error}"));
            Code::NODE_FAILED
        })
    }

    /// Leaves a group that this node is not placed in any more, once its leader says that the group stands
    /// without it. What it kept stays on the disk.
    async fn leave(&self, group: GroupId, hosted: &Hosted<P>) {
        let Some((signed, stands)) = self.ask_standing(group).await else {
            return;
        };
        let Some(order) = self.order_of(group, &signed) else {
            return;
        };
        let noted = self.note_order(group, Told::new(&signed, &order)).await;
        if noted.is_err() || !stands || !self.note_leaving(group, &signed).await {
            return;
        }
        tracing::info!(%group, node = %self.me, "this node left the group, by order");
        self.set_hosted(group, None);
        hosted.group.shut_down().await;
    }

    /// Notes that this node has left, unless another order came in meanwhile; whether it did.
    async fn note_leaving(&self, group: GroupId, order: &Signed) -> bool {
        let _alone = self.told_gate.lock().await;
        let told = Told::read(&*self.local, group);
        let Some(mut told) = told.filter(|told| told.is(order) && !told.names(self.me)) else {
            return false;
        };
        told.has_left = true;
        self.write_told(group, &told).await.is_ok()
    }
}
