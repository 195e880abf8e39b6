//! What is handed to operators is accepted by the tools that will read it, and each check is seen to
//! refuse a broken copy.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tongban_tests::process::{program, run};
use tongban_tests::tools::{TOOL_LIMIT, asked, content, root};

/// A copy of a sample with one thing changed.
fn broken(sample: &str, from: &str, to: &str) -> Result<(TempDir, String)> {
    let folder = tempfile::tempdir()?;
    let path = root()?.join("deploy").join(sample);
    let text = fs::read_to_string(&path)?;
    ensure!(text.contains(from), "{sample} has no {from}");
    let name = path.file_name().context("a file")?;
    let copy = folder.path().join(name);
    fs::write(&copy, text.replacen(from, to, 1))?;
    let copy = copy.to_str().context("UTF-8")?.to_owned();
    Ok((folder, copy))
}

/// Whether a tool refuses a copy with one thing changed.
fn refuses(tool: &str, arguments: &[&str], sample: &str, from: &str, to: &str) -> Result<bool> {
    let (_folder, copy) = broken(sample, from, to)?;
    let ended = asked(tool, &[arguments, &[copy.as_str()]].concat())?;
    Ok(ended.code != Some(0))
}

#[test]
fn the_service_unit_is_sound_and_exposes_little() {
    // The program need not be installed where the unit is checked.
    let here = ("ExecStart=/usr/bin/tongban", "ExecStart=/bin/true");
    let (folder, unit) = broken("systemd/tongban.service", here.0, here.1).unwrap();
    content("systemd-analyze", &["verify", "--man=no", &unit]).unwrap();
    let unknown = (
        "Restart=on-failure",
        "Restart=sometimes\nRestart=on-failure",
    );
    let text = fs::read_to_string(&unit).unwrap();
    fs::write(&unit, text.replacen(unknown.0, unknown.1, 1)).unwrap();
    let said = asked("systemd-analyze", &["verify", "--man=no", &unit]).unwrap();
    assert!(said.stderr.contains("sometimes"), "{said:?}");
    drop(folder);

    let exposure = ["security", "--offline=yes", "--threshold=25"];
    let unit = "deploy/systemd/tongban.service";
    content("systemd-analyze", &[&exposure[..], &[unit]].concat()).unwrap();
    let open = ("ProtectSystem=strict", "ProtectSystem=no");
    let (_folder, unit) = broken("systemd/tongban.service", open.0, open.1).unwrap();
    let text = fs::read_to_string(&unit).unwrap();
    let bare = text
        .replace("SystemCallFilter", "X-")
        .replace("Private", "X-");
    fs::write(&unit, bare).unwrap();
    let ended = asked(
        "systemd-analyze",
        &[&exposure[..], &[unit.as_str()]].concat(),
    )
    .unwrap();
    assert_ne!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn a_mistake_in_the_configuration_is_not_met_with_a_restart() {
    let unit = fs::read_to_string(root().unwrap().join("deploy/systemd/tongban.service")).unwrap();
    for line in [
        "Type=notify",
        "WatchdogSec=30",
        // Without NETLINK a node cannot listen on 0.0.0.0, as every sample does.
        "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK",
        "RestartPreventExitStatus=78",
        "StateDirectory=tongban",
        "ExecStart=/usr/bin/tongban up --config /etc/tongban/node.toml",
    ] {
        assert!(unit.lines().any(|found| found == line), "{line}");
    }
}

#[test]
fn the_user_and_the_folders_of_an_installation_are_made() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().to_str().unwrap();
    let deploy = root().unwrap().join("deploy/systemd");
    let put = |from: &str, to: &str| {
        let to = folder.path().join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(deploy.join(from), to).unwrap();
    };
    fs::create_dir(folder.path().join("etc")).unwrap();
    put("tongban.sysusers", "usr/lib/sysusers.d/tongban.conf");
    put("tongban.tmpfiles", "usr/lib/tmpfiles.d/tongban.conf");
    let inside = format!("--root={at}");
    content("systemd-sysusers", &[&inside]).unwrap();
    let users = fs::read_to_string(folder.path().join("etc/passwd")).unwrap();
    let made = users.lines().find(|line| line.starts_with("tongban:"));
    assert!(made.unwrap().ends_with("/usr/sbin/nologin"), "{users}");
    content("systemd-tmpfiles", &["--create", &inside, "tongban.conf"]).unwrap();
    let id = |kind: usize| -> u32 { made.unwrap().split(':').nth(kind).unwrap().parse().unwrap() };
    let wanted = [
        ("etc/tongban", 0o750, 0),
        ("var/lib/tongban", 0o700, id(2)),
        ("var/backups/tongban", 0o700, id(2)),
    ];
    for (made, mode, owner) in wanted {
        let made = fs::metadata(folder.path().join(made)).unwrap();
        let found = (made.mode() & 0o7777, made.uid(), made.gid());
        assert_eq!((found, made.is_dir()), ((mode, owner, id(3)), true));
    }
}

