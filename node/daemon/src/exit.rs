//! How a run ends, for scripts and service managers. The numbers are a contract: they are documented
//! in `--help` and never change.

use std::process::ExitCode;

/// Exit codes of every command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, or yes.
    Yes,
    /// Something went wrong that should not.
    Internal,
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
    /// Bad configuration: trying again does not help.
    BadConfiguration,
}

impl Exit {
    /// The number the process ends with.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Yes => 0,
            Self::Internal => 1,
            Self::No => 3,
            Self::Indeterminate => 4,
            Self::NotFound => 5,
            Self::Conflict => 6,
            Self::NotAllowed => 7,
            Self::Unreachable => 8,
            Self::TimedOut => 9,
            Self::BadConfiguration => 78,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}

/// What `--help` says of them.
pub(crate) const EXIT_CODES_HELP: &str = "\
退出码 / exit codes:
  0 是, 完成   1 内部错误   2 用法错误   3 明确的否   4 无法确定   5 不存在
  6 冲突   7 不允许   8 连不上, 可重试   9 超时, 可能仍会生效   78 配置有误";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_scripts_rely_on() {
        let numbers = [
            (Exit::Yes, 0),
            (Exit::Internal, 1),
            (Exit::No, 3),
            (Exit::Indeterminate, 4),
            (Exit::NotFound, 5),
            (Exit::Conflict, 6),
            (Exit::NotAllowed, 7),
            (Exit::Unreachable, 8),
            (Exit::TimedOut, 9),
            (Exit::BadConfiguration, 78),
        ];
        for (exit, number) in numbers {
            assert_eq!(exit.number(), number);
        }
    }
}
