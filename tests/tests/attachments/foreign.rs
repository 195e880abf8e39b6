//! Clients of the tus protocol that are not ours: tuspy and tus-js-client upload, are broken off, and
//! resume.

use std::path::Path;
use std::process::Command;

use tongban_tests::federation::{FUZHOU, Federation};
use tongban_tests::tools;

use crate::desk::{file, hash};

#[test]
fn foreign_clients_upload_break_off_and_resume() {
    let mut federation = Federation::start("info").unwrap();
    let token = federation.token(FUZHOU, "clerk", "window").unwrap();
    let address = format!("http://{}/api/v1/uploads", federation.places[FUZHOU].http);
    let folder = tempfile::tempdir().unwrap();
    let tools = tools::folder().unwrap();
    let python = tools.join("venv/bin/python3");
    let clients = [
        (python.as_path(), "tests/foreign/tuspy_client.py"),
        (Path::new("node"), "tests/foreign/tus_js_client.cjs"),
    ];
    for (program, script) in clients {
        let name = script.rsplit('/').next().unwrap();
        let bytes = file(script, 12_345_678);
        let path = folder.path().join(name);
        std::fs::write(&path, &bytes).unwrap();
        let ended = Command::new(program)
            .arg(tools::root().unwrap().join(script))
            .args([&address, &token, path.to_str().unwrap()])
            .env("NODE_PATH", tools.join("npm/node_modules"))
            .output()
            .expect("tests/tools brings it");
        let said = String::from_utf8_lossy(&ended.stdout).into_owned();
        let complained = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{name}: {said}\n{complained}");
        let place = said.trim().rsplit('/').next().unwrap();
        let mut clerk = tongban_tests::client::Client::new(federation.places[FUZHOU].http, &token);
        let shown = clerk.read(&format!("/api/v1/uploads/{place}")).unwrap();
        assert_eq!(shown["hash"], hash(&bytes).as_str(), "{name}");
    }
    federation.end().unwrap();
}
