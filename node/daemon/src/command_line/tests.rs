//! The tree is sound, what is promised of every command holds, and everything shown as typed can be
//! typed.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;
use crate::both_languages::assert_said;

fn read(line: &str) -> Result<CommandLine, Misuse> {
    CommandLine::read(line.split_whitespace().map(OsString::from))
}

fn refusal(line: &str) -> Failure {
    match read(line) {
        Err(Misuse::Refused { failure, .. }) => failure,
        other => panic!("{line}: {other:?}"),
    }
}

/// Every command that does something, by its path.
fn leaves(command: &clap::Command, path: &str, found: &mut Vec<(String, clap::Command)>) {
    if !command.has_subcommands() {
        found.push((path.to_owned(), command.clone()));
    }
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        let below = format!("{path} {}", sub.get_name()).trim_start().to_owned();
        leaves(sub, &below, found);
    }
}

fn all_leaves() -> Vec<(String, clap::Command)> {
    let mut found = Vec::new();
    leaves(&tree(), "", &mut found);
    found
}

#[test]
fn the_tree_of_commands_is_sound() {
    CommandLine::command()
        .disable_help_flag(true)
        .debug_assert();
}

#[test]
fn a_usage_mistake_ends_with_two_and_the_help_of_its_command() {
    for (line, next) in [
        ("tongban no-such-command", "tongban --help"),
        (
            "tongban token create --role clerk",
            "tongban token create --help",
        ),
        ("tongban token creat", "tongban token --help"),
        ("tongban status --no-such-flag", "tongban status --help"),
        ("tongban status -o yaml", "tongban status --help"),
        ("tongban status --json -o csv", "tongban status --help"),
        (
            "tongban --lang en status --timeout abc",
            "tongban status --help",
        ),
    ] {
        let failure = refusal(line);
        assert_eq!(failure.exit, Exit::Usage, "{line}");
        assert_eq!(failure.next, next, "{line}: {:?}", failure.cause);
    }
    assert!(matches!(read("tongban --help"), Err(Misuse::Asked(_))));
}

#[test]
fn a_usage_mistake_is_told_in_the_form_and_the_language_that_are_asked_for() {
    for (line, is_for_machines, language) in [
        ("tongban --lang en statsu", false, "en"),
        ("tongban statsu --lang zh", false, "zh"),
        ("tongban statsu --lang en -o jsonl", true, "en"),
        ("tongban schema shwo --lang zh json", false, "zh"),
    ] {
        let Err(Misuse::Refused { output, .. }) = read(line) else {
            panic!("{line}");
        };
        assert_eq!(output.is_for_machines(), is_for_machines, "{line}");
        assert_eq!(output.reader().say("zh", "en"), language, "{line}");
    }
}

/// What is wrong with a line, in both languages.
fn told(line: &str) -> (String, String) {
    let mut causes = refusal(line).causes().collect::<Vec<_>>();
    assert_eq!(causes.len(), 1, "{line}");
    let said = causes.remove(0);
    assert_said(&said);
    (said.zh, said.en)
}

#[test]
fn a_usage_mistake_is_told_in_both_languages() {
    for (line, zh, en) in [
        (
            "tongban status --json --json",
            "'--json' 只能用一次",
            "the argument '--json' cannot be used multiple times",
        ),
        (
            "tongban status --json=yes",
            "'--json' 多了一个值 'yes'",
            "unexpected value 'yes' for '--json' found; no more were expected",
        ),
        (
            "tongban status -o yaml",
            "'--output <FORMAT>' 的值 'yaml' 不对; 可用: table, json, jsonl, csv",
            "invalid value 'yaml' for '--output <FORMAT>'; one of: table, json, jsonl, csv",
        ),
        (
            "tongban status -o",
            "'--output <FORMAT>' 须有一个值; 可用: table, json, jsonl, csv",
            "a value is required for '--output <FORMAT>' but none was supplied; \
             one of: table, json, jsonl, csv",
        ),
        (
            "tongban status --timeout abc",
            "'--timeout <SECONDS>' 的值 'abc' 不对: 应为整数",
            "invalid value 'abc' for '--timeout <SECONDS>': invalid digit found in string",
        ),
        (
            "tongban status --timeout 0",
            "'--timeout <SECONDS>' 的值 '0' 不对: 0 不在 1..=3600 之内",
            "invalid value '0' for '--timeout <SECONDS>': 0 is not in 1..=3600",
        ),
        (
            "tongban status --url ftp://a",
            "'--url <URL>' 的值 'ftp://a' 不对: \
             应为 https://主机:端口 或 http://主机:端口, 没有路径",
            "invalid value 'ftp://a' for '--url <URL>': \
             write https://HOST:PORT or http://HOST:PORT, without a path",
        ),
        (
            "tongban peer ping abc",
            "'<NODE>' 的值 'abc' 不对: 节点号不合规则: \
             城市代码、连字符和两位数字, 如 350100-01",
            "invalid value 'abc' for '<NODE>': the node id is not well formed: \
             a city code, a hyphen and two digits, as 350100-01",
        ),
        (
            "tongban bench intake --voters 4",
            "'--voters <VOTERS>' 的值 '4' 不对: 应为 3 或 5",
            "invalid value '4' for '--voters <VOTERS>': write 3 or 5",
        ),
    ] {
        assert_eq!(told(line), (zh.to_owned(), en.to_owned()), "{line}");
    }
}