#[test]
fn the_container_file_is_clean_and_runs_as_nobody_special() {
    let file = "deploy/container/Dockerfile";
    content("hadolint", &[file]).unwrap();
    let tag = ("rust:1.95-slim-bookworm", "rust");
    assert!(refuses("hadolint", &[], "container/Dockerfile", tag.0, tag.1).unwrap());
    let text = fs::read_to_string(root().unwrap().join(file)).unwrap();
    for line in ["USER 65532:65532", "EXPOSE 7400 8443", "STOPSIGNAL SIGTERM"] {
        assert!(text.lines().any(|found| found == line), "{line}");
    }
    assert!(text.contains("HEALTHCHECK"));
    // What is off by default can be asked for: an image has no compiler.
    assert!(text.lines().any(|found| found == "ARG FEATURES=\"\""));
    assert!(text.contains("--package tongban --features \"$FEATURES\" "));
    let left_out = fs::read_to_string(root().unwrap().join(".dockerignore")).unwrap();
    for line in [".git", "target", "*.key"] {
        assert!(left_out.lines().any(|found| found == line), "{line}");
    }
}

#[test]
fn three_cities_are_composed_by_the_specification() {
    let schema = ["--builtin-schema", "vendor.compose-spec"];
    let file = "deploy/container/compose.yml";
    content("check-jsonschema", &[&schema[..], &[file]].concat()).unwrap();
    let wrong = ("read_only: true\n  user", "reed_only: true\n  user");
    let sample = "container/compose.yml";
    // Of an extension field anything goes, and what it is merged into is checked.
    assert!(refuses("check-jsonschema", &schema, sample, wrong.0, wrong.1).unwrap());
}

#[test]
fn the_manifests_keep_the_schemas_strictly() {
    let file = "deploy/kubernetes/tongban.yml";
    let said = content("kubernetes-validate", &["--strict", file]).unwrap();
    for beside in ["first-start.yml", "backup.yml"] {
        let beside = format!("deploy/kubernetes/{beside}");
        content("kubernetes-validate", &["--strict", &beside]).unwrap();
    }
    let text = fs::read_to_string(root().unwrap().join(file)).unwrap();
    for kind in [
        "StatefulSet",
        "Service",
        "PodDisruptionBudget",
        "NetworkPolicy",
    ] {
        assert!(
            text.contains(&format!("\nkind: {kind}\n")),
            "{kind}: {said}"
        );
    }
    // Before it has ended, the first start has said nothing.
    let (waits, _) = text.split_once(" logs tongban-first-start").unwrap();
    assert!(waits.contains(" wait pod tongban-first-start "));
    for path in ["/livez", "/readyz", "/startupz"] {
        assert!(text.contains(path), "{path}");
    }
    let strict = ["--strict"];
    let wrong = ("replicas: 1", "replica: 1");
    let sample = "kubernetes/tongban.yml";
    assert!(refuses("kubernetes-validate", &strict, sample, wrong.0, wrong.1).unwrap());
    let wrong = ("concurrencyPolicy: Forbid", "concurrencyPolicies: Forbid");
    let sample = "kubernetes/backup.yml";
    assert!(refuses("kubernetes-validate", &strict, sample, wrong.0, wrong.1).unwrap());
}

