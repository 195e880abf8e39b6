//! How a run ends, for scripts and service managers. The numbers are a contract: they are documented
//! in `--help`, in every manual page and by `tongban explain`, and never change.

use std::process::ExitCode;

/// Exit codes of every command. `check --format nagios` alone ends with that system's own four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, or yes.
    Yes,
    /// Something went wrong that should not.
    Internal,
    /// What was typed is not how the command is used.
    Usage,
    /// A definite no: invalid, unhealthy, refused.
    No,
    /// It cannot be decided with what is at hand.
    Indeterminate,
    /// There is no such thing.
    NotFound,
    /// It is there already, or newer than what was given.
    Conflict,
    /// Not allowed.
    NotAllowed,
    /// Nobody answers; trying again may help.
    Unreachable,
    /// No answer in time: it may still be carried out.
    TimedOut,
    /// A plan, or a comparison, with something in it to be done.
    Changes,
    /// Bad configuration: trying again does not help.
    BadConfiguration,
}

impl Exit {
    /// All of them, by number.
    pub(crate) const ALL: [Self; 12] = [
        Self::Yes,
        Self::Internal,
        Self::Usage,
        Self::No,
        Self::Indeterminate,
        Self::NotFound,
        Self::Conflict,
        Self::NotAllowed,
        Self::Unreachable,
        Self::TimedOut,
        Self::Changes,
        Self::BadConfiguration,
    ];

    /// The number the process ends with.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Yes => 0,
            Self::Internal => 1,
            Self::Usage => 2,
            Self::No => 3,
            Self::Indeterminate => 4,
            Self::NotFound => 5,
            Self::Conflict => 6,
            Self::NotAllowed => 7,
            Self::Unreachable => 8,
            Self::TimedOut => 9,
            Self::Changes => 10,
            Self::BadConfiguration => 78,
        }
    }

    /// What it means, in Chinese.
    pub(crate) const fn zh(self) -> &'static str {
        match self {
            Self::Yes => "是, 完成",
            Self::Internal => "内部错误",
            Self::Usage => "用法错误",
            Self::No => "明确的否: 无效, 异常, 检查未通过",
            Self::Indeterminate => "无法确定",
            Self::NotFound => "不存在",
            Self::Conflict => "冲突, 或版本已变",
            Self::NotAllowed => "不允许",
            Self::Unreachable => "连不上或没有多数, 可重试",
            Self::TimedOut => "超时, 可能仍会生效",
            Self::Changes => "有待执行的变更或有差异",
            Self::BadConfiguration => "配置有误, 重启无用",
        }
    }

    /// What it means, in English.
    pub(crate) const fn en(self) -> &'static str {
        match self {
            Self::Yes => "yes, done",
            Self::Internal => "internal error",
            Self::Usage => "usage",
            Self::No => "definite no: invalid, unhealthy, check failed",
            Self::Indeterminate => "indeterminate",
            Self::NotFound => "not found",
            Self::Conflict => "conflict, or a stale version",
            Self::NotAllowed => "not allowed",
            Self::Unreachable => "unreachable or no quorum, try again",
            Self::TimedOut => "timed out, may still be carried out",
            Self::Changes => "changes pending, or a difference",
            Self::BadConfiguration => "bad configuration, a restart does not help",
        }
    }

    /// What `--help` and the manual pages say of all of them.
    pub(crate) fn help() -> String {
        let mut lines = vec!["退出码 / EXIT CODES:".to_owned()];
        lines.extend(Self::ALL.map(|exit| {
            let (number, zh, en) = (exit.number(), exit.zh(), exit.en());
            format!("  {number:>2}  {zh} ({en})")
        }));
        lines.join("\n")
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_scripts_rely_on() {
        let numbers = [
            (Exit::Yes, 0),
            (Exit::Internal, 1),
            (Exit::Usage, 2),
            (Exit::No, 3),
            (Exit::Indeterminate, 4),
            (Exit::NotFound, 5),
            (Exit::Conflict, 6),
            (Exit::NotAllowed, 7),
            (Exit::Unreachable, 8),
            (Exit::TimedOut, 9),
            (Exit::Changes, 10),
            (Exit::BadConfiguration, 78),
        ];
        assert_eq!(numbers.map(|(exit, _)| exit), Exit::ALL);
        for (exit, number) in numbers {
            assert_eq!(exit.number(), number);
            let shown = format!("{number:>2}  {} ({})", exit.zh(), exit.en());
            assert!(Exit::help().contains(&shown), "{shown}");
        }
    }
}
