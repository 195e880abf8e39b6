//! The workspace as its manifests describe it: rooms and the crates each of them names. Read from
//! `cargo metadata`, or from its JSON, so that a checker can be shown a broken workspace.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// All rooms.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// The members of the workspace.
    pub rooms: Vec<Room>,
}

/// One crate of the workspace.
#[derive(Clone, Debug)]
pub struct Room {
    /// Its name without `tongban-`.
    pub name: String,
    /// Where its manifest is.
    pub folder: PathBuf,
    /// What its manifest names.
    pub links: Vec<Link>,
}

/// A crate named in a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The package, whatever it is renamed to.
    pub package: String,
    /// For what it is named.
    pub kind: Kind,
}

/// For what a crate is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is in what is shipped, or makes it.
    Shipped,
    /// Only tests, examples and benchmarks see it.
    Tests,
}

const PREFIX: &str = "tongban-";

/// The product: its package is named as the program is.
const PRODUCT: (&str, &str) = ("tongban", "daemon");

/// The room a package is, if it is one of ours.
fn room_of(package: &str) -> Option<&str> {
    let (product, room) = PRODUCT;
    if package == product {
        Some(room)
    } else {
        package.strip_prefix(PREFIX)
    }
}

impl Graph {
    /// Reads the manifests below a folder. Nothing is fetched or resolved.
    pub fn of_workspace(root: &Path) -> Result<Self> {
        let mut command = MetadataCommand::new();
        command.manifest_path(root.join("Cargo.toml")).no_deps();
        command.other_options(vec!["--offline".to_owned()]);
        let metadata = command.exec().context("cargo metadata")?;
        Ok(Self::from(&metadata))
    }

    /// Reads what `cargo metadata --no-deps` printed.
    pub fn of_json(text: &str) -> Result<Self> {
        let metadata = MetadataCommand::parse(text).context("not the output of cargo metadata")?;
        Ok(Self::from(&metadata))
    }
}

impl From<&Metadata> for Graph {
    fn from(metadata: &Metadata) -> Self {
        let rooms = metadata.workspace_packages().into_iter().map(Room::from);
        Self {
            rooms: rooms.collect(),
        }
    }
}

impl From<&cargo_metadata::Package> for Room {
    fn from(package: &cargo_metadata::Package) -> Self {
        let name = package.name.as_str();
        let folder = package.manifest_path.parent();
        let links = package.dependencies.iter().map(Link::from);
        Self {
            name: room_of(name).unwrap_or(name).to_owned(),
            folder: folder.map(PathBuf::from).unwrap_or_default(),
            links: links.collect(),
        }
    }
}

impl From<&cargo_metadata::Dependency> for Link {
    fn from(dependency: &cargo_metadata::Dependency) -> Self {
        Self {
            package: dependency.name.clone(),
            kind: match dependency.kind {
                DependencyKind::Development => Kind::Tests,
                // A build script decides what is shipped; so would a kind not known yet.
                _ => Kind::Shipped,
            },
        }
    }
}

impl Link {
    /// The room it leads to, if it leads to one.
    pub fn room(&self) -> Option<&str> {
        room_of(&self.package)
    }
}
