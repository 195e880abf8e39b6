//! What a process runs with, in its data folder for whoever compares or reloads: its settings and how
//! often it has read them again.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tongban_types::Code;

use super::folder_lock::is_held;
use crate::configuration::Configuration;
use crate::files::{FileError, read_bounded, replace};

/// In the data folder while the process runs.
pub(super) const RUNNING_FILE: &str = "running.json";

/// Some dozen settings of a line each.
const RUNNING_BYTES_MAX: usize = 256 * 1024;

/// What a process runs with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Running {
    /// The process.
    pub(crate) pid: u32,
    /// How often it was told to read its configuration again.
    pub(crate) reloads: u64,
    /// Why it took nothing up when it was told last.
    pub(crate) refused: Option<String>,
    /// What `tongban explain` says of that; a process of an earlier program leaves it out.
    #[serde(default)]
    pub(crate) refused_code: Option<Code>,
    /// Names of settings that are to be taken up at the next start.
    pub(crate) pending: Vec<String>,
    /// The settings in force.
    pub(crate) settings: Vec<(String, Value)>,
}

impl Running {
    /// A process that begins.
    pub(crate) fn begin(configuration: &Configuration) -> Self {
        let settings = configuration.settings.iter();
        Self {
            pid: std::process::id(),
            reloads: 0,
            refused: None,
            refused_code: None,
            pending: Vec::new(),
            settings: settings
                .map(|setting| (setting.key.clone(), setting.value.clone()))
                .collect(),
        }
    }

    /// Leaves it; it may hold a secret.
    pub(crate) fn write(&self, data: &Path) -> Result<(), FileError> {
        let json = serde_json::to_vec(self).expect("texts and numbers");
        replace(&data.join(RUNNING_FILE), &json, 0o600)
    }

    /// What the node that runs on a data folder runs with; `None` where none runs, whatever one that was
    /// killed left there: its number may be another process by now.
    pub(crate) fn on(data: &Path) -> Result<Option<Self>, FileError> {
        if is_held(data) {
            Self::read(data)
        } else {
            Ok(None)
        }
    }

    fn read(data: &Path) -> Result<Option<Self>, FileError> {
        match read_bounded(&data.join(RUNNING_FILE), RUNNING_BYTES_MAX) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_process::DataFolder;

    #[test]
    fn what_a_killed_process_left_is_no_word_of_one_that_runs() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        let take = || DataFolder::take(data, "350100-01".parse().unwrap()).unwrap();
        let taken = take();
        let word = r#"{"pid":7,"reloads":1,"refused":null,"pending":[],"settings":[]}"#;
        std::fs::write(data.join(RUNNING_FILE), word).unwrap();
        assert_eq!(Running::on(data).unwrap().unwrap().pid, 7);
        drop(taken);
        assert_eq!(Running::on(data).unwrap(), None);
        // Nor of the next one, before it has said anything.
        let _taken = take();
        assert_eq!(Running::on(data).unwrap(), None);
    }

    #[test]
    fn word_of_an_earlier_program_is_read_though_it_names_no_code() {
        let folder = tempfile::tempdir().unwrap();
        let word = r#"{"pid":7,"reloads":1,"refused":"no pair","pending":[],"settings":[]}"#;
        std::fs::write(folder.path().join(RUNNING_FILE), word).unwrap();
        let read = Running::read(folder.path()).unwrap().unwrap();
        assert_eq!(read.refused.as_deref(), Some("no pair"));
        assert_eq!(read.refused_code, None);
        let told = Running {
            refused_code: Some(Code::HTTP_CERTIFICATE_UNUSABLE),
            ..read
        };
        told.write(folder.path()).unwrap();
        assert_eq!(Running::read(folder.path()).unwrap(), Some(told));
    }
}
