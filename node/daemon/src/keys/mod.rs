//! Private keys on disk: one file a role, readable by their owner alone, and the public halves a node
//! shows to be enrolled.

mod enrolment;
mod error;
mod file;
mod folder;

pub(crate) use enrolment::{ANSWER as ENROLMENT, Enrolment, HexKey};
pub(crate) use error::KeyError;
pub(crate) use file::{read_seed, write_seed};
pub(crate) use folder::{KeyFolder, NodeKeys};
