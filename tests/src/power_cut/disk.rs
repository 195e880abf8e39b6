//! The disk under a recorded process: which bytes and names are durable and which are not yet. Only
//! a sync of a file keeps its bytes and only a sync of a folder keeps its names; whatever else the
//! kernel may have written back is up to the image.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result, bail, ensure};

use super::dice::Dice;
use super::file::{Change, RecordedFile};
use super::image::{Image, Loss};
use super::recording::{Act, Operation, Recording};

/// Says of a path whether its syncs are played as if they were never made.
pub type LeftOut = fn(&str) -> bool;

/// The disk at one moment of a recording; it starts empty, or with what was there before.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    /// Everything that ever was; numbers are never used again.
    nodes: Vec<Node>,
    /// Names as the process sees them.
    cached: BTreeMap<String, usize>,
    /// Names on the device.
    durable: BTreeMap<String, usize>,
    pending: Vec<PendingName>,
    /// Syncs under way.
    syncs: HashMap<u64, Sync>,
    left_out: Option<LeftOut>,
    moment: u64,
}

#[derive(Clone, Debug)]
enum Node {
    Folder,
    File(RecordedFile),
}

#[derive(Clone, Debug)]
struct PendingName {
    made: u64,
    change: NameChange,
    /// Folders yet to be synced for the change to be durable.
    folders: Vec<String>,
}

#[derive(Clone, Debug)]
enum NameChange {
    Add {
        path: String,
        node: usize,
    },
    Remove {
        path: String,
    },
    Rename {
        from: String,
        to: String,
        node: usize,
    },
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Add { path, node } => {
                names.insert(path.clone(), *node);
            }
            Self::Remove { path } => {
                names.remove(path);
            }
            Self::Rename { from, to, node } => {
                names.remove(from);
                names.insert(to.clone(), *node);
            }
        }
    }
}

#[derive(Clone, Debug)]
struct Sync {
    began: u64,
    /// `None` is the recorded folder itself.
    node: Option<usize>,
    path: String,
}

impl Disk {
    /// A disk on which all of an image is durable.
    pub fn holding(image: &Image) -> Self {
        let mut disk = Self::default();
        for (path, content) in &image.0 {
            let node = content
                .as_ref()
                .map_or(Node::Folder, |bytes| Node::File(RecordedFile::of(bytes)));
            disk.add(path, node);
        }
        disk.pending.clear();
        disk.durable.clone_from(&disk.cached);
        disk
    }

    /// The same disk on which some syncs do nothing.
    #[must_use]
    pub fn leaving_out(mut self, left_out: Option<LeftOut>) -> Self {
        self.left_out = left_out;
        self
    }

    /// Plays one operation.
    pub fn play(&mut self, operation: &Operation, recording: &Recording) -> Result<()> {
        self.moment += 1;
        let path = &operation.path;
        match &operation.act {
            Act::MakeFile => self.add(path, Node::File(RecordedFile::default())),
            Act::MakeFolder => self.add(path, Node::Folder),
            Act::Write { at, bytes } => {
                let bytes = recording.bytes(bytes).to_vec();
                self.change(path, Change::Write { at: *at, bytes })?;
            }
            Act::Truncate { length } => self.change(path, Change::Truncate { length: *length })?,
            Act::Allocate { at, length, mode } => {
                ensure!(
                    Change::is_known_mode(*mode),
                    "{path}: allocation mode {mode}"
                );
                self.change(
                    path,
                    Change::Allocate {
                        at: *at,
                        length: *length,
                        mode: *mode,
                    },
                )?;
            }
            Act::SyncBegan { call } => {
                let node = if path.is_empty() {
                    None
                } else {
                    Some(self.node(path)?)
                };
                let sync = Sync {
                    began: self.moment,
                    node,
                    path: path.clone(),
                };
                self.syncs.insert(*call, sync);
            }
            Act::SyncDone { call } => {
                let sync = self
                    .syncs
                    .remove(call)
                    .context("a sync ends that never began")?;
                if !self.left_out.is_some_and(|left_out| left_out(path)) {
                    self.end_sync(&sync);
                }
            }
            Act::Rename { to } => self.rename(path, to)?,
            Act::Link { to } => {
                let node = self.node(path)?;
                self.add_name(to, node);
            }
            Act::Remove => {
                self.cached
                    .remove(path)
                    .with_context(|| format!("{path} is removed twice"))?;
                self.name(
                    NameChange::Remove { path: path.clone() },
                    vec![folder_of(path)],
                );
            }
            Act::Acknowledge { .. } => {}
        }
        Ok(())
    }

