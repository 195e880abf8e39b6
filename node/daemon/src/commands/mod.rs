//! One command a file: what it takes, what it does, what it answers.

pub(crate) mod bench_intake;
pub(crate) mod cheat;
pub(crate) mod check;
pub(crate) mod completion;
pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod doc_verify;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod init;
pub(crate) mod key_backup;
pub(crate) mod key_make;
pub(crate) mod key_recover;
pub(crate) mod key_show;
pub(crate) mod man;
mod pin;
mod prefix;
pub(crate) mod registry_check;
pub(crate) mod registry_make;
pub(crate) mod registry_sign;
pub(crate) mod status;
pub(crate) mod token_create;
pub(crate) mod token_ls;
pub(crate) mod token_revoke;
pub(crate) mod up;
mod vault_log;
pub(crate) mod version;
