//! Files in order of their hashes, a page at a time. Folders are read through for each page, and no more
//! of what lies in them is held than the page: who sweeps a million files looks at a few at once.

use std::collections::BTreeSet;
use std::path::Path;
use std::{fs, io};

use tongban_types::BlobHash;

/// The first files behind one.
#[derive(Debug)]
pub(crate) struct Page {
    after: Option<BlobHash>,
    limit: usize,
    found: BTreeSet<BlobHash>,
}

impl Page {
    /// An empty page of at most `limit` files behind one, or from the first on.
    pub(crate) const fn behind(after: Option<BlobHash>, limit: usize) -> Self {
        Self {
            after,
            limit,
            found: BTreeSet::new(),
        }
    }

    /// Takes what belongs on it of a folder whose files are named by a hash and this ending.
    pub(crate) fn read_through(&mut self, folder: &Path, ending: &str) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name();
            let hash = name.to_str().and_then(|name| name.strip_suffix(ending));
            if let Some(Ok(blob)) = hash.map(str::parse::<BlobHash>) {
                self.take(blob);
            }
        }
        Ok(())
    }

    fn take(&mut self, blob: BlobHash) {
        if self.after.is_some_and(|after| blob <= after) {
            return;
        }
        self.found.insert(blob);
        if self.found.len() > self.limit {
            self.found.pop_last();
        }
    }

    /// Its files, in order.
    pub(crate) fn into_files(self) -> Vec<BlobHash> {
        self.found.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_never_holds_more_than_was_asked_for_and_misses_nothing() {
        let mut page = Page::behind(Some(BlobHash([9; 32])), 3);
        for number in (0..=255).rev().chain(0..=255) {
            page.take(BlobHash([number; 32]));
            assert!(page.found.len() <= 3);
        }
        let expected = [10, 11, 12].map(|number| BlobHash([number; 32]));
        assert_eq!(page.into_files(), expected);
    }
}
