//! `tongban group`: the approval groups of which a node keeps replicas, and how they are moved: a plan, a
//! signature of the city's governance where its key is kept, and the order handed in.

mod apply;
mod file;
mod ls;
mod plan;
mod sign;
mod status;
mod transfer;
mod words;

use std::time::Duration;

use anyhow::Context as _;
use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Described, Output};

/// Longer than a node waits for a group to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// The JSON forms of what is answered here.
pub(crate) const ANSWERS: &[Described] = &[
    apply::ANSWER,
    ls::ANSWER,
    plan::ANSWER,
    sign::ANSWER,
    status::ANSWER,
    transfer::ANSWER,
];

#[derive(Debug, Subcommand)]
pub(crate) enum GroupCommand {
    /// 列出本节点保存副本的审批组 (list the groups the node keeps replicas of)
    #[command(alias = "list")]
    Ls(ls::Arguments),
    /// 一个审批组: 部署令、成员、各副本进度 (one group: its order, members and how far they are)
    Status(status::Arguments),
    /// 试算部署令: 步骤和途中的容错 (what an order would do, and the tolerance it costs on the way)
    Plan(plan::Arguments),
    /// 用治理密钥签署部署令, 离线 (sign an order with the governance key, offline)
    Sign(sign::Arguments),
    /// 下达已签署的部署令, 等到执行完 (hand a signed order in, and wait until the group stands so)
    Apply(apply::Arguments),
    /// 把主持移交给另一投票成员 (hand the lead to another voter)
    Transfer(transfer::Arguments),
}

impl GroupCommand {
    /// Does it.
    pub(crate) fn run(&self, output: Output) -> Result<Exit, Failure> {
        if let Self::Sign(arguments) = self {
            return sign::run(arguments, output);
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("starting the tasks of the command")?;
        runtime.block_on(async {
            match self {
                Self::Ls(arguments) => ls::run(arguments, output).await,
                Self::Status(arguments) => status::run(arguments, output).await,
                Self::Plan(arguments) => plan::run(arguments, output).await,
                Self::Sign(arguments) => sign::run(arguments, output),
                Self::Apply(arguments) => apply::run(arguments, output).await,
                Self::Transfer(arguments) => transfer::run(arguments, output).await,
            }
        })
    }
}
