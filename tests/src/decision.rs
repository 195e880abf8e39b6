//! Two officers who bring a case to its decision, the document that follows from it, and what a verifier says
//! of that.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::client::{Ask, Client};
use crate::process::{ask_tongban, until};

/// A lease of thirty seconds runs out, another node takes it, prepares and signs; on a busy machine.
const LIMIT: Duration = Duration::from_mins(2);

/// One officer accepts a case and reviews it, the other grants it.
pub fn grant(reviewer: &mut Client, decider: &mut Client, case: &str) -> Result<()> {
    act(reviewer, case, "accept", &json!({}))?;
    let opinion = json!({ "recommend": "grant", "opinion": "材料齐全" });
    act(reviewer, case, "review", &opinion)?;
    act(decider, case, "decide", &json!({ "decision": "grant" }))
}

/// Acts as soon as the node's replica shows the case as far.
fn act(person: &mut Client, case: &str, name: &str, words: &Value) -> Result<()> {
    let path = format!("/api/v1/cases/{case}");
    let mut tries = 0;
    until(LIMIT, name, || {
        tries += 1;
        let mut order = words.clone();
        order["expected_version"] = person.read(&path)?["case"]["version"].clone();
        let ask = Ask::post(&format!("{path}/{name}"), &order).key(&format!("{name}-{tries}"));
        let done = person.ask(&ask)?;
        ensure!([200, 409].contains(&done.status), "{name}: {done}");
        Ok((done.status == 200).then_some(()))
    })
}

/// The document of a granted case, once it is issued.
pub fn document(reader: &mut Client, case: &str) -> Result<String> {
    until(LIMIT, "the document is there", || {
        let Ok(answer) = reader.ask(&Ask::get(&format!("/api/v1/cases/{case}/document"))) else {
            return Ok(None);
        };
        if answer.status != 200 {
            return Ok(None);
        }
        let text = String::from_utf8(answer.body.clone())?;
        ensure!(!text.is_empty());
        Ok(Some(text))
    })
}

/// What a verifier without a network says of a document.
pub fn verdict(document: &str, registry: &Path) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("document.sdjwt");
    fs::write(&file, document)?;
    let file = file.to_str().context("UTF-8")?;
    let registry = registry.to_str().context("UTF-8")?;
    let (_, said) = ask_tongban(&["doc", "verify", file, "--trust", registry])?;
    Ok(said["verdict"].as_str().context("a verdict")?.to_owned())
}
