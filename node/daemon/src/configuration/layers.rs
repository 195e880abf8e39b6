//! What stands above the file: flags, then the environment, then credentials of the service manager.
//! `TONGBAN__LOG__LEVEL` is `log.level`; with `_FILE` behind it the value is read from that file, so
//! that a secret is in no environment. A credential `tongban.log.level` (systemd `LoadCredential=`)
//! says the same.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use thiserror::Error;
use tongban_api::Said;

use crate::files::{FileError, read_bounded};

/// What every variable of a setting begins with; two lines, so that `TONGBAN_TOKEN` is none.
const PREFIX: &str = "TONGBAN__";

/// Behind the name of a setting: the value is in a file.
const IN_FILE: &str = "_FILE";

/// A setting is a line.
const VALUE_BYTES_MAX: usize = 64 * 1024;

/// The name of a setting: `log.level`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// The section.
    pub(super) section: String,
    /// The name in it.
    pub(super) name: String,
}

/// Where a value comes from, the strongest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// `--set`.
    Flag,
    /// A variable, or the file one names.
    Environment(String),
    /// A credential of the service manager.
    Credential(String),
    /// The configuration file, and its line, from 1.
    File(usize),
    /// Nobody said it.
    Default,
}

/// Why a value above the file is refused.
#[derive(Debug, Error)]
pub(crate) enum LayerError {
    /// It names no setting.
    #[error("{name} 不是 节.键 的形式")]
    NotAKey {
        /// What it is called.
        name: String,
    },
    /// The value and a file with it are both given.
    #[error("{name} 与 {name}_FILE 只能给一个")]
    Twice {
        /// The variable.
        name: String,
    },
    /// The file with the value cannot be read.
    #[error("{name} 所指的文件")]
    File {
        /// The variable.
        name: String,
        /// Why.
        #[source]
        source: FileError,
    },
}

impl LayerError {
    /// What it says, less its cause.
    pub(super) fn says(&self) -> Said {
        let en = match self {
            Self::NotAKey { name } => format!("{name} is not of the form section.key"),
            Self::Twice { name } => format!("{name} and {name}_FILE may not both be given"),
            Self::File { name, .. } => format!("the file that {name} names"),
        };
        Said::new(self.to_string(), en)
    }
}

/// Values above the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layers {
    pub(super) given: BTreeMap<Key, (String, Origin)>,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.section, self.name)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("--set"),
            Self::Environment(name) => write!(f, "{name}"),
            Self::Credential(name) => write!(f, "credential {name}"),
            Self::File(line) => write!(f, "file:{line}"),
            Self::Default => f.write_str("default"),
        }
    }
}

impl Key {
    fn read(text: &str) -> Result<Self, LayerError> {
        let is_word = |word: &str| {
            let mut letters = word.chars();
            !word.is_empty() && letters.all(|one| one.is_ascii_alphanumeric() || one == '_')
        };
        match text.split_once('.') {
            Some((section, name)) if is_word(section) && is_word(name) => Ok(Self {
                section: section.to_owned(),
                name: name.to_owned(),
            }),
            _ => Err(LayerError::NotAKey {
                name: text.chars().take(80).collect(),
            }),
        }
    }
}

impl Layers {
    /// What this process was given, flags as `log.level=debug`.
    pub(crate) fn of_process(flags: &[String]) -> Result<Self, LayerError> {
        let environment = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        Self::gather(flags, environment, credentials.as_deref())
    }

    fn gather(
        flags: &[String],
        environment: impl Iterator<Item = (String, String)>,
        credentials: Option<&Path>,
    ) -> Result<Self, LayerError> {
        let mut layers = Self::default();
        if let Some(folder) = credentials {
            layers.take_credentials(folder)?;
        }
        // Sorted, so that the same mistake is always the one that is told.
        let environment: BTreeMap<String, String> = environment
            .filter(|(name, _)| name.starts_with(PREFIX))
            .collect();
        for (name, value) in &environment {
            layers.take_variable(name, value, &environment)?;
        }
        for flag in flags {
            let (key, value) = flag.split_once('=').unwrap_or((flag, ""));
            layers.put(Key::read(key)?, value, Origin::Flag);
        }
        Ok(layers)
    }