/// The volume of a node is for one pod alone, and whatever bears a node's name is found as a node by the services.
#[test]
fn the_daily_backup_in_the_manifests_is_as_closed_as_a_node_and_taken_for_none() {
    let read = |file: &str| {
        let manifests = root().unwrap().join("deploy/kubernetes").join(file);
        fs::read_to_string(manifests).unwrap()
    };
    let (node, backup) = (read("tongban.yml"), read("backup.yml"));
    assert!(node.contains("accessModes: [ReadWriteOncePod]\n"));
    assert!(!backup.contains("claimName: data-"), "{backup}");
    let (_, job) = backup.split_once("\nkind: CronJob\n").unwrap();
    assert!(!job.contains("app.kubernetes.io/name: tongban\n"), "{job}");
    for line in [
        "automountServiceAccountToken: false",
        "enableServiceLinks: false",
        "runAsNonRoot: true",
        "runAsUser: 65532",
        "seccompProfile: {type: RuntimeDefault}",
        "allowPrivilegeEscalation: false",
        "readOnlyRootFilesystem: true",
        "capabilities: {drop: [ALL]}",
    ] {
        for text in [node.as_str(), job] {
            assert!(text.lines().any(|found| found.trim() == line), "{line}");
        }
    }
    // As the unit of systemd does it.
    for line in ["- --out=/var/backups/tongban", "- --keep-days=14"] {
        assert!(job.lines().any(|found| found.trim() == line), "{line}");
    }
}

/// What a node with its attachments in a bucket needs stands there as comments, one line each.
#[test]
fn the_manifests_keep_the_schemas_with_a_bucket_too() {
    let manifests = root().unwrap().join("deploy/kubernetes/tongban.yml");
    let mut text = fs::read_to_string(manifests).unwrap();
    for line in [
        "- ports: [{port: 443, protocol: TCP}]\n",
        "- {name: bucket, mountPath: /etc/tongban-bucket, readOnly: true}\n",
        "- {name: bucket, secret: {secretName: tongban-350100-bucket, ",
    ] {
        let comment = format!(" # {line}");
        assert_eq!(text.matches(&comment).count(), 1, "{line}");
        text = text.replace(&comment, &format!(" {line}"));
    }
    let folder = tempfile::tempdir().unwrap();
    let with_bucket = folder.path().join("tongban.yml");
    fs::write(&with_bucket, &text).unwrap();
    let with_bucket = with_bucket.to_str().unwrap();
    content("kubernetes-validate", &["--strict", with_bucket]).unwrap();
    let mounted = "secret_key_file = \"/etc/tongban-bucket/";
    assert!(text.contains(mounted), "{mounted}");
}

/// By default each mount lets the group read and write every file of a volume, and a node refuses such keys:
/// whoever looked at the public keys again by the pod of the first start had a node that does not start.
#[test]
fn a_mount_leaves_the_modes_of_keys_alone() {
    for file in ["backup.yml", "first-start.yml", "tongban.yml"] {
        let manifests = root().unwrap().join("deploy/kubernetes").join(file);
        let text = fs::read_to_string(manifests).unwrap();
        let begins = |beginning: &str| {
            let lines = text.lines().map(str::trim_start);
            lines.filter(|line| line.starts_with(beginning)).count()
        };
        assert!(begins("fsGroup: ") > 0, "{file}");
        let kept = begins("fsGroupChangePolicy: OnRootMismatch");
        assert_eq!(begins("fsGroup: "), kept, "{file}");
    }
}

#[test]
fn every_alert_fires_when_it_should_and_only_then() {
    let at = "deploy/prometheus";
    content("promtool", &["check", "rules", &format!("{at}/alerts.yml")]).unwrap();
    let config = format!("{at}/prometheus.yml");
    content("promtool", &["check", "config", "--syntax-only", &config]).unwrap();
    let tests = format!("{at}/alerts.test.yml");
    content("promtool", &["test", "rules", &tests]).unwrap();
    let tested = fs::read_to_string(root().unwrap().join(tests)).unwrap();
    for alert in alerts().unwrap() {
        for claim in ["fires", "stays silent"] {
            let name = format!("  - name: {alert} {claim}\n");
            assert!(tested.contains(&name), "{alert} {claim}");
        }
    }
}

