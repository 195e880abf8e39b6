//! What is handed to operators under deploy/, as this very program understands it: the commands of the
//! pages for whoever is woken, and the configuration inside the manifests.

use std::ffi::OsString;
use std::path::Path;

use crate::command_line::CommandLine;
use crate::configuration::Configuration;

#[test]
fn every_command_a_runbook_names_parses() {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/runbooks");
    let mut commands = 0;
    for entry in std::fs::read_dir(pages).unwrap() {
        let page = entry.unwrap().path();
        let text = std::fs::read_to_string(&page).unwrap();
        let fenced = text.split("```").skip(1).step_by(2);
        for line in fenced.flat_map(str::lines) {
            if line.starts_with("tongban ") {
                let parsed = CommandLine::read(line.split_whitespace().map(OsString::from));
                assert!(
                    parsed.is_ok(),
                    "{}: {line}: {:?}",
                    page.display(),
                    parsed.err()
                );
                commands += 1;
            }
        }
    }
    assert!(commands > 10, "{commands}");
}

#[test]
fn the_configuration_in_the_manifests_loads() {
    let manifests =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/kubernetes/tongban.yml");
    let text = std::fs::read_to_string(manifests).unwrap();
    let (_, block) = text.split_once("  node.toml: |\n").unwrap();
    let lines = block.lines().map_while(|line| line.strip_prefix("    "));
    let toml: Vec<_> = lines.collect();
    let read = Configuration::parse(Path::new("/etc/tongban/node.toml"), &toml.join("\n")).unwrap();
    assert_eq!(read.data, Path::new("/var/lib/tongban"));
    assert_eq!(read.http_listen.port(), 8443);
    assert_eq!(read.federation_listen.port(), 7400);
}
