//! Putting what is in a backup back: records into a fresh log, and, for a drill, states into snapshot files
//! as a replica of the group would have written them.

use std::collections::BTreeMap;

use tongban_types::limits::REGISTRY_BYTES_MAX;
use tongban_types::{BackedUpState, BackupPart, decode};

use super::opening::BackupChunk;
use super::{BackupFault, RecordPage, TableCounts, table_of};
use crate::ports::{LocalLog, LocalTable, LocalWrite};
use crate::seams::{Disk, DiskFile};
use crate::snapshot;

/// What of a backup is wanted back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhatComesBack {
    /// Its records alone. A node that comes back takes the states from the groups, which went on.
    Records,
    /// The states too, to see that they are whole: nobody votes with them.
    RecordsAndStates,
}

/// What was put back.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Records by table.
    pub records: TableCounts,
    /// States written as snapshot files.
    pub states: Vec<BackedUpState>,
    /// The small files, by name.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Restored {
    /// Counts what a chunk would put back where nothing but records and files is wanted, and puts nothing.
    pub fn count(&mut self, chunk: &BackupChunk) -> Result<(), BackupFault> {
        match &chunk.part {
            BackupPart::Records { table, .. } => {
                let (table, page) = page_of(*table, &chunk.text)?;
                self.note(table, &page);
                Ok(())
            }
            BackupPart::State(_) => Ok(()),
            BackupPart::File { name } => self.take_file(name, &chunk.text),
        }
    }

    fn note(&mut self, table: LocalTable, page: &RecordPage) {
        *self.records.entry(table).or_default() += page.0.len() as u64;
    }

    fn take_file(&mut self, name: &str, text: &[u8]) -> Result<(), BackupFault> {
        let bytes = self.files.entry(name.to_owned()).or_default();
        bytes.extend_from_slice(text);
        if bytes.len() > REGISTRY_BYTES_MAX {
            let what = "a file that long";
            return Err(BackupFault::Strange { what });
        }
        Ok(())
    }
}

/// Takes the chunks of a backup in their order and puts them into a fresh log and onto a disk.
pub struct Restoring<'a, D: Disk> {
    log: &'a dyn LocalLog,
    disk: &'a D,
    wanted: WhatComesBack,
    /// The state being written: its file and the name it has until it is whole.
    state: Option<(D::File, String)>,
    restored: Restored,
}

impl<D: Disk> std::fmt::Debug for Restoring<'_, D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Restoring")
            .field("wanted", &self.wanted)
            .finish_non_exhaustive()
    }
}

impl<'a, D: Disk> Restoring<'a, D> {
    /// Into a log with no records and a folder with no snapshots.
    pub fn into(log: &'a dyn LocalLog, disk: &'a D, wanted: WhatComesBack) -> Self {
        Self {
            log,
            disk,
            wanted,
            state: None,
            restored: Restored::default(),
        }
    }

    /// Puts a chunk back; its records are durable when this returns.
    pub async fn put(&mut self, chunk: BackupChunk) -> Result<(), BackupFault> {
        match &chunk.part {
            BackupPart::Records { table, .. } => self.put_records(*table, &chunk.text).await,
            BackupPart::State(state) if self.wanted == WhatComesBack::RecordsAndStates => {
                self.put_state(*state, &chunk).await
            }
            BackupPart::State(_) => Ok(()),
            BackupPart::File { name } => self.restored.take_file(name, &chunk.text),
        }
    }

    /// What was put back in all.
    pub fn finish(self) -> Restored {
        self.restored
    }

    async fn put_records(&mut self, table: u8, text: &[u8]) -> Result<(), BackupFault> {
        let (table, page) = page_of(table, text)?;
        let writes: Vec<LocalWrite> = page
            .0
            .iter()
            .map(|(key, value)| LocalWrite {
                table,
                key: key.clone(),
                value: Some(value.clone()),
            })
            .collect();
        self.restored.note(table, &page);
        if writes.is_empty() {
            return Ok(());
        }
        Ok(self.log.write(writes).await?)
    }

    async fn put_state(
        &mut self,
        state: BackedUpState,
        chunk: &BackupChunk,
    ) -> Result<(), BackupFault> {
        let (file, part) = if let Some(begun) = self.state.take() {
            begun
        } else {
            let part = snapshot::part_name(state.group, state.index);
            (self.disk.create(&part)?, part)
        };
        file.append(&chunk.text)?;
        if !chunk.is_last {
            self.state = Some((file, part));
            return Ok(());
        }
        file.sync().await?;
        let name = snapshot::final_name(state.group, state.index);
        self.disk.rename(&part, &name)?;
        self.disk.sync_folder(snapshot::FOLDER).await?;
        self.restored.states.push(state);
        Ok(())
    }
}

fn page_of(table: u8, text: &[u8]) -> Result<(LocalTable, RecordPage), BackupFault> {
    let strange = |what| BackupFault::Strange { what };
    let table = table_of(table).ok_or_else(|| strange("a table"))?;
    let page = decode(text).map_err(|_| strange("a page of records"))?;
    Ok((table, page))
}