#[test]
fn a_changed_threshold_is_noticed_by_the_tests_of_the_rules() {
    let (folder, _) = broken("prometheus/alerts.yml", "< 0.1'", "< 0.9'").unwrap();
    let tests = folder.path().join("alerts.test.yml");
    let ours = root().unwrap().join("deploy/prometheus/alerts.test.yml");
    fs::copy(ours, &tests).unwrap();
    let ended = asked("promtool", &["test", "rules", tests.to_str().unwrap()]).unwrap();
    assert_ne!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn every_alert_has_its_page_and_every_page_its_alert() {
    let pages = root().unwrap().join("deploy/runbooks");
    let mut found: Vec<String> = fs::read_dir(&pages)
        .unwrap()
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            Some(name.strip_suffix(".md")?.to_owned())
        })
        .collect();
    found.sort_unstable();
    let mut alerts = alerts().unwrap();
    alerts.sort_unstable();
    assert_eq!(found, alerts);
    for alert in alerts {
        let text = fs::read_to_string(pages.join(format!("{alert}.md"))).unwrap();
        for part in [
            "## 意味着什么",
            "## 先做",
            "## 怎么办",
            "## 什么时候找谁",
            "## In English",
        ] {
            assert!(text.contains(part), "{alert}: {part}");
        }
    }
}

/// A journal as a node leaves it: its log, a line each, and in the end why it cannot go on, for people.
const JOURNAL: &str = r#"{"timestamp":"2026-11-24T00:00:00Z","level":"INFO","message":"applied state is open"}
{"timestamp":"2026-11-24T00:00:01Z","level":"WARN","message":"the desk waits"}
{"timestamp":"2026-11-24T00:00:02Z","level":"ERROR","message":"a task failed"}
错误 TB4006: 节点日志或存储故障, 已停止收件
  节点 350100-01 故障: 日志
"#;

/// journald files every line of a node under one priority: by that nothing of it is found.
#[test]
fn a_page_that_reads_the_journal_shows_what_is_wrong_and_a_nodes_last_word() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal");
    fs::write(&journal, JOURNAL).unwrap();
    let mut read = 0;
    for alert in alerts().unwrap() {
        let page = format!("deploy/runbooks/{alert}.md");
        let text = fs::read_to_string(root().unwrap().join(page)).unwrap();
        for line in text.lines().filter(|line| line.starts_with("journalctl ")) {
            let (asked, filter) = line.split_once(" | ").unwrap_or((line, "cat"));
            assert!(!asked.contains(" -p"), "{alert}: {line}");
            assert!(!asked.contains(" --priority"), "{alert}: {line}");
            let mut command = Command::new("sh");
            command.args(["-c", &format!("cat '{}' | {filter}", journal.display())]);
            let shown = run(command, TOOL_LIMIT).unwrap().stdout;
            for wrong in ["the desk waits", "a task failed", "TB4006"] {
                assert!(shown.contains(wrong), "{alert}: {line} shows {shown}");
            }
            read += 1;
        }
    }
    assert!(read > 3, "{read}");
}

/// The names of the alerts.
fn alerts() -> Result<Vec<String>> {
    let rules = fs::read_to_string(root()?.join("deploy/prometheus/alerts.yml"))?;
    let named = rules.lines().filter_map(|line| {
        let name = line.trim().strip_prefix("- alert: ")?;
        Some(name.to_owned())
    });
    Ok(named.collect())
}

#[test]
fn every_manual_page_is_clean() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().to_str().unwrap();
    let mut write = Command::new(program().unwrap());
    write.args(["man", "--dir", pages]);
    let written = run(write, TOOL_LIMIT).unwrap();
    assert_eq!(written.code, Some(0), "{written:?}");
    let mut seen = 0;
    for page in fs::read_dir(pages).unwrap() {
        let page = page.unwrap().path();
        let lint = ["-T", "lint", "-W", "warning", page.to_str().unwrap()];
        content("mandoc", &lint).unwrap();
        seen += 1;
    }
    assert!(seen > 30, "{seen}");
    // The same linter, of a page with a mistake in it.
    let page = folder.path().join("tongban.1");
    let text = fs::read_to_string(&page).unwrap();
    fs::write(&page, text.replacen(".SH", ".SHH", 1)).unwrap();
    let lint = ["-T", "lint", "-W", "warning", page.to_str().unwrap()];
    assert_ne!(asked("mandoc", &lint).unwrap().code, Some(0));
}
