//! What people type. Each command is a file under `commands/`; here is only the tree that leads to
//! them.

use clap::{Parser, Subcommand};

use crate::commands::{
    bench_intake, config_check, demo, doc_verify, explain, key_backup, key_make, key_recover,
    key_show, registry_check, registry_make, registry_sign, status, token_create, token_ls,
    token_revoke, up, version,
};
use crate::exit::{EXIT_CODES_HELP, Exit};
use crate::failure::Failure;
use crate::output::Output;

/// 通办: 跨地区政务服务联盟节点
#[derive(Debug, Parser)]
#[command(name = "tongban", version, after_help = EXIT_CODES_HELP, max_term_width = 100)]
#[command(disable_help_subcommand = true)]
pub(crate) struct CommandLine {
    /// 以 JSON 作答, 格式有版本号
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// 运行一个节点
    #[command(alias = "serve")]
    Up(up::Arguments),
    /// 演示: 六个城市, 一件跨省办件, 途中杀掉一个主副本
    Demo(demo::Arguments),
    /// 测速
    #[command(subcommand)]
    Bench(BenchCommand),
    /// 节点概况, 首行是还可失去几个节点
    Status(status::Arguments),
    /// 配置: 检查
    #[command(subcommand)]
    Config(ConfigCommand),
    /// 密钥: 生成, 查看公钥
    #[command(subcommand)]
    Key(KeyCommand),
    /// 名册: 制作, 签名, 检查
    #[command(subcommand)]
    Registry(RegistryCommand),
    /// 访问令牌: 生成, 列出, 撤销
    #[command(subcommand)]
    Token(TokenCommand),
    /// 文书: 离线核验
    #[command(subcommand)]
    Doc(DocCommand),
    /// 解释一个 TB 代码
    Explain(explain::Arguments),
    /// 版本
    Version,
}

#[derive(Debug, Subcommand)]
enum BenchCommand {
    /// 收件: 每件经多数副本落盘才答复
    Intake(bench_intake::Arguments),
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// 检查配置文件, 指出错误所在的行和键
    Check(config_check::Arguments),
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// 生成节点的密钥或一把治理密钥, 输出公钥
    Make(key_make::Arguments),
    /// 输出节点的公钥, 供登记
    Show(key_show::Arguments),
    /// 把已停止的节点的办件密钥加密备份给恢复密钥
    Backup(key_backup::Arguments),
    /// 用恢复密钥把备份中的办件密钥放回节点
    Recover(key_recover::Arguments),
}

#[derive(Debug, Subcommand)]
enum RegistryCommand {
    /// 按计划制作未签名的名册
    Make(registry_make::Arguments),
    /// 用治理密钥签名
    Sign(registry_sign::Arguments),
    /// 核对签名、预置哈希和有效期, 列出内容
    Check(registry_check::Arguments),
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// 为一名工作人员生成令牌, 只显示一次
    Create(token_create::Arguments),
    /// 列出令牌
    #[command(alias = "list")]
    Ls(token_ls::Arguments),
    /// 撤销令牌, 立即生效
    Revoke(token_revoke::Arguments),
}

#[derive(Debug, Subcommand)]
enum DocCommand {
    /// 凭一份名册离线核验文书
    Verify(doc_verify::Arguments),
}

impl CommandLine {
    /// Where its answers go.
    pub(crate) const fn output(&self) -> Output {
        Output::new(self.json)
    }

    /// Does what was asked.
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let output = self.output();
        match self.command {
            Command::Up(arguments) => up::run(&arguments),
            Command::Config(ConfigCommand::Check(arguments)) => {
                config_check::run(&arguments, output)
            }
            Command::Key(KeyCommand::Make(arguments)) => key_make::run(&arguments),
            Command::Key(KeyCommand::Backup(arguments)) => key_backup::run(&arguments, output),
            Command::Key(KeyCommand::Recover(arguments)) => key_recover::run(&arguments, output),
            Command::Key(KeyCommand::Show(arguments)) => key_show::run(&arguments),
            Command::Registry(RegistryCommand::Make(arguments)) => {
                registry_make::run(&arguments, output)
            }
            Command::Registry(RegistryCommand::Sign(arguments)) => {
                registry_sign::run(&arguments, output)
            }
            Command::Registry(RegistryCommand::Check(arguments)) => {
                registry_check::run(&arguments, output)
            }
            Command::Demo(arguments) => demo::run(arguments, output),
            Command::Bench(BenchCommand::Intake(arguments)) => {
                bench_intake::run(&arguments, output)
            }
            Command::Status(arguments) => status::run(&arguments, output),
            Command::Token(TokenCommand::Create(arguments)) => {
                token_create::run(&arguments, output)
            }
            Command::Token(TokenCommand::Ls(arguments)) => token_ls::run(&arguments, output),
            Command::Token(TokenCommand::Revoke(arguments)) => {
                token_revoke::run(&arguments, output)
            }
            Command::Doc(DocCommand::Verify(arguments)) => doc_verify::run(&arguments, output),
            Command::Explain(arguments) => explain::run(&arguments, output),
            Command::Version => Ok(version::run(output)),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_tree_of_commands_is_sound() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn a_usage_mistake_ends_with_two() {
        let error = CommandLine::try_parse_from(["tongban", "no-such-command"]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
    }
}
