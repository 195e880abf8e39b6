//! What commands answer without a node, each checked against the schema the program gives for it, and against
//! one it is not by.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tongban_tests::process::{Ended, program, run};

/// A command that reads and writes some files, on a busy machine.
const LIMIT: Duration = Duration::from_mins(1);

/// A federation of one city, whose group has three nodes of it.
const PLAN: &str = r#"
expires = 2036-01-01T00:00:00Z
keys_from = 2020-01-01T00:00:00Z
keys_until = 2037-01-01T00:00:00Z

[[city]]
code = "350100"
name = "福州市"
issuer = "https://350100.tongban.example"
governance = "GOVERNANCE"
voters = ["350100-01", "350100-02", "350100-03"]

[[city.node]]
id = "350100-01"
addresses = ["127.0.0.1:7400"]
enrolment = "first/350100-01.json"

[[city.node]]
id = "350100-02"
addresses = ["127.0.0.1:7402"]
enrolment = "350100-02.json"

[[city.node]]
id = "350100-03"
addresses = ["127.0.0.1:7403"]
enrolment = "350100-03.json"
"#;

struct Desk<'a> {
    folder: &'a Path,
}

impl Desk<'_> {
    fn type_in(&self, words: &[&str]) -> Result<Ended> {
        let mut command = Command::new(program()?);
        command.args(words).current_dir(self.folder);
        run(command, LIMIT)
    }

    /// Types a command, and checks what it says by the schema of that name, whole and line by line; its
    /// answer.
    fn gives(&self, schema: &str, words: &[&str]) -> Result<Value> {
        let said = self.type_in(&[words, &["--json"]].concat())?;
        let answer: Value =
            serde_json::from_str(&said.stdout).with_context(|| format!("{words:?}: {said:?}"))?;
        ensure!(answer["schema"] == schema, "{words:?}: {said:?}");
        std::fs::write(self.folder.join("answer.json"), &said.stdout)?;
        let checked = self.type_in(&["schema", "validate", schema, "answer.json"])?;
        ensure!(
            checked.code == Some(0),
            "{words:?}: {checked:?} of {said:?}"
        );
        Ok(answer)
    }

    /// The same for what may be typed twice: also line by line.
    fn gives_lines(&self, schema: &str, words: &[&str]) -> Result<Value> {
        let said = self.type_in(&[words, &["-o", "jsonl"]].concat())?;
        ensure!(!said.stdout.is_empty(), "{words:?}: {said:?}");
        std::fs::write(self.folder.join("answer.jsonl"), &said.stdout)?;
        let by_lines = ["schema", "validate", schema, "answer.jsonl", "--lines"];
        let checked = self.type_in(&by_lines)?;
        ensure!(
            checked.code == Some(0),
            "{words:?}: {checked:?} of {said:?}"
        );
        self.gives(schema, words)
    }
}

