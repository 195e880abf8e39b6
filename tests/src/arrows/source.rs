//! Source text that must stay pure: it names no clock, file, socket, thread, randomness or order that
//! differs from run to run. Manifests cannot say
//! so, because all of these come with the standard library. Text of tests is passed over.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::graph::Graph;

/// Rooms whose shipped source is pure: the protocol, and what the simulator runs as it is.
const PURE: [&str; 7] = [
    "types",
    "trust",
    "machine",
    "runtime",
    "consensus",
    "wal",
    "assembly",
];

/// What is not named there, and what may nevertheless follow.
const BANNED: [(&str, &[&str]); 13] = [
    ("std::time", &["::Duration"]),
    ("SystemTime::now", &[]),
    ("std::fs", &[]),
    ("std::net", &[]),
    // Whether this one is unwinding is no thread.
    ("std::thread", &["::panicking"]),
    ("std::process", &[]),
    ("std::env", &[]),
    ("tokio::", &[]),
    ("getrandom::", &[]),
    // The runtime gives the generator; the crate gives only the trait it is asked by.
    ("rand::", &["Rng"]),
    // Their order differs from run to run.
    ("HashMap", &[]),
    ("HashSet", &[]),
    ("RandomState", &[]),
];

/// The runtime's own instants are virtual in the simulator; every other one is a clock.
const CLOCK: (&str, &str) = ("Instant::now", "R::");

/// Every file of shipped source in the pure rooms, with its text.
pub fn pure_sources(graph: &Graph) -> Result<Vec<(PathBuf, String)>> {
    sources_of(graph, |room| PURE.contains(&room))
}

/// Every file of shipped source, with its text.
pub fn shipped_sources(graph: &Graph) -> Result<Vec<(PathBuf, String)>> {
    sources_of(graph, |room| !["sim", "tests"].contains(&room))
}

fn sources_of(graph: &Graph, is_asked: impl Fn(&str) -> bool) -> Result<Vec<(PathBuf, String)>> {
    let mut files = Vec::new();
    for room in graph.rooms.iter().filter(|room| is_asked(&room.name)) {
        collect(&room.folder.join("src"), &mut files)?;
    }
    let tests: Vec<PathBuf> = files
        .iter()
        .flat_map(|(path, text)| test_modules(path, text))
        .collect();
    files.retain(|(path, _)| {
        !tests
            .iter()
            .any(|test| path.starts_with(test) || path == &test.with_extension("rs"))
    });
    Ok(files)
}

fn collect(folder: &Path, files: &mut Vec<(PathBuf, String)>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path)?;
            files.push((path, text));
        }
    }
    Ok(())
}

/// Where modules stand that a file declares for tests only, without their ending.
fn test_modules(path: &Path, text: &str) -> Vec<PathBuf> {
    let is_root = |name: &str| ["lib.rs", "mod.rs", "main.rs"].contains(&name);
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let folder = if is_root(name) {
        path.parent().map(Path::to_path_buf).unwrap_or_default()
    } else {
        path.with_extension("")
    };
    let mut after = text.split("#[cfg(test)]").skip(1).map(str::trim_start);
    let names = after.by_ref().filter_map(|rest| {
        let line = rest.lines().next()?;
        line.strip_prefix("mod ")?.strip_suffix(';')
    });
    names.map(|name| folder.join(name)).collect()
}

/// What a text names of the banned.
pub fn source_faults(text: &str) -> Vec<String> {
    let code = flattened(&without_tests_and_comments(text));
    let mut faults = Vec::new();
    for (banned, but) in BANNED {
        let follows = |at: usize| {
            let rest = &code[at + banned.len()..];
            let goes_on = rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
            let before = code[..at].chars().next_back();
            let is_longer = before.is_some_and(|before| before.is_alphanumeric() || before == '_');
            let ends_in_word = banned.ends_with(|last: char| last.is_alphanumeric());
            is_longer || (ends_in_word && goes_on) || but.iter().any(|but| rest.starts_with(but))
        };
        if code.match_indices(banned).any(|(at, _)| !follows(at)) {
            faults.push(banned.to_owned());
        }
    }
    let (clock, but_after) = CLOCK;
    if code
        .match_indices(clock)
        .any(|(at, _)| !code[..at].ends_with(but_after))
    {
        faults.push(clock.to_owned());
    }
    faults
}

/// Tests stand at the end of a file, behind `#[cfg(test)]` and `mod name {`.
fn without_tests_and_comments(text: &str) -> String {
    let inline = |at: &usize| {
        let rest = text[*at..].trim_start_matches("#[cfg(test)]").trim_start();
        rest.lines()
            .next()
            .is_some_and(|line| line.starts_with("mod ") && line.ends_with('{'))
    };
    let tests = text
        .match_indices("\n#[cfg(test)]")
        .map(|(at, _)| at + 1)
        .find(inline);
    let code = &text[..tests.unwrap_or(text.len())];
    let lines = code
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// The text with every grouped `use` written out, one path a line: `std::{fs, io}` names `std::fs`.
fn flattened(code: &str) -> String {
    let mut flat = code.to_owned();
    for statement in code.split("use ").skip(1) {
        if let Some((tree, _)) = statement.split_once(';') {
            let tree: String = tree
                .chars()
                .filter(|letter| !letter.is_whitespace())
                .collect();
            write_out("", &tree, &mut flat);
        }
    }
    flat
}

fn write_out(before: &str, tree: &str, flat: &mut String) {
    let Some((head, rest)) = tree.split_once('{') else {
        flat.push('\n');
        flat.push_str(before);
        flat.push_str(tree);
        return;
    };
    let inside = rest.strip_suffix('}').unwrap_or(rest);
    let (mut depth, mut start) = (0_i32, 0);
    for (at, letter) in inside.char_indices().chain([(inside.len(), ',')]) {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                write_out(&format!("{before}{head}"), &inside[start..at], flat);
                start = at + 1;
            }
            _ => {}
        }
    }
}
