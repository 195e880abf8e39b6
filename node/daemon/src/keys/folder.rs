//! The keys of one node: a file a role under `keys/`, and one for the X25519 key case keys are
//! wrapped to.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use tongban_runtime::seams::{Entropy as _, Signer as _};
use tongban_runtime::{KeyRing, Seeds};
use tongban_types::{KeyRole, NodeId};
use zeroize::Zeroizing;

use super::enrolment::Enrolment;
use super::error::KeyError;
use super::file::{read_seed, write_seed};
use crate::files::read_bounded;
use crate::platform::OsEntropy;

/// Roles whose keys a node holds.
const ROLES: [KeyRole; 5] = [
    KeyRole::Transport,
    KeyRole::Command,
    KeyRole::Voter,
    KeyRole::Receipt,
    KeyRole::Issuer,
];

/// The folder `keys/` of a data folder.
#[derive(Clone, Debug)]
pub(crate) struct KeyFolder {
    path: PathBuf,
}

/// The private keys of a node, in memory.
#[derive(Debug)]
pub(crate) struct NodeKeys {
    /// What signs.
    pub(crate) ring: KeyRing,
    /// The seed of the transport key, which the transport keeps itself.
    pub(crate) transport: Zeroizing<[u8; 32]>,
}

impl KeyFolder {
    /// The keys of a data folder.
    pub(crate) fn of(data: &Path) -> Self {
        Self {
            path: data.join("keys"),
        }
    }

    fn file(&self, role: &str) -> PathBuf {
        self.path.join(format!("{role}.key"))
    }

    /// Draws a key of every role for `node` and writes them, durable when this returns. Keys that
    /// are there are left alone: then nothing is written at all.
    pub(crate) fn make(&self, node: NodeId) -> Result<(), KeyError> {
        let names = ROLES.map(KeyRole::name).into_iter().chain([SEALING]);
        let paths: Vec<PathBuf> = names.map(|name| self.file(name)).collect();
        if let Some(path) = paths.iter().find(|path| path.exists()) {
            return Err(KeyError::Exists { path: path.clone() });
        }
        let unusable = |source| KeyError::Unusable {
            path: self.path.clone(),
            source,
        };
        make_folder(&self.path).map_err(unusable)?;
        for path in paths {
            write_seed(&path, &Zeroizing::new(OsEntropy.array()))?;
        }
        fs::write(self.path.join(OWNER), format!("{node}\n")).map_err(unusable)?;
        File::open(&self.path)
            .and_then(|folder| folder.sync_all())
            .map_err(unusable)
    }

    /// The node the keys were made for; `None` where nothing says so.
    pub(crate) fn owner(&self) -> Option<NodeId> {
        let bytes = read_bounded(&self.path.join(OWNER), OWNER_BYTES_MAX).ok()?;
        std::str::from_utf8(&bytes).ok()?.trim().parse().ok()
    }

    /// Reads all keys.
    pub(crate) fn load(&self) -> Result<NodeKeys, KeyError> {
        let mut seeds = Seeds::new();
        for role in ROLES {
            seeds.insert(role, read_seed(&self.file(role.name()))?);
        }
        let sealing = read_seed(&self.file(SEALING))?;
        let transport = seeds[&KeyRole::Transport].clone();
        Ok(NodeKeys {
            ring: KeyRing::new(&seeds, &sealing),
            transport,
        })
    }
}

/// Name of the X25519 key, which is of no signing role.
const SEALING: &str = "sealing";

/// Says which node the keys were made for.
const OWNER: &str = "node";

/// A node's name takes nine bytes.
const OWNER_BYTES_MAX: usize = 64;

fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

impl NodeKeys {
    /// The public halves, to be enrolled for `node`.
    pub(crate) fn enrolment(&self, node: NodeId) -> Enrolment {
        let public = |role| self.ring.public(role).map(|key| (role, key));
        Enrolment::new(
            node,
            ROLES.into_iter().filter_map(public),
            self.ring.sealing_public(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_keys_are_loaded_and_are_all_different() {
        let data = tempfile::tempdir().unwrap();
        let folder = KeyFolder::of(data.path());
        assert!(matches!(folder.load(), Err(KeyError::Missing { .. })));
        let node = "350100-01".parse().unwrap();
        folder.make(node).unwrap();
        assert_eq!(folder.owner(), Some(node));
        let enrolment = folder.load().unwrap().enrolment(node);
        let keys: std::collections::BTreeSet<_> = enrolment.keys().into_values().collect();
        assert_eq!(keys.len(), ROLES.len());
        assert!(matches!(folder.make(node), Err(KeyError::Exists { .. })));
    }

    #[test]
    fn a_missing_role_is_named() {
        let data = tempfile::tempdir().unwrap();
        let folder = KeyFolder::of(data.path());
        folder.make("350100-01".parse().unwrap()).unwrap();
        fs::remove_file(data.path().join("keys/voter.key")).unwrap();
        let error = folder.load().unwrap_err();
        assert!(error.to_string().contains("voter.key"));
    }
}
