//! What persons do to a case, one act a file: `POST /api/v1/cases/{number}/<act>`.

mod accept;
mod ask_correction;
mod correct;
mod decide;
mod deliver;
mod order;
mod refuse_to_accept;
mod review;
mod transfer;
mod withdraw;

pub(super) use accept::accept;
pub(super) use ask_correction::ask_correction;
pub(super) use correct::correct;
pub(super) use decide::decide;
pub(super) use deliver::deliver;
pub(super) use refuse_to_accept::refuse_to_accept;
pub(super) use review::review;
pub(super) use transfer::transfer;
pub(super) use withdraw::withdraw;
