//! Every versioned object there is: the answers of commands, objects of the API, the forms of items.

use std::path::PathBuf;

use serde_json::Value;
use tongban_api::{OrderShape, PingShape, PlacedShape, ProblemShape};
use tongban_trust::PLACEMENT_SCHEMA;

use crate::commands::{
    backup, case, cheat, check, config, doc_ls, doc_verify, doctor, explain, group, init, item,
    key_backup, key_make, key_recover, man, node, peer, registry_check, registry_make,
    registry_sign, status, token_create, token_ls, token_revoke, version,
};
use crate::failure::Failure;
use crate::output::{Described, ERROR};
use crate::{bench, demo, keys, node_process};

/// What all names begin with.
pub(super) const PREFIX: &str = "tongban.";

/// Answers of commands, and objects of the API that are no answer of a command.
const ALONE: &[Described] = &[
    ERROR,
    cheat::ANSWER,
    check::ANSWER,
    demo::ANSWER,
    doc_ls::ANSWER,
    doc_verify::ANSWER,
    doctor::ANSWER,
    explain::CODES,
    explain::EXIT_CODE,
    init::ANSWER,
    key_backup::ANSWER,
    key_make::GOVERNANCE_KEY,
    key_make::RECOVERY_KEY,
    key_recover::ANSWER,
    keys::ENROLMENT,
    man::ANSWER,
    node::ANSWER,
    node_process::READY,
    registry_check::ANSWER,
    registry_make::ANSWER,
    registry_sign::ANSWER,
    status::ANSWER,
    super::ls::ANSWER,
    super::validate::ANSWER,
    token_create::ANSWER,
    token_ls::ANSWER,
    token_revoke::ANSWER,
    version::ANSWER,
    Described::marked::<PingShape>("tongban.ping/v1", "GET /api/v1/peers/{node}/ping"),
    Described::marked::<OrderShape>(PLACEMENT_SCHEMA, "tongban group sign"),
    Described::marked::<PlacedShape>(
        "tongban.placement-ordered/v1",
        "POST /api/v1/groups/{group}/placement",
    ),
    Described::unmarked::<ProblemShape>("tongban.problem/v1", "/api/v1"),
];

/// Answers of commands that belong together.
const TOGETHER: [&[Described]; 7] = [
    backup::ANSWERS,
    bench::ANSWERS,
    case::ANSWERS,
    config::ANSWERS,
    group::ANSWERS,
    item::ANSWERS,
    peer::ANSWERS,
];

/// A versioned object.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// Its name without its version, `tongban.case`.
    pub(super) name: String,
    /// Counts from 1.
    pub(super) version: u32,
    /// What gives or takes it.
    pub(super) by: String,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Answer(Described),
    Form(Value),
}

/// All of them by name and version, with the forms of the items of that folder or of the program.
pub(super) fn all(folder: Option<&PathBuf>) -> Result<Vec<Known>, Failure> {
    let catalogue = item::catalogue(folder)?;
    let mut known: Vec<Known> = answers().map(Known::answer).collect();
    known.extend(catalogue.items().map(|item| {
        let file: Value =
            serde_json::from_slice(item.file()).expect("a loaded item's file is JSON");
        Known {
            name: format!("{PREFIX}form.{}", item.terms.item.code),
            version: item.terms.item.version,
            by: "tongban case new --form".to_owned(),
            kind: Kind::Form(file["form"].clone()),
        }
    }));
    known.sort_by(|one, other| (&one.name, one.version).cmp(&(&other.name, other.version)));
    Ok(known)
}

fn answers() -> impl Iterator<Item = Described> {
    let together = TOGETHER.into_iter().flatten();
    ALONE.iter().chain(together).copied()
}

impl Known {
    fn answer(described: Described) -> Self {
        let (name, version) = described
            .name
            .rsplit_once("/v")
            .and_then(|(name, version)| Some((name, version.parse().ok()?)))
            .expect("a test reads every name");
        Self {
            name: name.to_owned(),
            version,
            by: described.by.to_owned(),
            kind: Kind::Answer(described),
        }
    }