fn tell(desk: &Desk) -> Result<()> {
    desk.gives("tongban.version/v1", &["version"])?;
    desk.gives_lines("tongban.codes/v1", &["explain", "--all"])?;
    desk.gives("tongban.exit-code/v1", &["explain", "78"])?;
    desk.gives_lines("tongban.examples/v1", &["cheat"])?;
    desk.gives_lines("tongban.items/v1", &["item", "ls"])?;
    desk.gives("tongban.item/v1", &["item", "preview", "000109900001"])?;
    desk.gives("tongban.man/v1", &["man", "--dir", "man"])?;
    desk.gives("tongban.error/v1", &["explain", "TB9999"])?;
    desk.gives("tongban.error/v1", &["schema", "show", "nothing"])?;

    // A city founds a federation of one, from keys to a token.
    let first = [
        "init", "--city", "350100", "--dir", "first", "--data", "data", "-y",
    ];
    desk.gives("tongban.init/v1", &first)?;
    let shown = ["key", "show", "--data", "data", "--node", "350100-01"];
    desk.gives("tongban.enrolment/v1", &shown)?;
    let recovery = ["key", "make", "--recovery", "recovery.key"];
    desk.gives("tongban.recovery-key/v1", &recovery)?;
    let governance = ["key", "make", "--governance", "governance.key"];
    let governance = desk.gives("tongban.governance-key/v1", &governance)?;
    for node in ["350100-02", "350100-03"] {
        let make = ["key", "make", "--data", node, "--node", node];
        let enrolment = desk.gives("tongban.enrolment/v1", &make)?;
        let file = desk.folder.join(format!("{node}.json"));
        std::fs::write(file, enrolment.to_string())?;
    }
    let public = governance["public"].as_str().context("a key")?;
    std::fs::write(
        desk.folder.join("plan.toml"),
        PLAN.replace("GOVERNANCE", public),
    )?;
    desk.gives(
        "tongban.registry-made/v1",
        &["registry", "make", "--plan", "plan.toml"],
    )?;
    let sign = ["registry", "sign", "--key", "governance.key"];
    desk.gives("tongban.registry-signed/v1", &sign)?;
    // What bears a signature is not made again over it.
    let again = ["registry", "make", "--plan", "plan.toml"];
    let refused = desk.gives("tongban.error/v1", &again)?;
    ensure!(refused["exit"] == 6, "{refused}");
    desk.gives_lines(
        "tongban.registry/v1",
        &["registry", "check", "registry.json"],
    )?;
    let second = [
        "init",
        "--city",
        "350100",
        "--dir",
        ".",
        "--data",
        "other",
        "--registry",
        "registry.json",
        "-y",
    ];
    desk.gives("tongban.init/v1", &second)?;
    desk.gives_lines(
        "tongban.config-shown/v1",
        &["config", "show", "--config", "node.toml"],
    )?;
    desk.gives(
        "tongban.config/v1",
        &["config", "check", "--config", "node.toml"],
    )?;
    let doctor = ["doctor", "--offline", "--config", "node.toml"];
    desk.gives_lines("tongban.doctor/v1", &doctor)?;
    let disk = ["check", "disk", "--config", "node.toml"];
    desk.gives("tongban.check/v1", &disk)?;
    let token = [
        "token", "create", "--data", "data", "--role", "clerk", "--person", "fz-001",
    ];
    let made = desk.gives("tongban.token/v1", &token)?;
    desk.gives_lines("tongban.tokens/v1", &["token", "ls", "--data", "data"])?;
    let id = made["id"].as_str().context("an id")?;
    let revoke = ["token", "revoke", id, "--data", "data"];
    desk.gives("tongban.token-revoked/v1", &revoke)?;
    desk.gives_lines("tongban.schemas/v1", &["schema", "ls"])?;
    let checked = ["schema", "validate", "answer", "answer.json"];
    desk.gives("tongban.error/v1", &checked)?;
    Ok(())
}

#[test]
fn what_a_command_answers_is_by_the_schema_it_names() {
    let folder = tempfile::tempdir().unwrap();
    tell(&Desk {
        folder: folder.path(),
    })
    .unwrap();
}

#[test]
fn each_failing_place_of_a_file_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk {
        folder: folder.path(),
    };
    let tokens = r#"{"schema":"tongban.tokens/v1","tokens":[{"id":7,"role":"clerk"}]}"#;
    std::fs::write(folder.path().join("tokens.json"), tokens).unwrap();
    let validate = ["schema", "validate", "tokens", "tokens.json"];
    let said = desk.type_in(&validate).unwrap();
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.stdout.contains("/tokens/0/id"), "{said:?}");
    assert!(said.stdout.contains("person"), "{said:?}");
    let checked = desk
        .type_in(&[&validate[..], &["--json"]].concat())
        .unwrap();
    let checked: Value = serde_json::from_str(&checked.stdout).unwrap();
    assert_eq!(checked["valid"], false);
    assert!(
        checked["faults"].as_array().unwrap().len() >= 4,
        "{checked}"
    );

    // Another object is not by it, what is no JSON is refused, and so is what is not there.
    std::fs::write(folder.path().join("broken"), "{\"a\":").unwrap();
    for (file, exit) in [("broken", 3), ("absent", 5)] {
        let said = desk
            .type_in(&["schema", "validate", "tokens", file])
            .unwrap();
        assert_eq!(said.code, Some(exit), "{file}: {said:?}");
    }
    let shown = desk.type_in(&["schema", "show", "tokens"]).unwrap();
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(shown["title"], "tongban.tokens/v1");
    assert_eq!(
        shown["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
}

#[test]
fn a_filled_form_is_checked_by_the_schema_of_its_item() {
    use tongban_tests::forms::{Applicant, migration};

    let folder = tempfile::tempdir().unwrap();
    let desk = Desk {
        folder: folder.path(),
    };
    let application = migration(&Applicant::numbered(1), "610502").unwrap();
    let mut form = application["form"].clone();
    std::fs::write(folder.path().join("form.json"), form.to_string()).unwrap();
    let validate = ["schema", "validate", "form.000109900001", "form.json"];
    let said = desk.type_in(&validate).unwrap();
    assert_eq!(said.code, Some(0), "{said:?}");
    form["no-such-field"] = true.into();
    std::fs::write(folder.path().join("form.json"), form.to_string()).unwrap();
    let said = desk.type_in(&validate).unwrap();
    assert_eq!(said.code, Some(3), "{said:?}");
}
