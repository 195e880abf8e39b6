//! What is handed to operators under deploy/, as this very program understands it: the commands of the
//! pages for whoever is woken, and the configuration inside the manifests.

use std::ffi::OsString;
use std::path::Path;

use crate::command_line::CommandLine;
use crate::configuration::{Configuration, HttpLine};
use crate::registry::Plan;

/// The text of a file under deploy/.
fn handed_out(file: &str) -> String {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    std::fs::read_to_string(deploy.join(file)).unwrap()
}

/// What runs a command as the user of the node.
const AS_THE_NODE: &str = "runuser -u tongban -- ";

/// The commands of ours that a page names: a line each where it says what to do first, and inside its sentences
/// whatever has options. A name alone (`tongban explain`) says where to look and is no command to type.
fn commands_of(page: &str) -> Vec<&str> {
    let fenced = page.split("```").skip(1).step_by(2).flat_map(str::lines);
    let (_, cure) = page.split_once("\n## 怎么办\n").unwrap();
    let quoted = cure.split('`').skip(1).step_by(2);
    let named = quoted.filter(|words| words.contains(" --"));
    let typed = fenced.chain(named);
    let ours = typed.map(|line| line.strip_prefix(AS_THE_NODE).unwrap_or(line));
    ours.filter(|line| line.starts_with("tongban ")).collect()
}

#[test]
fn every_command_a_runbook_names_parses() {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/runbooks");
    let mut commands = 0;
    for entry in std::fs::read_dir(pages).unwrap() {
        let page = entry.unwrap().path();
        let text = std::fs::read_to_string(&page).unwrap();
        for line in commands_of(&text) {
            let parsed = CommandLine::read(line.split_whitespace().map(OsString::from));
            assert!(
                parsed.is_ok(),
                "{}: {line}: {:?}",
                page.display(),
                parsed.err()
            );
            // A full data disk is freed by what lies outside of it alone.
            assert!(
                !line.contains("--out /var/lib/tongban"),
                "{}: {line}",
                page.display()
            );
            commands += 1;
        }
        // An alert names a node, and a page that names a host of the samples has one try another machine.
        assert!(!text.contains("tongban.example"), "{}", page.display());
    }
    assert!(commands > 10, "{commands}");
}

#[test]
fn a_command_inside_a_sentence_of_a_runbook_is_read_too() {
    let page = "```sh\ntongban status\n```\n\n## 怎么办\n\n1. 见 `tongban explain`; \
                `runuser -u tongban -- tongban backup create --out F`。\n";
    let found = ["tongban status", "tongban backup create --out F"];
    assert_eq!(commands_of(page), found);
}

/// Keys of a node are changed by no command: whoever must change them replaces the node, and is not sent to where
/// nothing is said of that.
#[test]
fn a_section_that_a_runbook_sends_to_is_there_and_tells_how() {
    let readme = handed_out("README.md");
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/runbooks");
    let mut told = 0;
    for entry in std::fs::read_dir(pages).unwrap() {
        let page = entry.unwrap().path();
        let text = std::fs::read_to_string(&page).unwrap();
        for sent in text.split("deploy/README.md “").skip(1) {
            let (title, _) = sent.split_once('”').unwrap();
            let how = match title {
                "备份与恢复" => "`retired = true`",
                "下一版名册" => "`tongban registry make ",
                _ => panic!("{}: {title}", page.display()),
            };
            let (_, rest) = readme.split_once(&format!("\n## {title}\n")).unwrap();
            let (section, _) = rest.split_once("\n## ").unwrap();
            assert!(section.contains(how), "{}: {title}", page.display());
            told += 1;
        }
    }
    assert!(told > 3, "{told}");
    let stolen = handed_out("runbooks/TongbanEvidence.md");
    assert!(stolen.contains("deploy/README.md “备份与恢复”"), "{stolen}");
}

/// Without the one in force the next registry is made as version 1 again, and passes a check of itself
/// alone: no node takes it.
#[test]
fn whoever_renews_the_registry_is_told_to_make_and_check_it_after_the_one_in_force() {
    let page = handed_out("README.md");
    let (_, rest) = page.split_once("\n## 下一版名册\n").unwrap();
    let (section, _) = rest.split_once("\n## ").unwrap();
    let alerts = ["RegistryExpiring", "KeysExpiring"];
    let alerts = alerts.map(|alert| handed_out(&format!("runbooks/Tongban{alert}.md")));
    for page in alerts.iter().map(String::as_str).chain([section]) {
        let (_, cure) = page.split_once("\n## 怎么办\n").unwrap_or(("", page));
        let named: Vec<&str> = cure.split('`').skip(1).step_by(2).collect();
        for command in ["tongban registry make ", "tongban registry check "] {
            let mut named = named.iter();
            let after = named.find(|it| it.starts_with(command) && it.contains(" --after "));
            let words = after.unwrap_or_else(|| panic!("{command}--after: {cure}"));
            let parsed = CommandLine::read(words.split_whitespace().map(OsString::from));
            assert!(parsed.is_ok(), "{words}: {:?}", parsed.err());
        }
        // The one in force passes the check after itself.
        assert!(cure.contains("版本号大 1"), "{cure}");
    }
}

