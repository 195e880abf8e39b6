//! The groups this node keeps replicas of: how they stand, and how an operator moves them.

pub(super) mod hand_over;
pub(super) mod list;
mod order;
pub(super) mod place;
pub(super) mod plan;
pub(super) mod show;
mod view;

pub(crate) use order::OrderBody;
pub(crate) use place::PlacedView;
pub(crate) use plan::PlanView;
pub(crate) use view::{GroupView, MembersView};
