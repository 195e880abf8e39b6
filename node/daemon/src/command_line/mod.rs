//! What people type. Each command is a file under `commands/`; here is the tree that leads to them,
//! what all of them understand, and what `--help` and the manual pages add to each.

mod bad_value;
mod examples;
mod manner;
mod misuse;
mod sentence;

use std::ffi::OsString;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::commands::{
    backup, bench_attachments, bench_exchange, bench_intake, bench_restart, bench_route, case,
    cheat, check, completion, config, demo, doc_ls, doc_verify, doctor, explain, group, init, item,
    key_backup, key_make, key_recover, key_show, man, node, peer, registry_check, registry_make,
    registry_sign, schema, status, token_create, token_ls, token_revoke, up, version,
};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

pub(crate) use examples::examples_of;
use manner::Manner;
pub(crate) use misuse::Misuse;

/// 通办: 跨地区政务服务联盟节点 (a node of the cross-region government-service federation)
#[derive(Debug, Parser)]
#[command(name = "tongban", version, max_term_width = 100)]
#[command(disable_help_subcommand = true, arg_required_else_help = true)]
pub(crate) struct CommandLine {
    #[command(flatten)]
    manner: Manner,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// 运行一个节点 (run a node)
    #[command(alias = "serve")]
    Up(up::Arguments),
    /// 为本机节点写配置和密钥 (write configuration and keys of a node)
    Init(init::Arguments),
    /// 演示: 六个城市, 一件跨省办件, 途中杀掉一个主副本 (six cities, one case, a leader killed)
    Demo(demo::Arguments),
    /// 节点概况, 首行是还可失去几个节点 (a node at a glance; first, how many can be lost)
    Status(status::Arguments),
    /// 逐项检查本机节点, 停机时也可用 (look at everything a node needs, also while it is down)
    Doctor(doctor::Arguments),
    /// 供监控系统检查一项 (one thing, for a monitoring system)
    Check(check::Arguments),
    /// 办件 (cases)
    #[command(subcommand)]
    Case(case::CaseCommand),
    /// 事项 (service items)
    #[command(subcommand)]
    Item(item::ItemCommand),
    /// 配置 (configuration)
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// 密钥 (keys)
    #[command(subcommand)]
    Key(KeyCommand),
    /// 备份与恢复 (backups)
    #[command(subcommand)]
    Backup(backup::BackupCommand),
    /// 名册 (the registry: who is who)
    #[command(subcommand)]
    Registry(RegistryCommand),
    /// 审批组: 查看、部署、移交 (approval groups: how they stand, where they are placed, who leads)
    #[command(subcommand)]
    Group(group::GroupCommand),
    /// 本节点: 停用维护与恢复 (this node: out of service for maintenance, and back)
    #[command(subcommand)]
    Node(node::NodeCommand),
    /// 对端节点 (other nodes)
    #[command(subcommand)]
    Peer(peer::PeerCommand),
    /// 访问令牌 (access tokens)
    #[command(subcommand)]
    Token(TokenCommand),
    /// 文书 (documents)
    #[command(subcommand)]
    Doc(DocCommand),
    /// JSON 对象的结构说明 (JSON Schemas of all that is given and taken)
    #[command(subcommand)]
    Schema(schema::SchemaCommand),
    /// 测速 (benchmarks)
    #[command(subcommand)]
    Bench(BenchCommand),
    /// 解释一个 TB 代码或退出码 (what a code means)
    Explain(explain::Arguments),
    /// 各命令的例子 (examples of every command)
    Cheat(cheat::Arguments),
    /// 命令补全脚本 (completion for a shell)
    Completion(completion::Arguments),
    /// 手册页, 每个命令一页 (manual pages, one a command)
    Man(man::Arguments),
    /// 版本 (version)
    Version,
}

#[derive(Debug, Subcommand)]
enum BenchCommand {
    /// 收件: 每件经多数副本落盘才答复 (intake, majority-durable before each answer)
    Intake(bench_intake::Arguments),
    /// 跨省送达: 从收件到属地签收 (from the window to the authority, over long lines)
    Route(bench_route::Arguments),
    /// 城市之间: 每秒送达并签收的包 (packets a second between two cities)
    Exchange(bench_exchange::Arguments),
    /// 附件: 从一城到另一城, 与 rsync 对照 (files from city to city, beside rsync)
    Attachments(bench_attachments::Arguments),
    /// 重启: 有许多办件的节点多久再次答复 (how soon nodes with many cases answer again)
    Restart(bench_restart::Arguments),
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// 生成节点的密钥或一把治理密钥, 输出公钥 (make keys, print the public halves)
    Make(key_make::Arguments),
    /// 输出节点的公钥, 供登记 (print a node's public keys, to be enrolled)
    Show(key_show::Arguments),
    /// 把已停止的节点的办件密钥加密备份给恢复密钥 (seal the case keys of a stopped node)
    Backup(key_backup::Arguments),
    /// 用恢复密钥把备份中的办件密钥放回节点 (put case keys of a backup back)
    Recover(key_recover::Arguments),
}

