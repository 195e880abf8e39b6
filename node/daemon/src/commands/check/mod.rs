//! `tongban check`: one thing, judged for a monitoring system: Nagios, Prometheus (text file
//! collector), or a script.

mod look;
mod verdict;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::node_access::NodeAccess;
use crate::output::Output;

pub(crate) use verdict::ANSWER;
use verdict::{State, Verdict};

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 检查什么 (what is judged)
    #[arg(value_enum)]
    subject: Subject,
    /// 给哪个监控系统 (for which system)
    #[arg(long, value_enum, default_value = "text")]
    format: Style,
    /// 到此警告, 单位因检查而异 (warning from here, in the unit of the check)
    #[arg(long, value_name = "N")]
    warn: Option<f64>,
    /// 到此严重 (critical from here)
    #[arg(long, value_name = "N")]
    crit: Option<f64>,
    /// 备份文件, 与 backup 同用; 默认看本机节点最近一次备份 (the backup, for `backup`; the last one of the node here by
    /// default)
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    node: NodeAccess,
}

/// What can be judged. Thresholds: warning and critical.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Subject {
    /// 伙伴城市断开的个数; 1, 2 (partner cities out of touch)
    Federation,
    /// 还可失去的节点数; 0, 没有多数 (nodes that can be lost; no quorum)
    Raft,
    /// 备份的小时数; 26, 50 (age of a backup, hours)
    Backup,
    /// 名册还有几天到期; 30, 7 (days until the registry expires)
    Cert,
    /// 接口证书还有几天到期; 14, 3 (days until the certificate of the API expires)
    Tls,
    /// 待复制的收件数; 100, 1000 (applications to be replicated)
    Queue,
    /// 数据目录已用的百分比; 80, 95 (per cent of the disk in use)
    Disk,
    /// 与审批组时间相差的秒数; 10, 30 (seconds apart from the group's time)
    Clock,
}

/// How it is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Style {
    /// 供人阅读 (for people)
    Text,
    /// 退出码 0 1 2 3 即 OK WARNING CRITICAL UNKNOWN (with that system's exit codes)
    Nagios,
    /// 文本采集器 (text file collector)
    Prometheus,
    /// 一个对象 (one object)
    Json,
}

impl Subject {
    const fn name(self) -> &'static str {
        match self {
            Self::Federation => "federation",
            Self::Raft => "raft",
            Self::Backup => "backup",
            Self::Cert => "cert",
            Self::Tls => "tls",
            Self::Queue => "queue",
            Self::Disk => "disk",
            Self::Clock => "clock",
        }
    }
}

/// Judges it.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let verdict = match look::look(arguments) {
        Ok(verdict) => verdict,
        // A monitoring system reads one line whatever happens.
        Err(failure) if arguments.format != Style::Text => {
            Verdict::of_failure(arguments.subject.name(), State::Unknown, &failure)
        }
        Err(failure) => return Err(failure),
    };
    let verdict = verdict.or_next(|| arguments.node.look_closer());
    match arguments.format {
        Style::Text => output.answer(&verdict),
        Style::Json => output.answer_json(&verdict),
        Style::Nagios => Output::verbatim(&verdict.nagios()),
        Style::Prometheus => Output::verbatim(&verdict.prometheus()),
    }
    Ok(if arguments.format == Style::Nagios {
        verdict.state.nagios_exit()
    } else {
        verdict.state.exit()
    })
}
