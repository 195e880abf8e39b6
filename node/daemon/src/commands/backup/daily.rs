//! Backups of a node that come into one folder day after day: each is named by its node and by when it was begun, and
//! those that were begun too long before the newest one are let go.

use std::fs;
use std::path::{Path, PathBuf};

use tongban_types::{NodeId, Timestamp};

use crate::files::FileError;
use crate::instant::file_stamp;

/// How a name ends.
const END: &str = ".backup";

/// How [`file_stamp`] writes a time: a digit for each nought.
const STAMP: &str = "0000-00-00T000000";

/// The name of a backup: `350100-01.2026-11-30T023000.backup`.
pub(super) fn name_of(node: NodeId, begun_at: Timestamp) -> String {
    format!("{node}.{}{END}", file_stamp(begun_at))
}

/// Removes from a folder the backups of a node that bear such a name and were begun before a time; those that were
/// named otherwise, by hand or of another node, stay. Says which went.
pub(super) fn let_go(
    folder: &Path,
    node: NodeId,
    before: Timestamp,
) -> Result<Vec<PathBuf>, FileError> {
    let oldest = name_of(node, before);
    let mut gone = Vec::new();
    for entry in fs::read_dir(folder).map_err(FileError::at(folder))? {
        let entry = entry.map_err(FileError::at(folder))?;
        let name = entry.file_name();
        // Of one length and form, they are ordered as their times are.
        let is_old = name
            .to_str()
            .is_some_and(|name| is_named(name, node) && name < oldest.as_str());
        if is_old {
            let path = entry.path();
            fs::remove_file(&path).map_err(FileError::at(&path))?;
            gone.push(path);
        }
    }
    gone.sort_unstable();
    Ok(gone)
}

fn is_named(name: &str, node: NodeId) -> bool {
    let stamp = name.strip_prefix(&format!("{node}."));
    let stamp = stamp.and_then(|rest| rest.strip_suffix(END));
    stamp.is_some_and(|stamp| {
        let shape = stamp.chars().map(|letter| match letter {
            '0'..='9' => '0',
            other => other,
        });
        shape.eq(STAMP.chars())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instant::read_time;

    #[test]
    fn what_is_older_than_asked_is_let_go_and_nothing_that_others_named() {
        let folder = tempfile::tempdir().unwrap();
        let node = "350100-01".parse().unwrap();
        let at = |time: &str| read_time(time).unwrap();
        let before = at("2026-11-16T02:30:00+08:00");
        let old = name_of(node, at("2026-11-16T02:29:59+08:00"));
        assert_eq!(old, "350100-01.2026-11-16T022959.backup");
        let stays = [
            name_of(node, before),
            name_of(node, at("2026-11-30T02:30:00+08:00")),
            name_of("350100-02".parse().unwrap(), at("2020-01-01T00:00:00Z")),
            "350100-01.2020-01-01.backup".to_owned(),
            "350100-01.2020-01-01T0230.backup".to_owned(),
            "350100-01.2020-01-01T023000.backup.old".to_owned(),
            "host.2020-01-01T023000.backup".to_owned(),
        ];
        for name in stays.iter().chain([&old]) {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let gone = let_go(folder.path(), node, before).unwrap();
        assert_eq!(gone, [folder.path().join(old)]);
        for name in stays {
            assert!(folder.path().join(&name).exists(), "{name}");
        }
        assert!(let_go(folder.path(), node, before).unwrap().is_empty());
    }
}
