//! The way from a command to a running node: which node is meant, as whom it is asked, and what its
//! answers mean to whoever typed the command. The one place where commands open connections.

mod arguments;
mod client;
mod curl;
mod partners;
mod place;
mod shell;

pub(crate) use arguments::{CONFIG_USUAL, NodeAccess};
pub(crate) use client::{Call, NodeClient};
pub(crate) use partners::{Contact, Partner, partners};
use place::NodeUrl;
pub(crate) use shell::{path_word, word};
