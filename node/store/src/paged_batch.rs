//! A batch of the engine, and what becomes of pages by it: so that those at hand can follow whatever is
//! written. Which pages hold what is decided in `pages.rs`.

use sled::IVec;

use crate::keys::{self, GROUP_BYTES};
use crate::known_pages::{KnownPage, Rewritten};
use crate::limits::LEAF_SHARE_BYTES;
use crate::page::NewPage;

/// What is written into the engine at once.
#[derive(Default)]
pub(crate) struct PagedBatch {
    /// Pages and positions, as the engine takes them.
    pub(crate) pairs: sled::Batch,
    /// What they may add to the engine's log.
    pub(crate) log_bytes: usize,
    /// What becomes of pages, in order of where they stood.
    pub(crate) rewritten: Vec<Rewritten>,
}

impl PagedBatch {
    /// Puts pages in the place of the one that stands at `held`, or where none is from a place on.
    pub(crate) fn rewrite(
        &mut self,
        place: &[u8],
        held: Option<IVec>,
        until: IVec,
        pages: Vec<NewPage>,
    ) {
        let first = held.clone().unwrap_or_else(|| IVec::from(place));
        // Written again, it would lose what was written first. That stops the store, and loses nothing.
        let before = self.rewritten.last();
        assert!(
            before.is_none_or(|before| before.until <= first),
            "a page is written once in a batch"
        );
        let group = place.get(..GROUP_BYTES).unwrap_or_default();
        let mut stays = held;
        let mut written: Vec<KnownPage> = Vec::with_capacity(pages.len());
        for (key, bytes) in pages {
            // The first of them stays where the page stood, whatever its first key is now.
            let first = stays
                .take()
                .unwrap_or_else(|| IVec::from([group, &key].concat()));
            if let Some(before) = written.last_mut() {
                before.until = first.clone();
            }
            let bytes = IVec::from(bytes);
            self.insert(first.clone(), bytes.clone());
            written.push(KnownPage {
                first,
                until: until.clone(),
                bytes,
            });
        }
        if let Some(empty) = stays {
            self.remove(empty);
        }
        self.rewritten.push(Rewritten {
            first,
            until,
            pages: written,
        });
    }

    /// Forgets some pages of a group. None of the others stays at hand either: they go next.
    pub(crate) fn forget(&mut self, group: [u8; GROUP_BYTES], places: Vec<IVec>) {
        for place in places {
            self.remove(place);
        }
        self.rewritten.push(Rewritten {
            first: IVec::from(&group),
            until: IVec::from(&keys::behind(group)),
            pages: Vec::new(),
        });
    }

    /// Brings a group to a position.
    pub(crate) fn move_to(&mut self, group: [u8; GROUP_BYTES], position: &[u8]) {
        self.insert(IVec::from(&keys::position_key(group)), IVec::from(position));
    }

    /// Forgets the position of a group.
    pub(crate) fn forget_position(&mut self, group: [u8; GROUP_BYTES]) {
        self.remove(IVec::from(&keys::position_key(group)));
    }

    fn insert(&mut self, key: IVec, value: IVec) {
        self.log_bytes += key.len() + value.len() + LEAF_SHARE_BYTES;
        self.pairs.insert(key, value);
    }

    fn remove(&mut self, key: IVec) {
        self.log_bytes += key.len() + LEAF_SHARE_BYTES;
        self.pairs.remove(key);
    }
}
