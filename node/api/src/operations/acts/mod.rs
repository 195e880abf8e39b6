//! What persons do to a case, one act a file: `POST /api/v1/cases/{number}/<act>`.

pub(super) mod accept;
pub(super) mod ask_correction;
pub(super) mod correct;
pub(super) mod decide;
pub(super) mod deliver;
mod order;
pub(super) mod refuse_to_accept;
pub(super) mod review;
pub(super) mod transfer;
pub(super) mod withdraw;

pub(crate) use order::ActedView;