    /// Name and version, `tongban.case/v1`.
    pub(super) fn full_name(&self) -> String {
        format!("{}/v{}", self.name, self.version)
    }

    /// Whether that is its name, with or without its version.
    pub(super) fn is_named(&self, name: &str) -> bool {
        self.name == name || self.full_name() == name
    }

    /// Its schema.
    pub(super) fn schema(&self) -> Value {
        match &self.kind {
            Kind::Answer(described) => described.schema(),
            Kind::Form(schema) => schema.clone(),
        }
    }

    /// The schema of one line of `-o jsonl`; the same for what is one thing.
    pub(super) fn line_schema(&self) -> Value {
        match &self.kind {
            Kind::Answer(described) => described.line_schema(),
            Kind::Form(schema) => schema.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use tongban_api::{JsonSchema, PeersShape, StatusShape};
    use utoipa::PartialSchema as _;

    use super::*;
    use crate::command_line::tree;

    /// Every `tongban.<what>/v<n>` that stands as a whole text in the sources of a folder, outside of tests.
    fn names_in(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                names_in(&path, found);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let shipped = text.split("#[cfg(test)]").next().unwrap_or_default();
            let texts = shipped
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            for quoted in texts.flat_map(|line| line.split('"').skip(1).step_by(2)) {
                let version = quoted.rsplit_once("/v").map(|(_, version)| version);
                let is_version = version
                    .is_some_and(|version| version.bytes().all(|byte| byte.is_ascii_digit()));
                if quoted.starts_with(PREFIX) && is_version {
                    found.insert(quoted.to_owned());
                }
            }
        }
    }

    #[test]
    fn every_name_in_the_sources_is_listed() {
        let mut found = BTreeSet::new();
        let daemon = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        names_in(&daemon, &mut found);
        for room in ["../../api/src", "../../../protocol/trust/src"] {
            names_in(&daemon.join(room), &mut found);
        }
        let listed: BTreeSet<String> = answers().map(|one| one.name.to_owned()).collect();
        assert!(found.len() > 40, "{found:?}");
        assert_eq!(found, listed);
        assert_eq!(answers().count(), listed.len(), "one is listed twice");
    }

    #[test]
    fn every_schema_compiles_and_refers_to_nothing_outside() {
        for known in all(None).unwrap() {
            for schema in [known.schema(), known.line_schema()] {
                if let Err(error) = JsonSchema::compile(&schema) {
                    panic!("{}: {error}: {schema:#}", known.full_name());
                }
            }
            assert!(known.schema()["title"].is_string(), "{}", known.full_name());
        }
    }

    #[test]
    fn nothing_is_by_a_schema_that_asks_for_a_name() {
        for described in answers() {
            let schema = JsonSchema::compile(&described.schema()).unwrap();
            assert_ne!(
                schema.faults(&serde_json::json!({})),
                [],
                "{}",
                described.name
            );
        }
    }

    #[test]
    fn what_is_said_to_give_an_object_is_a_command() {
        for described in answers() {
            let Some(path) = described.by.strip_prefix("tongban") else {
                assert!(described.by.contains("/api/v1"), "{}", described.by);
                continue;
            };
            let mut command = tree();
            for name in path.split_whitespace() {
                let below = command.find_subcommand(name).cloned();
                command = below.unwrap_or_else(|| panic!("{}", described.by));
            }
        }
    }

    #[test]
    fn what_the_api_and_a_command_give_under_one_name_is_of_one_shape() {
        let members = |schema: &Value| -> BTreeSet<String> {
            let members = schema["properties"].as_object().unwrap();
            members.keys().cloned().collect()
        };
        let of_api = |shape| serde_json::to_value(shape).unwrap();
        let peers = peer::ANSWERS
            .iter()
            .find(|one| one.name == "tongban.peers/v1");
        let peers = peers.unwrap().schema();
        assert_eq!(members(&of_api(PeersShape::schema())), members(&peers));
        let status = status::ANSWER.schema();
        let text = status.to_string();
        for member in members(&of_api(StatusShape::schema())) {
            assert!(text.contains(&format!("\"{member}\":")), "{member}");
        }
    }
}