    fn take_credentials(&mut self, folder: &Path) -> Result<(), LayerError> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| name.starts_with("tongban."))
            .collect();
        names.sort();
        for name in names {
            let key = Key::read(name.trim_start_matches("tongban."))?;
            let value = read_value(&name, &folder.join(&name))?;
            self.put(key, &value, Origin::Credential(name));
        }
        Ok(())
    }

    fn take_variable(
        &mut self,
        name: &str,
        value: &str,
        all: &BTreeMap<String, String>,
    ) -> Result<(), LayerError> {
        let origin = Origin::Environment(name.to_owned());
        let Some(plain) = name
            .strip_suffix(IN_FILE)
            .filter(|rest| !rest.ends_with('_'))
        else {
            self.put(key_of(name)?, value, origin);
            return Ok(());
        };
        if all.contains_key(plain) {
            return Err(LayerError::Twice {
                name: plain.to_owned(),
            });
        }
        let value = read_value(name, Path::new(value))?;
        self.put(key_of(plain)?, &value, origin);
        Ok(())
    }

    fn put(&mut self, key: Key, value: &str, origin: Origin) {
        self.given.insert(key, (value.to_owned(), origin));
    }
}

fn key_of(variable: &str) -> Result<Key, LayerError> {
    let name = variable.strip_prefix(PREFIX).unwrap_or_default();
    Key::read(&name.to_lowercase().replacen("__", ".", 1)).map_err(|_| LayerError::NotAKey {
        name: variable.to_owned(),
    })
}

/// The content of a file without the newline at its end.
fn read_value(name: &str, file: &Path) -> Result<String, LayerError> {
    let bytes = read_bounded(file, VALUE_BYTES_MAX).map_err(|source| LayerError::File {
        name: name.to_owned(),
        source,
    })?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gather(flags: &[&str], variables: &[(&str, &str)]) -> Result<Layers, LayerError> {
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Layers::gather(&flags, variables, None)
    }

    fn value(layers: &Layers, key: &str) -> Option<(String, String)> {
        let found = layers.given.get(&Key::read(key).unwrap())?;
        Some((found.0.clone(), found.1.to_string()))
    }

    #[test]
    fn a_flag_is_above_the_environment_and_that_above_a_credential() {
        let folder = tempfile::tempdir().unwrap();
        for (name, value) in [
            ("tongban.log.level", "warn\n"),
            ("tongban.http.listen", "x"),
        ] {
            std::fs::write(folder.path().join(name), value).unwrap();
        }
        let variables = [
            ("TONGBAN__LOG__LEVEL", "debug"),
            ("TONGBAN_TOKEN", "none of it"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let gathered = |flags: &[String]| {
            Layers::gather(flags, variables.clone().into_iter(), Some(folder.path())).unwrap()
        };
        let two = |value: &str, origin: &str| Some((value.to_owned(), origin.to_owned()));
        let layers = gathered(&[]);
        assert_eq!(layers.given.len(), 2);
        assert_eq!(
            value(&layers, "log.level"),
            two("debug", "TONGBAN__LOG__LEVEL")
        );
        assert_eq!(
            value(&layers, "http.listen"),
            two("x", "credential tongban.http.listen")
        );
        let layers = gathered(&["log.level=error".to_owned()]);
        assert_eq!(value(&layers, "log.level"), two("error", "--set"));
    }

    #[test]
    fn a_secret_is_read_from_a_file_and_given_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, "s3cret\n").unwrap();
        let named = ("TONGBAN__BLOBS__SECRET_FILE", file.to_str().unwrap());
        let layers = gather(&[], &[named]).unwrap();
        let found = value(&layers, "blobs.secret").unwrap();
        assert_eq!(found.0, "s3cret");
        let twice = gather(&[], &[named, ("TONGBAN__BLOBS__SECRET", "x")]);
        assert!(matches!(twice, Err(LayerError::Twice { .. })));
        let gone = gather(&[], &[("TONGBAN__BLOBS__SECRET_FILE", "/nowhere")]);
        assert!(matches!(gone, Err(LayerError::File { .. })));
        // A setting that is itself called so.
        let layers = gather(&[], &[("TONGBAN__REGISTRY__FILE", "r.json")]).unwrap();
        assert_eq!(value(&layers, "registry.file").unwrap().0, "r.json");
    }

    #[test]
    fn what_names_no_setting_is_refused() {
        for name in [
            "TONGBAN__",
            "TONGBAN__LOG",
            "TONGBAN__A__B__C-D",
            "TONGBAN____X",
        ] {
            assert!(gather(&[], &[(name, "1")]).is_err(), "{name}");
        }
        assert!(gather(&["loglevel=1"], &[]).is_err());
    }
}