/// Whoever comes to its API by that host, the sample that scrapes it too, would refuse it otherwise.
#[test]
fn each_sample_is_certified_for_the_host_the_plan_names() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/six-cities");
    let plan = Plan::read(&samples.join("plan.toml")).unwrap();
    let mut certified = Vec::new();
    for entry in std::fs::read_dir(samples).unwrap() {
        let folder = entry.unwrap().path();
        if !folder.is_dir() {
            continue;
        }
        let read = Configuration::read(&folder.join("node.toml")).unwrap();
        let mut nodes = plan.cities.iter().flat_map(|city| &city.nodes);
        let node = nodes.find(|node| node.id == read.node).unwrap();
        let (host, _) = node.addresses[0].rsplit_once(':').unwrap();
        let HttpLine::Own { names } = read.http_line else {
            panic!("{} makes no certificate of its own", node.id);
        };
        assert!(names.iter().any(|name| name == host), "{host}: {names:?}");
        certified.extend(names);
    }
    assert!(certified.len() >= plan.cities.len(), "{certified:?}");
    let scraped = handed_out("prometheus/prometheus.yml");
    let (_, target) = scraped.split_once("targets: [\"").unwrap();
    let (host, _) = target.split_once(":8443\"]").unwrap();
    assert!(certified.iter().any(|name| name == host), "{host}");
}

/// The configuration inside the manifests.
fn manifest_toml() -> String {
    let text = handed_out("kubernetes/tongban.yml");
    let (_, block) = text.split_once("  node.toml: |\n").unwrap();
    let lines = block.lines().map_while(|line| line.strip_prefix("    "));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_configuration_in_the_manifests_loads() {
    let toml = manifest_toml();
    let read = Configuration::parse(Path::new("/etc/tongban/node.toml"), &toml).unwrap();
    assert_eq!(read.data, Path::new("/var/lib/tongban"));
    assert_eq!(read.http_listen.port(), 8443);
    assert_eq!(read.federation_listen.port(), 7400);
}

/// The backup asks the node from another pod, under a name that is in the certificate the node makes for itself.
#[test]
fn the_daily_backup_in_the_manifests_is_a_command_that_reaches_the_node() {
    let text = handed_out("kubernetes/backup.yml");
    let (_, args) = text.split_once(" args:\n").unwrap();
    let lines = args.lines().map(str::trim_start);
    let args = lines.map_while(|line| line.strip_prefix("- "));
    let words: Vec<&str> = std::iter::once("tongban").chain(args).collect();
    assert!(words.len() > 5, "{words:?}");
    let parsed = CommandLine::read(words.iter().map(OsString::from));
    assert!(parsed.is_ok(), "{words:?}: {:?}", parsed.err());
    let urls = words.iter().find_map(|word| word.strip_prefix("--url="));
    let host = urls.unwrap().strip_prefix("https://").unwrap();
    let host = host.strip_suffix(":8443").unwrap();
    let file = Path::new("/etc/tongban/node.toml");
    let read = Configuration::parse(file, &manifest_toml()).unwrap();
    let HttpLine::Own { names } = read.http_line else {
        panic!("the node makes no certificate of its own");
    };
    assert!(names.iter().any(|name| name == host), "{host}: {names:?}");
}

/// Nowhere else are the keys of `[blobs.s3]` written down as one writes them.
#[cfg(feature = "s3")]
#[test]
fn the_bucket_in_the_comments_of_the_manifests_loads() {
    let toml = manifest_toml();
    let (before, bucket) = toml.split_once("# [blobs.s3]\n").unwrap();
    let keys = bucket.lines().map(|line| line.strip_prefix("# ").unwrap());
    let keys: Vec<_> = keys.collect();
    let written = format!("{before}[blobs.s3]\n{}", keys.join("\n"));
    let file = Path::new("/etc/tongban/node.toml");
    assert!(Configuration::parse(file, &toml).unwrap().bucket.is_none());
    assert!(
        Configuration::parse(file, &written)
            .unwrap()
            .bucket
            .is_some()
    );
    // Those that may be left out among them.
    assert_eq!(keys.len(), 5, "{keys:?}");
}
