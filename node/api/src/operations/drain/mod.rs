//! Taking the node out of service for maintenance and back into it.

pub(super) mod begin;
pub(super) mod end;
pub(super) mod show;
mod view;

pub(crate) use view::DrainView;
