//! Room is made: what is live of a file of pages that is mostly dead is appended anew, so that the file may go. That is
//! done in steps, each with what was committed in between.

use super::Tiers;
use crate::error::SledStoreError;
use crate::page_place::FileNumber;
use crate::work::EngineWork;

const DURING: EngineWork = EngineWork::Compacting;

/// A pass over the places of all pages, for those in one file. Nothing is appended to that file, so that what was
/// passed stays passed, whatever is written in between.
pub(crate) struct Pass {
    file: FileNumber,
    /// Where it goes on.
    from: Vec<u8>,
}

impl std::fmt::Debug for Pass {
    /// Without the place, which is a key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pass")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

impl Tiers {
    /// Takes a step, if much of all files is dead; whether another one is to be taken. A file of which all was moved
    /// goes with the next sync.
    pub(crate) fn compact_some(&self) -> Result<bool, SledStoreError> {
        let mut writing = self.writing();
        let Some(Pass { file, from }) = writing
            .take()
            .map_or_else(|| self.begin(), |it| Ok(Some(it)))?
        else {
            return Ok(false);
        };
        let (batch, next) = self
            .engine
            .with(DURING, |engine| engine.pages().moving(file, &from))?;
        self.apply(DURING, batch)?;
        *writing = match next {
            Some(next) => Some(Pass {
                file,
                from: next.to_vec(),
            }),
            None => self.end(file)?,
        };
        Ok(writing.is_some())
    }

    fn begin(&self) -> Result<Option<Pass>, SledStoreError> {
        let due = self
            .engine
            .with(DURING, |engine| Ok(engine.files().to_compact()))?;
        Ok(due.map(|file| Pass {
            file,
            from: Vec::new(),
        }))
    }

    /// Begins the next pass, if one is due, and the last one found all that was live.
    fn end(&self, file: FileNumber) -> Result<Option<Pass>, SledStoreError> {
        self.engine.with(DURING, |engine| {
            if engine.files().has_live(file) {
                let fault = "pages that are live are not in the engine";
                return Err(sled::Error::ReportableBug(fault.to_owned()));
            }
            Ok(())
        })?;
        self.begin()
    }
}
