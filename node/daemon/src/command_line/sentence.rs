//! What is wrong with words that are no command, in Chinese and in English, and what may have been meant. Which
//! words these are is found by the library that reads them; it says so in English alone.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use tongban_api::Said;

use super::bad_value;

/// Says it. What is not known here is told as the library tells it.
pub(super) fn of(error: &clap::Error) -> Said {
    match what_is_wrong(error) {
        Some(said) => with_tips(with_likely(said, error), error),
        None => Said::alike(own_words(error)),
    }
}

fn what_is_wrong(error: &clap::Error) -> Option<Said> {
    let argument = one(error, ContextKind::InvalidArg);
    let value = one(error, ContextKind::InvalidValue);
    let command = one(error, ContextKind::InvalidSubcommand);
    let said = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let command = command?;
            Said::new(
                format!("没有命令 '{command}'"),
                format!("unrecognized subcommand '{command}'"),
            )
        }
        ErrorKind::UnknownArgument => {
            let argument = argument?;
            Said::new(
                format!("没有参数 '{argument}'"),
                format!("unexpected argument '{argument}' found"),
            )
        }
        ErrorKind::MissingSubcommand => {
            let command = command?;
            let said = Said::new(
                format!("'{command}' 之后须有命令"),
                format!("'{command}' requires a subcommand but one was not provided"),
            );
            with_choices(said, error, ContextKind::ValidSubcommand)
        }
        ErrorKind::MissingRequiredArgument => {
            let missing = joined(error, ContextKind::InvalidArg)?;
            Said::new(
                format!("缺少必需的参数: {missing}"),
                format!("the following required arguments were not provided: {missing}"),
            )
        }
        ErrorKind::InvalidValue if value?.is_empty() => {
            let said = without_value(argument?);
            with_choices(said, error, ContextKind::ValidValue)
        }
        ErrorKind::InvalidValue => {
            let said = wrong_value(argument?, value?);
            with_choices(said, error, ContextKind::ValidValue)
        }
        ErrorKind::ValueValidation => {
            let wrong = wrong_value(argument?, value?);
            let why = bad_value::of(error.source()?);
            Said::new(
                format!("{}: {}", wrong.zh, why.zh),
                format!("{}: {}", wrong.en, why.en),
            )
        }
        ErrorKind::ArgumentConflict => conflict(error, argument.or(command)?),
        ErrorKind::NoEquals => {
            let argument = argument?;
            Said::new(
                format!("'{argument}' 的值须以等号相接"),
                format!("equal sign is needed when assigning values to '{argument}'"),
            )
        }
        ErrorKind::TooManyValues => {
            let (argument, value) = (argument?, value?);
            Said::new(
                format!("'{argument}' 多了一个值 '{value}'"),
                format!("unexpected value '{value}' for '{argument}' found; no more were expected"),
            )
        }
        ErrorKind::TooFewValues => {
            let (argument, given) = (argument?, number(error, ContextKind::ActualNumValues)?);
            let wanted = number(error, ContextKind::MinValues)?;
            Said::new(
                format!("'{argument}' 至少要有 {wanted} 个值, 只有 {given} 个"),
                format!("'{argument}' needs {wanted} values at least and was given {given}"),
            )
        }
        ErrorKind::WrongNumberOfValues => {
            let (argument, given) = (argument?, number(error, ContextKind::ActualNumValues)?);
            let wanted = number(error, ContextKind::ExpectedNumValues)?;
            Said::new(
                format!("'{argument}' 要有 {wanted} 个值, 给了 {given} 个"),
                format!("'{argument}' needs {wanted} values and was given {given}"),
            )
        }
        ErrorKind::InvalidUtf8 => Said::new(
            "有参数不是 UTF-8 文字",
            "invalid UTF-8 was detected in one or more arguments",
        ),
        _ => return None,
    };
    Some(said)
}

fn without_value(argument: &str) -> Said {
    Said::new(
        format!("'{argument}' 须有一个值"),
        format!("a value is required for '{argument}' but none was supplied"),
    )
}

fn wrong_value(argument: &str, value: &str) -> Said {
    Said::new(
        format!("'{argument}' 的值 '{value}' 不对"),
        format!("invalid value '{value}' for '{argument}'"),
    )
}

fn conflict(error: &clap::Error, argument: &str) -> Said {
    match joined(error, ContextKind::PriorArg) {
        Some(other) if other == argument => Said::new(
            format!("'{argument}' 只能用一次"),
            format!("the argument '{argument}' cannot be used multiple times"),
        ),
        Some(others) => Said::new(
            format!("'{argument}' 不能与 '{others}' 同用"),
            format!("the argument '{argument}' cannot be used with '{others}'"),
        ),
        None => Said::new(
            format!("'{argument}' 不能与其他参数同用"),
            format!("the argument '{argument}' cannot be used with the others"),
        ),
    }
}