#[test]
fn what_may_have_been_meant_is_told_in_both_languages() {
    for (line, zh, en) in [
        (
            "tongban statsu",
            "没有命令 'statsu'; 是不是 'status'",
            "unrecognized subcommand 'statsu'; did you mean 'status'",
        ),
        (
            "tongban status --timeuot 3",
            "没有参数 '--timeuot'; 是不是 '--timeout'?",
            "unexpected argument '--timeuot' found; did you mean '--timeout'?",
        ),
        (
            "tongban status -o jsno",
            "'--output <FORMAT>' 的值 'jsno' 不对; 可用: table, json, jsonl, csv; 是不是 'json'?",
            "invalid value 'jsno' for '--output <FORMAT>'; one of: table, json, jsonl, csv; \
             did you mean 'json'?",
        ),
        (
            "tongban token create --role clerk",
            "缺少必需的参数: --",
            "the following required arguments were not provided: --",
        ),
        (
            "tongban --json",
            "'tongban' 之后须有命令; 可用: ",
            "'tongban' requires a subcommand but one was not provided; one of: ",
        ),
    ] {
        let (told_zh, told_en) = told(line);
        assert!(told_zh.starts_with(zh), "{line}: {told_zh}");
        assert!(told_en.starts_with(en), "{line}: {told_en}");
    }
    for line in [
        "tongban status --json -o csv",
        "tongban key make --data D --node 350100-01 --governance F",
        "tongban doc verify F --trust R --pin 12",
        "tongban doc verify F --trust R --at now",
        "tongban check disk --warn much",
        "tongban bench intake --bytes many",
        "tongban key show --data D --node 350100-1x",
        "tongban token create --data D --role king --person 1",
        "tongban case show N --no-such-flag",
        "tongban case show N more",
    ] {
        told(line);
    }
}

#[test]
fn every_command_shows_examples_and_exit_codes_and_explains_its_options() {
    for (path, command) in all_leaves() {
        let help = command.clone().render_long_help().to_string();
        assert!(help.contains("EXIT CODES"), "{path}");
        assert!(help.contains("EXAMPLES"), "{path} has no example");
        for option in command.get_arguments().filter(|one| !one.is_hide_set()) {
            let said = option.get_help().map(ToString::to_string);
            // In Chinese, and in English in the last brackets: `(JSON)` is none.
            let said = said.unwrap_or_default();
            let english = said.rsplit_once('(').map_or("", |(_, english)| english);
            let mut pairs = english.as_bytes().windows(2);
            let said_twice = pairs.any(|pair| pair.iter().all(u8::is_ascii_lowercase));
            assert!(said_twice, "{path} {}: {said}", option.get_id());
        }
        assert!(command.get_about().is_some(), "{path}");
    }
}

#[test]
fn every_example_can_be_typed() {
    let mut lines = BTreeSet::new();
    for (path, _) in all_leaves() {
        lines.extend(examples_of(&path).map(|example| example.line));
    }
    assert!(lines.len() > 20);
    for line in lines {
        assert!(read(line).is_ok(), "{line}: {:?}", read(line).err());
    }
}

/// The commands a text shows between backticks or at the beginning of a line: `tongban ...`.
fn commands_in(text: &str) -> Vec<String> {
    let quoted = text.split('`').skip(1).step_by(2);
    let lines = text.lines().map(|line| line.trim_start_matches(['$', ' ']));
    let found = quoted
        .chain(lines)
        .filter(|one| one.starts_with("tongban "));
    found
        .map(|one| {
            // What follows is for the shell.
            let end = one.find(" #").or_else(|| one.find(" > "));
            one[..end.unwrap_or(one.len())].trim().to_owned()
        })
        .collect()
}

/// `[a | b]` may be left out, and where it stands every choice of it may be typed; a word in capitals
/// stands for a value.
fn typed(shown: &str) -> Vec<String> {
    let Some((before, rest)) = shown.split_once('[') else {
        return spelled(shown);
    };
    let (inside, after) = rest.split_once(']').expect("a bracket is closed");
    let choices = std::iter::once("").chain(inside.split('|'));
    choices
        .flat_map(|choice| typed(&format!("{before} {choice} {after}")))
        .collect()
}

fn spelled(shown: &str) -> Vec<String> {
    if let Some((before, after)) = shown.split_once(" | ") {
        let (path, last) = before.rsplit_once(' ').expect("a command has a name");
        let (next, rest) = after
            .split_once(" | ")
            .map_or((after, None), |(n, r)| (n, Some(r)));
        let mut all = vec![format!("{path} {last}"), format!("{path} {next}")];
        all.extend(rest.map(|rest| format!("{path} {rest}")));
        return all;
    }
    vec![shown.to_owned()]
}

#[test]
fn every_command_in_the_readme_is_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut seen = 0;
    for file in ["README.md", "deploy/README.md"] {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        for shown in commands_in(&text) {
            for line in typed(&shown) {
                seen += 1;
                // What is left out for brevity is no mistake; what is not known is one.
                let outcome = read(&line);
                let known = match &outcome {
                    Ok(_) | Err(Misuse::Asked(_)) => true,
                    Err(Misuse::Refused { failure, .. }) => {
                        let said = failure.causes().next().unwrap().en;
                        said.contains("required") || said.contains("requires a subcommand")
                    }
                };
                assert!(known, "{file}: {line}: {outcome:?}");
            }
        }
    }
    assert!(seen > 15, "{seen}");
}