    /// What the process itself sees; equal to the real folder if the recording is complete.
    pub fn cached(&self) -> Image {
        self.image_of(&self.cached, RecordedFile::cached)
    }

    /// What a power cut now may leave.
    pub fn after_cut(&self, loss: Loss, dice: &mut Dice) -> Image {
        let mut names = self.durable.clone();
        let kept = dice.below(self.pending.len() + 1);
        for (number, pending) in self.pending.iter().enumerate() {
            let keep = match loss {
                Loss::Everything => false,
                Loss::Nothing => true,
                Loss::Suffix => number < kept,
                Loss::Some | Loss::Sectors => dice.once_in(2),
            };
            if keep {
                pending.change.apply(&mut names);
            }
        }
        self.image_of(&names, |file| file.after_cut(loss, dice))
    }

    /// An image of names whose folders all exist.
    fn image_of(
        &self,
        names: &BTreeMap<String, usize>,
        mut content: impl FnMut(&RecordedFile) -> Vec<u8>,
    ) -> Image {
        let mut image = BTreeMap::new();
        // A file of two names has one content.
        let mut contents: HashMap<usize, Vec<u8>> = HashMap::new();
        for (path, node) in names {
            let folder = folder_of(path);
            if !folder.is_empty() && image.get(&folder) != Some(&None) {
                continue;
            }
            let found = match &self.nodes[*node] {
                Node::Folder => None,
                Node::File(file) => {
                    let known = contents.entry(*node).or_insert_with(|| content(file));
                    Some(known.clone())
                }
            };
            image.insert(path.clone(), found);
        }
        Image(image)
    }

    fn add(&mut self, path: &str, node: Node) {
        let number = self.nodes.len();
        self.nodes.push(node);
        self.add_name(path, number);
    }