#[derive(Debug, Subcommand)]
enum RegistryCommand {
    /// 按计划制作未签名的名册 (make an unsigned registry of a plan)
    Make(registry_make::Arguments),
    /// 用治理密钥签名 (sign with a governance key)
    Sign(registry_sign::Arguments),
    /// 核对签名、预置哈希和有效期, 列出内容 (check signatures, pin and expiry)
    Check(registry_check::Arguments),
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// 为一名工作人员生成令牌, 只显示一次 (make a token for a person; shown once)
    Create(token_create::Arguments),
    /// 列出令牌 (list tokens)
    #[command(alias = "list")]
    Ls(token_ls::Arguments),
    /// 撤销令牌, 立即生效 (revoke a token at once)
    Revoke(token_revoke::Arguments),
}

#[derive(Debug, Subcommand)]
enum DocCommand {
    /// 列出本市所涉办件的文书 (documents of the cases this city is party to)
    #[command(alias = "list")]
    Ls(doc_ls::Arguments),
    /// 凭一份名册离线核验文书 (verify a document offline, with one registry)
    Verify(doc_verify::Arguments),
}

impl CommandLine {
    /// Reads what was typed.
    pub(crate) fn read(words: impl IntoIterator<Item = OsString>) -> Result<Self, Misuse> {
        let words: Vec<OsString> = words.into_iter().collect();
        let read = tree().try_get_matches_from(&words);
        read.and_then(|matches| Self::from_arg_matches(&matches))
            .map_err(|error| Misuse::of(error, &words))
    }

    /// Where its answers go.
    pub(crate) fn output(&self) -> Output {
        self.manner.output()
    }

    /// Does what was asked.
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let output = self.output();
        match self.command {
            Command::Up(arguments) => up::run(&arguments, output),
            Command::Init(arguments) => init::run(&arguments, output),
            Command::Demo(arguments) => demo::run(arguments, output),
            Command::Status(arguments) => status::run(&arguments, output),
            Command::Doctor(arguments) => Ok(doctor::run(&arguments, output)),
            Command::Check(arguments) => check::run(&arguments, output),
            Command::Case(command) => command.run(output),
            Command::Item(command) => command.run(output),
            Command::Config(command) => command.run(output),
            Command::Key(command) => command.run(output),
            Command::Backup(command) => command.run(output),
            Command::Registry(command) => command.run(output),
            Command::Group(command) => command.run(output),
            Command::Node(command) => command.run(output),
            Command::Peer(command) => command.run(output),
            Command::Token(command) => command.run(output),
            Command::Doc(DocCommand::Ls(arguments)) => doc_ls::run(&arguments, output),
            Command::Doc(DocCommand::Verify(arguments)) => doc_verify::run(&arguments, output),
            Command::Schema(command) => command.run(output),
            Command::Bench(BenchCommand::Intake(arguments)) => {
                bench_intake::run(&arguments, output)
            }
            Command::Bench(BenchCommand::Route(arguments)) => bench_route::run(&arguments, output),
            Command::Bench(BenchCommand::Exchange(arguments)) => {
                bench_exchange::run(&arguments, output)
            }
            Command::Bench(BenchCommand::Attachments(arguments)) => {
                bench_attachments::run(&arguments, output)
            }
            Command::Bench(BenchCommand::Restart(arguments)) => {
                bench_restart::run(&arguments, output)
            }
            Command::Explain(arguments) => explain::run(&arguments, output),
            Command::Cheat(arguments) => cheat::run(&arguments, output),
            Command::Completion(arguments) => Ok(completion::run(&arguments)),
            Command::Man(arguments) => man::run(&arguments, output),
            Command::Version => Ok(version::run(output)),
        }
    }
}

impl KeyCommand {
    fn run(self, output: Output) -> Result<Exit, Failure> {
        match self {
            Self::Make(arguments) => key_make::run(&arguments, output),
            Self::Show(arguments) => key_show::run(&arguments, output),
            Self::Backup(arguments) => key_backup::run(&arguments, output),
            Self::Recover(arguments) => key_recover::run(&arguments, output),
        }
    }
}

impl RegistryCommand {
    fn run(self, output: Output) -> Result<Exit, Failure> {
        match self {
            Self::Make(arguments) => registry_make::run(&arguments, output),
            Self::Sign(arguments) => registry_sign::run(&arguments, output),
            Self::Check(arguments) => registry_check::run(&arguments, output),
        }
    }
}

impl TokenCommand {
    fn run(self, output: Output) -> Result<Exit, Failure> {
        match self {
            Self::Create(arguments) => token_create::run(&arguments, output),
            Self::Ls(arguments) => token_ls::run(&arguments, output),
            Self::Revoke(arguments) => token_revoke::run(&arguments, output),
        }
    }
}

/// The whole tree, each command with its examples and the exit codes.
pub(crate) fn tree() -> clap::Command {
    let mut root = CommandLine::command().disable_help_flag(true);
    root.build();
    with_extras(root, "")
}

fn with_extras(command: clap::Command, path: &str) -> clap::Command {
    let below: Vec<String> = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect();
    let mut command = command.after_help(extras(path));
    for name in below {
        let path = format!("{path} {name}").trim_start().to_owned();
        command = command.mut_subcommand(&name, |sub| with_extras(sub, &path));
    }
    command
}

fn extras(path: &str) -> String {
    let examples: Vec<String> = examples_of(path)
        .map(|example| format!("  {}\n      {} ({})", example.line, example.zh, example.en))
        .collect();
    if examples.is_empty() {
        return Exit::help();
    }
    format!(
        "例子 / EXAMPLES:\n{}\n\n{}",
        examples.join("\n"),
        Exit::help()
    )
}

#[cfg(test)]
mod tests;
