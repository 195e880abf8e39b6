//! Clients of the tus protocol that are not ours: tuspy and tus-js-client upload, are broken off, and
//! resume. `tests/run` installs them under `target/foreign`; where they are missing, this fails.

use std::path::{Path, PathBuf};
use std::process::Command;

use tongban_tests::federation::{FUZHOU, Federation};

use crate::desk::{file, hash};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

#[test]
fn foreign_clients_upload_break_off_and_resume() {
    let mut federation = Federation::start("info").unwrap();
    let token = federation.token(FUZHOU, "clerk", "window").unwrap();
    let address = format!("http://{}/api/v1/uploads", federation.places[FUZHOU].http);
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(ROOT);
    let installed = root.join("target/foreign");
    let clients: [(&str, &str, PathBuf); 2] = [
        (
            "python3",
            "tests/foreign/tuspy_client.py",
            installed.join("python"),
        ),
        (
            "node",
            "tests/foreign/tus_js_client.cjs",
            installed.join("node/node_modules"),
        ),
    ];
    for (program, script, modules) in clients {
        assert!(
            modules.is_dir(),
            "{} is missing: run tests/run",
            modules.display()
        );
        let bytes = file(program, 12_345_678);
        let path = folder.path().join(program);
        std::fs::write(&path, &bytes).unwrap();
        let ended = Command::new(program)
            .arg(root.join(script))
            .args([&address, &token, path.to_str().unwrap()])
            .env("PYTHONPATH", &modules)
            .env("NODE_PATH", &modules)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ended.stdout).into_owned();
        let complained = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{program}: {said}\n{complained}");
        let place = said.trim().rsplit('/').next().unwrap();
        let mut clerk = tongban_tests::client::Client::new(federation.places[FUZHOU].http, &token);
        let shown = clerk.read(&format!("/api/v1/uploads/{place}")).unwrap();
        assert_eq!(shown["hash"], hash(&bytes).as_str(), "{program}");
    }
    federation.end().unwrap();
}
