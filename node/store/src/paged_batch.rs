//! What is to be written at once: pages, where groups stand, and what goes. The bytes of pages are put into files
//! first, and then the engine takes where they stand. Which pages hold what is decided in `pages.rs`.

use std::io;

use bytes::Bytes;
use sled::IVec;

use crate::keys::{self, GROUP_BYTES};
use crate::known_pages::{KnownPage, Rewritten};
use crate::limits::{change_log_bytes, growth_log_bytes};
use crate::page::NewPage;
use crate::page_files::{LiveBytes, PageFiles};
use crate::page_place::PagePlace;

/// What is to be written at once.
#[derive(Default)]
pub(crate) struct PagedBatch {
    /// What becomes of pages, in order of where they stood.
    rewriting: Vec<Rewriting>,
    /// Pages whose bytes are to stand elsewhere, as they are.
    moving: Vec<WrittenPage>,
    /// Where bytes stand that are dead then.
    freed: Vec<PagePlace>,
    engine: EngineBatch,
}

/// What the engine takes at once, and what that may add to its log.
#[derive(Default)]
struct EngineBatch {
    pairs: sled::Batch,
    log_bytes: usize,
}

impl EngineBatch {
    fn insert(&mut self, key: IVec, value: &[u8]) {
        self.log_bytes += change_log_bytes(key.len(), value.len());
        self.pairs.insert(key, value);
    }

    fn insert_page(&mut self, page: &WrittenPage, place: PagePlace) {
        if page.is_new {
            self.log_bytes += growth_log_bytes(page.first.len());
        }
        self.insert(page.first.clone(), &place.encode());
    }

    fn remove(&mut self, key: IVec) {
        self.log_bytes += change_log_bytes(key.len(), 0);
        self.pairs.remove(key);
    }
}

/// Pages that take the place of one, or of none.
struct Rewriting {
    first: IVec,
    until: IVec,
    pages: Vec<WrittenPage>,
}

/// A page that is to be written.
struct WrittenPage {
    first: IVec,
    bytes: Bytes,
    /// None stands there yet.
    is_new: bool,
}

/// A batch whose bytes stand in files, durably, and that nothing refers to yet.
pub(crate) struct PlacedBatch {
    /// Pages and positions, as the engine takes them.
    pub(crate) pairs: sled::Batch,
    /// What they may add to the engine's log.
    pub(crate) log_bytes: usize,
    /// What becomes of pages, in order of where they stood.
    pub(crate) rewritten: Vec<Rewritten>,
    /// Pages whose bytes stand elsewhere then.
    pub(crate) moved: Vec<(IVec, PagePlace)>,
    /// What is live then of the files it concerns.
    pub(crate) live: LiveBytes,
}

impl PagedBatch {
    /// Puts pages in the place of the one held, or where none is from a place on.
    pub(crate) fn rewrite(
        &mut self,
        place: &[u8],
        held: Option<KnownPage>,
        until: IVec,
        pages: Vec<NewPage>,
    ) {
        let mut stays = None;
        if let Some(held) = held {
            self.freed.push(held.place);
            stays = Some(held.first);
        }
        let first = stays.clone().unwrap_or_else(|| IVec::from(place));
        // Written again, it would lose what was written first. That stops the store, and loses nothing.
        let before = self.rewriting.last();
        assert!(
            before.is_none_or(|before| before.until <= first),
            "a page is written once in a batch"
        );
        let group = place.get(..GROUP_BYTES).unwrap_or_default();
        let mut written = Vec::with_capacity(pages.len());
        for (key, bytes) in pages {
            // The first of them stays where the page stood, whatever its first key is now.
            let is_new = stays.is_none();
            let first = stays
                .take()
                .unwrap_or_else(|| IVec::from([group, &key].concat()));
            written.push(WrittenPage {
                first,
                bytes: Bytes::from(bytes),
                is_new,
            });
        }
        if let Some(empty) = stays {
            self.engine.remove(empty);
        }
        self.rewriting.push(Rewriting {
            first,
            until,
            pages: written,
        });
    }

    /// Forgets some pages of a group. None of the others stays at hand either: they go next.
    pub(crate) fn forget(&mut self, group: [u8; GROUP_BYTES], pages: Vec<(IVec, PagePlace)>) {
        for (first, place) in pages {
            self.engine.remove(first);
            self.freed.push(place);
        }
        self.rewriting.push(Rewriting {
            first: IVec::from(&group),
            until: IVec::from(&keys::behind(group)),
            pages: Vec::new(),
        });
    }

    /// Has the bytes of a page stand elsewhere.
    pub(crate) fn move_page(&mut self, first: IVec, place: PagePlace, bytes: Bytes) {
        self.freed.push(place);
        self.moving.push(WrittenPage {
            first,
            bytes,
            is_new: false,
        });
    }

    /// Brings a group to a position.
    pub(crate) fn move_to(&mut self, group: [u8; GROUP_BYTES], position: &[u8]) {
        let key = IVec::from(&keys::position_key(group));
        self.engine.insert(key, position);
    }

    /// Forgets the position of a group.
    pub(crate) fn forget_position(&mut self, group: [u8; GROUP_BYTES]) {
        self.engine.remove(IVec::from(&keys::position_key(group)));
    }

    /// Puts the bytes of its pages into files, durably.
    pub(crate) fn put_down(self, files: &PageFiles) -> io::Result<PlacedBatch> {
        let Self {
            rewriting,
            moving,
            freed,
            mut engine,
        } = self;
        let rewritten = rewriting.iter().flat_map(|one| &one.pages);
        let pages = rewritten.chain(&moving);
        let places = files.append(pages.map(|page| &page.bytes))?;
        let live = files.reckon(&places, &freed)?;
        let mut places = places.into_iter();
        let mut put = |page: &WrittenPage| {
            let place = places.next().expect("each page has its place");
            engine.insert_page(page, place);
            place
        };
        let rewritten = rewriting
            .into_iter()
            .map(|one| one.rewritten(&mut put))
            .collect();
        let moved = moving
            .into_iter()
            .map(|page| {
                let place = put(&page);
                (page.first, place)
            })
            .collect();
        for (number, bytes) in &live {
            let key = IVec::from(&keys::live_key(*number));
            match bytes {
                0 => engine.remove(key),
                bytes => engine.insert(key, &bytes.to_be_bytes()),
            }
        }
        Ok(PlacedBatch {
            pairs: engine.pairs,
            log_bytes: engine.log_bytes,
            rewritten,
            moved,
            live,
        })
    }
}

impl Rewriting {
    fn rewritten(self, put: &mut impl FnMut(&WrittenPage) -> PagePlace) -> Rewritten {
        let mut written: Vec<KnownPage> = Vec::with_capacity(self.pages.len());
        for page in self.pages {
            if let Some(before) = written.last_mut() {
                before.until = page.first.clone();
            }
            written.push(KnownPage {
                place: put(&page),
                first: page.first,
                until: self.until.clone(),
                bytes: page.bytes,
            });
        }
        Rewritten {
            first: self.first,
            until: self.until,
            pages: written,
        }
    }
}
