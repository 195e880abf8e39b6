//! Backups: whether the node can be backed up at all, and when it last was. What a lost machine had alone comes back
//! from there or from nowhere.

use std::fs;
use std::time::Duration;

use tongban_runtime::seams::WallClock as _;
use tongban_types::Code;

use super::Finding;
use crate::commands::backup::age_of_last;
use crate::configuration::Configuration;
use crate::failure::Failure;
use crate::instant::beijing;
use crate::node_access::path_word;
use crate::node_process::check_log;
use crate::platform::SystemClock;

const ID: &str = "backup";

/// One is made every day; where `check backup` warns as well.
const AGE_WARNING: Duration = Duration::from_hours(26);

/// As many as `2026-11-24` has.
const DAY_CHARACTERS: usize = 10;

pub(super) fn examine(configuration: &Configuration, runs: bool) -> Finding {
    if configuration.recovery_key.is_none() {
        let seen = (
            "没有配置 [backup] recovery_key, 无法备份",
            "no [backup] recovery_key is configured: no backup can be made",
        );
        return Finding {
            code: Some(Code::NO_RECOVERY_KEY.to_string()),
            ..Finding::warning(ID, seen, "tongban key make --recovery recovery.key")
        };
    }
    let (file, node) = (path_word(&configuration.file), configuration.node);
    let stopped = if runs { "" } else { " --stopped" };
    // Nothing is written over: each day's has a name of its own.
    let now = beijing(SystemClock.now());
    let day = now.get(..DAY_CHARACTERS).unwrap_or_default();
    let cure = format!("tongban backup create{stopped} --config {file} --out {node}.{day}.backup");
    match age_of_last(&configuration.data) {
        Ok(Some(age)) => judge(age, cure),
        Ok(None) => examine_without(configuration, runs, cure),
        Err(error) => Finding::failed(ID, &error.into()),
    }
}

/// What stands of backups where none was ever made.
fn examine_without(configuration: &Configuration, runs: bool, cure: String) -> Finding {
    // A node that runs has its log, whether or not it is for these eyes.
    if !runs && let Err(error) = check_log(&configuration.data) {
        let failure = Failure::from(error);
        let seen = (
            "从未备份过, 而日志已不能用",
            "it was never backed up, and its log cannot be used any more",
        );
        return Finding {
            code: Some(failure.code.to_string()),
            ..Finding::failure(ID, seen, failure.next)
        };
    }
    if runs || was_started(configuration) {
        return Finding::warning(ID, ("从未备份过", "it was never backed up"), cure);
    }
    let why = (
        "还没有可备份的: 节点从未启动",
        "nothing to back up yet: the node was never started",
    );
    Finding::skipped(ID, why)
}

fn judge(age: Duration, cure: String) -> Finding {
    let hours = age.as_secs() / 3_600;
    let seen = (
        format!("上次备份在 {hours} 小时前"),
        format!("last backed up {hours} hours ago"),
    );
    if age > AGE_WARNING {
        Finding::warning(ID, seen, cure)
    } else {
        Finding::success(ID, seen)
    }
}

fn was_started(configuration: &Configuration) -> bool {
    let log = fs::read_dir(configuration.data.join("wal"));
    log.is_ok_and(|mut files| files.next().is_some())
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::SystemTime;

    use data_encoding::HEXLOWER;
    use tongban_runtime::recovery_public;
    use zeroize::Zeroizing;

    use super::super::Level;
    use super::*;
    use crate::both_languages::{is_chinese, is_han};
    use crate::configuration::minimal::MINIMAL;
    use crate::node_process::BACKUP_STAMP;

    #[test]
    fn a_node_that_cannot_be_backed_up_or_was_not_of_late_is_warned_of() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("node.toml");
        let read = |added: &str| {
            let text = format!("{MINIMAL}{added}");
            Configuration::parse(&file, &text).unwrap()
        };
        let found = |configuration: &Configuration, runs| {
            let found = examine(configuration, runs);
            assert!(found.seen.contains(is_han), "{found:?}");
            assert!(!found.seen_en.contains(is_chinese), "{found:?}");
            found
        };
        let without = found(&read(""), false);
        assert_eq!(without.level, Level::Warning);
        assert_eq!(without.code.as_deref(), Some("TB4024"));

        let recovery = recovery_public(&Zeroizing::new([7; 32]));
        let recovery = HEXLOWER.encode(&recovery.0);
        let with = read(&format!("\n[backup]\nrecovery_key = \"{recovery}\"\n"));
        assert_eq!(found(&with, false).level, Level::Skipped);
        fs::create_dir_all(with.data.join("wal")).unwrap();
        fs::write(with.data.join("wal/0000000000000001.log"), "x").unwrap();
        let never = found(&with, false);
        assert_eq!(never.level, Level::Warning);
        let cure = never.cure.unwrap();
        assert!(cure.starts_with("tongban backup create --stopped --config /"));
        assert!(cure.contains(" --out 350100-01.2"), "{cure}");
        assert!(cure.ends_with(".backup"), "{cure}");
        assert_eq!(found(&with, true).level, Level::Warning);
        // That log is gone, and there was a node: it is not told as one that never started.
        fs::write(with.data.join("node"), "350100-01\n").unwrap();
        fs::remove_file(with.data.join("wal/0000000000000001.log")).unwrap();
        let lost = found(&with, false);
        assert_eq!(lost.level, Level::Failure);
        assert_eq!(lost.code, Some(Code::LOG_LOST.to_string()));
        let explained = format!("tongban explain {}", Code::LOG_LOST);
        assert_eq!(lost.cure, Some(explained));
        let stamp = File::create(with.data.join(BACKUP_STAMP)).unwrap();
        assert_eq!(found(&with, true).level, Level::Success);
        stamp.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        let old = found(&with, true);
        assert_eq!(old.level, Level::Warning);
        assert!(!old.cure.unwrap().contains("--stopped"));
    }
}