/// With all there is to choose from.
fn with_choices(said: Said, error: &clap::Error, kind: ContextKind) -> Said {
    match joined(error, kind) {
        Some(choices) => Said::new(
            format!("{}; 可用: {choices}", said.zh),
            format!("{}; one of: {choices}", said.en),
        ),
        None => said,
    }
}

/// With what is so much alike that it may have been meant, the likeliest first.
fn with_likely(said: Said, error: &clap::Error) -> Said {
    let kinds = [
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedArg,
        ContextKind::SuggestedValue,
    ];
    let alike = kinds.into_iter().flat_map(|kind| all(error, kind));
    let mut alike: Vec<String> = alike.map(|name| format!("'{name}'")).collect();
    if alike.is_empty() {
        return said;
    }
    alike.reverse();
    let Said { zh, en } = said;
    Said::new(
        format!("{zh}; 是不是 {}?", alike.join(" 或 ")),
        format!("{en}; did you mean {}?", alike.join(" or ")),
    )
}

/// With what else the library has to say of it.
fn with_tips(mut said: Said, error: &clap::Error) -> Said {
    if let Some(ContextValue::StyledStrs(tips)) = error.get(ContextKind::Suggested) {
        for tip in tips {
            let en = tip.to_string();
            said.zh.extend(["; ", &tip_in_chinese(&en)]);
            said.en.extend(["; ", &en]);
        }
    }
    said
}

/// Its sentences are told by how they begin and end; what they speak of is between quotation marks.
fn tip_in_chinese(tip: &str) -> String {
    let mut quoted = tip.split('\'').skip(1).step_by(2);
    let (first, second) = (quoted.next(), quoted.next());
    match (first, second) {
        (Some(word), Some(typed)) if tip.starts_with("to pass ") => {
            format!("要把 '{word}' 作为值, 用 '{typed}'")
        }
        (Some(word), Some(_)) if tip.starts_with("subcommand ") => {
            format!("有命令 '{word}', 去掉它前面的 '--' 即可使用")
        }
        (Some(typed), None) if tip.ends_with(" exists") => format!("有 '{typed}'"),
        _ => tip.to_owned(),
    }
}

/// What the library says, less the usage: that is what the next command shows.
fn own_words(error: &clap::Error) -> String {
    let said = error.to_string();
    let said = said.split("\n\nUsage:").next().unwrap_or_default();
    let said = said
        .split("\n\nFor more information")
        .next()
        .unwrap_or_default();
    said.trim_start_matches("error: ").trim_end().to_owned()
}

fn one(error: &clap::Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text),
        _ => None,
    }
}

fn all(error: &clap::Error, kind: ContextKind) -> &[String] {
    match error.get(kind) {
        Some(ContextValue::String(text)) => std::slice::from_ref(text),
        Some(ContextValue::Strings(texts)) => texts,
        _ => &[],
    }
}

fn joined(error: &clap::Error, kind: ContextKind) -> Option<String> {
    let texts = all(error, kind);
    (!texts.is_empty()).then(|| texts.join(", "))
}

fn number(error: &clap::Error, kind: ContextKind) -> Option<isize> {
    match error.get(kind) {
        Some(ContextValue::Number(number)) => Some(*number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::both_languages::assert_said;

    #[test]
    fn what_no_command_of_ours_can_be_refused_for_yet_is_said_in_both_languages_as_well() {
        for (kind, en) in [
            (
                ErrorKind::NoEquals,
                "equal sign is needed when assigning values to '--at'",
            ),
            (
                ErrorKind::TooFewValues,
                "'--at' needs 3 values at least and was given 1",
            ),
            (
                ErrorKind::WrongNumberOfValues,
                "'--at' needs 2 values and was given 1",
            ),
            (
                ErrorKind::ArgumentConflict,
                "the argument '--at' cannot be used with the others",
            ),
        ] {
            let mut error = clap::Error::new(kind);
            error.insert(
                ContextKind::InvalidArg,
                ContextValue::String("--at".to_owned()),
            );
            error.insert(ContextKind::ActualNumValues, ContextValue::Number(1));
            error.insert(ContextKind::ExpectedNumValues, ContextValue::Number(2));
            error.insert(ContextKind::MinValues, ContextValue::Number(3));
            let said = of(&error);
            assert_said(&said);
            assert_eq!(said.en, en);
        }
    }

    #[test]
    fn a_tip_keeps_what_it_speaks_of() {
        for (tip, zh) in [
            (
                "to pass '--x' as a value, use '-- --x'",
                "要把 '--x' 作为值, 用 '-- --x'",
            ),
            ("'ls --all' exists", "有 'ls --all'"),
            (
                "subcommand 'ls' exists; to use it, remove the '--' before it",
                "有命令 'ls', 去掉它前面的 '--' 即可使用",
            ),
            ("ask somebody", "ask somebody"),
        ] {
            assert_eq!(tip_in_chinese(tip), zh);
        }
    }
}
