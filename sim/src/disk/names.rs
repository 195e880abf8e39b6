//! Which file bears which name, durably only once its folder is synced. As on a journaling file
//! system a change of names happens whole or not at all, and changes of one name keep their order.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::{DiskFaults, FileId};
use crate::runtime::Dice;

/// One creation, rename or removal: what each name it touches stands for afterwards.
#[derive(Debug)]
struct Change {
    number: u64,
    names: Vec<(String, Option<FileId>)>,
}

/// The names of one disk.
#[derive(Debug, Default)]
pub(crate) struct Names {
    live: BTreeMap<String, FileId>,
    durable: BTreeMap<String, FileId>,
    pending: Vec<Change>,
}

impl Names {
    /// The file of a name.
    pub(crate) fn find(&self, name: &str) -> io::Result<FileId> {
        let found = self.live.get(name).copied();
        found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("no file {name}")))
    }

    /// Gives a new file its name.
    pub(crate) fn create(&mut self, number: u64, name: &str, id: FileId) -> io::Result<()> {
        check(name)?;
        if self.live.contains_key(name) {
            let message = format!("{name} is taken");
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
        }
        self.change(number, vec![(name.to_owned(), Some(id))]);
        Ok(())
    }

    /// Gives a file another name, taking it from whatever bore it.
    pub(crate) fn rename(&mut self, number: u64, from: &str, to: &str) -> io::Result<()> {
        check(to)?;
        let id = self.find(from)?;
        if from != to {
            let names = vec![(from.to_owned(), None), (to.to_owned(), Some(id))];
            self.change(number, names);
        }
        Ok(())
    }

    /// Takes a file's name away.
    pub(crate) fn remove(&mut self, number: u64, name: &str) -> io::Result<()> {
        self.find(name)?;
        self.change(number, vec![(name.to_owned(), None)]);
        Ok(())
    }

    /// Names in a folder, sorted, without the folder.
    pub(crate) fn list(&self, folder: &str) -> Vec<String> {
        let names = self.live.keys().filter(|name| folder_of(name) == folder);
        let last = |name: &String| name.rsplit('/').next().unwrap_or(name).to_owned();
        names.map(last).collect()
    }

    /// Changes not yet durable.
    pub(crate) fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Changes of a folder not yet durable.
    pub(crate) fn pending_in(&self, folder: &str) -> usize {
        let touches = |change: &&Change| change.touches(folder);
        self.pending.iter().filter(touches).count()
    }

    /// Makes the changes of a folder up to a number durable.
    pub(crate) fn sync(&mut self, folder: &str, covered: u64) {
        self.settle(|change| change.number <= covered && change.touches(folder));
    }

    /// Keeps or loses changes by the draw.
    pub(crate) fn crash(&mut self, dice: &mut Dice, faults: &mut DiskFaults) {
        self.settle(|_| dice.coin());
        faults.names_lost += u64::from(!self.pending.is_empty());
        self.pending.clear();
        self.live = self.durable.clone();
    }

    /// Files that some name stands for, stood for, or may stand for after a crash.
    pub(crate) fn named(&self) -> BTreeSet<FileId> {
        let settled = self.live.values().chain(self.durable.values()).copied();
        let pending = self.pending.iter().flat_map(|change| &change.names);
        settled.chain(pending.filter_map(|(_, id)| *id)).collect()
    }

    fn change(&mut self, number: u64, names: Vec<(String, Option<FileId>)>) {
        let change = Change { number, names };
        change.apply(&mut self.live);
        self.pending.push(change);
    }

    /// Makes the chosen changes durable, and every earlier one that shares a name with one of them.
    fn settle(&mut self, mut is_chosen: impl FnMut(&Change) -> bool) {
        let mut needed: BTreeSet<String> = BTreeSet::new();
        let mut kept = vec![false; self.pending.len()];
        for (change, is_kept) in self.pending.iter().zip(&mut kept).rev() {
            let is_needed = change.names.iter().any(|(name, _)| needed.contains(name));
            if is_chosen(change) || is_needed {
                *is_kept = true;
                needed.extend(change.names.iter().map(|(name, _)| name.clone()));
            }
        }
        let mut left = Vec::new();
        for (change, is_kept) in std::mem::take(&mut self.pending).into_iter().zip(kept) {
            if is_kept {
                change.apply(&mut self.durable);
            } else {
                left.push(change);
            }
        }
        self.pending = left;
    }
}

impl Change {
    fn apply(&self, names: &mut BTreeMap<String, FileId>) {
        for (name, id) in &self.names {
            match id {
                Some(id) => names.insert(name.clone(), *id),
                None => names.remove(name),
            };
        }
    }

    fn touches(&self, folder: &str) -> bool {
        self.names.iter().any(|(name, _)| folder_of(name) == folder)
    }
}

/// The folder of a name; the top one is the empty name.
fn folder_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Names are relative and at most two levels deep.
fn check(name: &str) -> io::Result<()> {
    let levels: Vec<&str> = name.split('/').collect();
    let is_plain = |level: &&str| !level.is_empty() && *level != "." && *level != "..";
    if levels.len() <= 2 && levels.iter().all(is_plain) {
        return Ok(());
    }
    let message = format!("{name:?} is not a relative name of one or two levels");
    Err(io::Error::new(io::ErrorKind::InvalidInput, message))
}
