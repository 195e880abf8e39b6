//! `/api/v1/uploads`: files come in by the tus protocol 1.0.0 (<https://tus.io>), core with the extensions
//! creation, expiration and termination, so that any tus client resumes after a broken line or a restart
//! of the node. A whole upload is named by its BLAKE3 hash in the body that collects or corrects a case.

pub(super) mod append;
pub(super) mod begin;
pub(super) mod cancel;
mod protocol;
pub(super) mod said;
pub(super) mod show;
pub(super) mod stands;
