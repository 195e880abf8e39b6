//! `/api/v1/uploads`: files come in by the tus protocol 1.0.0 (<https://tus.io>), core with the extensions
//! creation, expiration and termination, so that any tus client resumes after a broken line or a restart
//! of the node. A whole upload is named by its BLAKE3 hash in the body that collects or corrects a case.

mod append;
mod begin;
mod cancel;
mod protocol;
mod said;
mod show;
mod stands;

use axum::routing::{MethodRouter, post};

use crate::state::Shared;

/// What is asked of all uploads. Their manners are told by the protocol, not by our description.
pub(super) fn all() -> MethodRouter<Shared> {
    post(begin::begin).options(said::said)
}

/// What is asked of one upload.
pub(super) fn one() -> MethodRouter<Shared> {
    MethodRouter::new()
        .head(stands::stands)
        .get(show::show)
        .patch(append::append)
        .post(append::overridden)
        .delete(cancel::cancel)
        .options(said::said)
}
