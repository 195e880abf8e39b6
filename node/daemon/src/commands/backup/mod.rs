//! `tongban backup`: a node's own records, case keys and states under an offline recovery key; whether such a
//! file is what it says, what would come back of it, and a rehearsal of that.

mod age;
mod contents;
mod create;
mod daily;
mod destination;
mod drill;
mod ls;
mod restore;
mod source;
mod unfinished;
mod verify;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Described, Output};

/// The JSON forms of what is answered here.
pub(crate) const ANSWERS: &[Described] = &[
    create::ANSWER,
    drill::ANSWER,
    ls::ANSWER,
    restore::ANSWER,
    verify::ANSWER,
];

pub(crate) use age::age_of_last;
pub(crate) use create::back_up_running;
pub(crate) use drill::{Drilled, drill};
pub(crate) use source::{Source, check_file};

#[derive(Debug, Subcommand)]
pub(crate) enum BackupCommand {
    /// 备份一个节点, 加密给恢复密钥 (back a node up, sealed to the recovery key)
    Create(create::Arguments),
    /// 列出一个目录里的备份, 或一份备份里有什么 (the backups of a folder, or what lies in one)
    #[command(alias = "list")]
    Ls(ls::Arguments),
    /// 核验备份是否完整、未被改动、由谁签名 (whether a backup is whole, unaltered, and whose)
    Verify(verify::Arguments),
    /// 由备份建立同城的一个新节点 (make a new node of the same city out of a backup)
    Restore(restore::Arguments),
    /// 演练: 恢复到临时目录, 比对状态哈希 (rehearse: restore into a scratch folder and compare state hashes)
    Drill(drill::Arguments),
}

impl BackupCommand {
    /// Does it.
    pub(crate) fn run(&self, output: Output) -> Result<Exit, Failure> {
        match self {
            Self::Create(arguments) => create::run(arguments, output),
            Self::Ls(arguments) => ls::run(arguments, output),
            Self::Verify(arguments) => verify::run(arguments, output),
            Self::Restore(arguments) => restore::run(arguments, output),
            Self::Drill(arguments) => drill::run(arguments, output),
        }
    }
}