    fn add_name(&mut self, path: &str, node: usize) {
        self.cached.insert(path.to_owned(), node);
        let change = NameChange::Add {
            path: path.to_owned(),
            node,
        };
        self.name(change, vec![folder_of(path)]);
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<()> {
        let node = self.node(from)?;
        if matches!(self.nodes[node], Node::Folder) {
            bail!("{from}: renaming a folder is not played");
        }
        self.cached.remove(from);
        self.cached.insert(to.to_owned(), node);
        let change = NameChange::Rename {
            from: from.to_owned(),
            to: to.to_owned(),
            node,
        };
        let mut folders = vec![folder_of(from), folder_of(to)];
        folders.dedup();
        self.name(change, folders);
        Ok(())
    }

    fn name(&mut self, change: NameChange, folders: Vec<String>) {
        self.pending.push(PendingName {
            made: self.moment,
            change,
            folders,
        });
    }

    fn change(&mut self, path: &str, change: Change) -> Result<()> {
        let node = self.node(path)?;
        match &mut self.nodes[node] {
            Node::File(file) => file.change(self.moment, change),
            Node::Folder => bail!("{path}: a folder is written like a file"),
        }
        Ok(())
    }

    fn end_sync(&mut self, sync: &Sync) {
        if let Some(Node::File(file)) = sync.node.map(|node| &mut self.nodes[node]) {
            file.sync(sync.began);
            return;
        }
        let durable = &mut self.durable;
        self.pending.retain_mut(|pending| {
            if pending.made < sync.began {
                pending.folders.retain(|folder| *folder != sync.path);
            }
            if pending.folders.is_empty() {
                pending.change.apply(durable);
            }
            !pending.folders.is_empty()
        });
    }

    fn node(&self, path: &str) -> Result<usize> {
        let node = self.cached.get(path).copied();
        node.with_context(|| format!("{path} is used and was never made"))
    }
}

fn folder_of(path: &str) -> String {
    path.rsplit_once('/')
        .map_or_else(String::new, |(folder, _)| folder.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn played(acts: &[(&str, Act)]) -> Disk {
        played_on(Disk::default(), acts)
    }

    fn played_on(mut disk: Disk, acts: &[(&str, Act)]) -> Disk {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        std::fs::write(&log, []).unwrap();
        let recording = Recording::read(&log).unwrap();
        for (path, act) in acts {
            let operation = Operation {
                path: (*path).to_owned(),
                act: act.clone(),
            };
            disk.play(&operation, &recording).unwrap();
        }
        disk
    }

    fn left(disk: &Disk, loss: Loss) -> Vec<String> {
        disk.after_cut(loss, &mut Dice::new(1))
            .0
            .into_keys()
            .collect()
    }

    fn synced(path: &'static str, call: u64) -> [(&'static str, Act); 2] {
        [
            (path, Act::SyncBegan { call }),
            (path, Act::SyncDone { call }),
        ]
    }

    #[test]
    fn a_name_is_lost_until_its_folder_is_synced() {
        let mut acts = vec![("a", Act::MakeFile), ("a", Act::Truncate { length: 3 })];
        acts.extend(synced("a", 1));
        assert_eq!(left(&played(&acts), Loss::Everything), Vec::<String>::new());
        assert_eq!(left(&played(&acts), Loss::Nothing), ["a"]);
        acts.extend(synced("", 2));
        let image = played(&acts).after_cut(Loss::Everything, &mut Dice::new(1));
        assert_eq!(image.0["a"], Some(vec![0; 3]));
    }

    #[test]
    fn a_file_in_a_folder_that_is_lost_is_lost() {
        let mut acts = vec![("f", Act::MakeFolder), ("f/a", Act::MakeFile)];
        acts.extend(synced("f", 1));
        assert_eq!(left(&played(&acts), Loss::Everything), Vec::<String>::new());
        acts.extend(synced("", 2));
        assert_eq!(left(&played(&acts), Loss::Everything), ["f", "f/a"]);
    }

    #[test]
    fn a_rename_is_whole_or_lost() {
        let mut acts = vec![("new", Act::MakeFile), ("old", Act::MakeFile)];
        acts.extend(synced("", 1));
        acts.push((
            "new",
            Act::Rename {
                to: "old".to_owned(),
            },
        ));
        assert_eq!(left(&played(&acts), Loss::Everything), ["new", "old"]);
        assert_eq!(left(&played(&acts), Loss::Nothing), ["old"]);
        acts.extend(synced("", 2));
        assert_eq!(left(&played(&acts), Loss::Everything), ["old"]);
    }

    #[test]
    fn a_file_of_two_names_has_one_content_and_each_name_its_folder() {
        let mut acts = vec![("f", Act::MakeFolder), ("f/a", Act::MakeFile)];
        acts.extend(synced("f", 1));
        acts.extend(synced("", 2));
        let to = "b".to_owned();
        acts.push(("f/a", Act::Link { to }));
        acts.push(("f/a", Act::Truncate { length: 3 }));
        acts.extend(synced("b", 3));
        assert_eq!(left(&played(&acts), Loss::Everything), ["f", "f/a"]);
        acts.extend(synced("", 4));
        let image = played(&acts).after_cut(Loss::Everything, &mut Dice::new(1));
        assert_eq!(image.0["b"], Some(vec![0; 3]));
        assert_eq!(image.0["f/a"], image.0["b"]);
        acts.push(("f/a", Act::Remove));
        acts.extend(synced("f", 5));
        assert_eq!(left(&played(&acts), Loss::Everything), ["b", "f"]);
    }

    #[test]
    fn what_was_there_before_is_durable_and_a_sync_left_out_keeps_nothing() {
        let before = Image([("a".to_owned(), Some(vec![1; 3]))].into());
        let disk = Disk::holding(&before);
        assert_eq!(disk.after_cut(Loss::Everything, &mut Dice::new(1)), before);
        let mut acts = vec![("b", Act::MakeFile)];
        acts.extend(synced("", 1));
        let lying = played_on(Disk::default().leaving_out(Some(str::is_empty)), &acts);
        assert_eq!(left(&lying, Loss::Everything), Vec::<String>::new());
        assert_eq!(left(&played(&acts), Loss::Everything), ["b"]);
    }

    #[test]
    fn a_sync_that_has_not_ended_keeps_nothing() {
        let acts = [("a", Act::MakeFile), ("", Act::SyncBegan { call: 1 })];
        assert_eq!(left(&played(&acts), Loss::Everything), Vec::<String>::new());
    }
}
