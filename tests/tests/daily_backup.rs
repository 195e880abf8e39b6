//! The units that back a node up every day are accepted by systemd, and what they run by our own program.

#![expect(
    clippy::unwrap_used,
    reason = "the lint knows only functions marked as tests, not what they stand on"
)]

use std::fs;
use std::process::Command;

use tongban_tests::process::{program, run};
use tongban_tests::tools::{TOOL_LIMIT, asked, content, root};

/// A unit as it is handed out.
fn unit(name: &str) -> String {
    fs::read_to_string(root().unwrap().join("deploy/systemd").join(name)).unwrap()
}

#[test]
fn the_units_of_the_daily_backup_are_sound_and_expose_little() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (service, timer) = (at("tongban-backup.service"), at("tongban-backup.timer"));
    // The program need not be installed where the units are checked.
    let here = unit("tongban-backup.service").replace("/usr/bin/tongban", "/bin/true");
    fs::write(&service, here).unwrap();
    let daily = unit("tongban-backup.timer");
    fs::write(&timer, &daily).unwrap();
    let verify = ["verify", "--man=no", service.as_str(), timer.as_str()];
    content("systemd-analyze", &verify).unwrap();
    let sometimes = daily.replacen("OnCalendar=*-*-*", "OnCalendar=sometimes", 1);
    fs::write(&timer, sometimes).unwrap();
    let said = asked("systemd-analyze", &verify).unwrap();
    assert!(said.stderr.contains("sometimes"), "{said:?}");

    let handed_out = "deploy/systemd/tongban-backup.service";
    let exposure = ["security", "--offline=yes", "--threshold=25", handed_out];
    content("systemd-analyze", &exposure).unwrap();
}

/// systemd takes every `%` and `$` for itself, and says nothing of it.
#[test]
fn what_the_daily_backup_runs_is_a_command_into_its_folder_that_keeps_two_weeks() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().to_str().unwrap();
    let service = unit("tongban-backup.service");
    let mut lines = service.lines();
    let line = lines.find_map(|line| line.strip_prefix("ExecStart=/usr/bin/tongban "));
    let line = line.unwrap();
    let left = line.replace("${FOLDER}", "");
    assert!(!left.contains(['%', '$', '\'', '"']), "{line}");
    assert!(line.ends_with(" --out ${FOLDER} --keep-days 14"), "{line}");

    // The program understands it: what is missing is a configuration.
    let missing = format!("{at}/node.toml");
    let line = line.replace("/etc/tongban/node.toml", &missing);
    let typed = line.replace("${FOLDER}", at);
    let mut backup = Command::new(program().unwrap());
    backup.args(typed.split(' '));
    let ended = run(backup, TOOL_LIMIT).unwrap();
    assert!(ended.stderr.contains("TB8010"), "{typed} {ended:?}");
}

/// Under `ProtectSystem=strict` a folder that is named nowhere cannot be written to.
#[test]
fn the_daily_backup_may_write_to_the_folder_it_writes_to() {
    let service = unit("tongban-backup.service");
    let value = |name: &str| {
        let mut lines = service.lines();
        let found = lines.find_map(|line| line.strip_prefix(name));
        found.unwrap().to_owned()
    };
    let folder = value("Environment=FOLDER=");
    assert_eq!(value("ReadWritePaths="), folder);
    let made = format!("d {folder} 0700 tongban tongban -");
    let folders = unit("tongban.tmpfiles");
    assert!(folders.lines().any(|line| line == made), "{made}");
    // Of the data folder nobody may delete anything, whatever fills the disk.
    assert!(!folder.starts_with("/var/lib/tongban"), "{folder}");
}
