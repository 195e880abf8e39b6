//! How much memory and disk a store takes before something is done about it.

use crate::limits::{LOG_BYTES_MAX, PAGE_FILE_BYTES_MAX};

/// How much memory and disk a store takes before something is done about it.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Memory for the engine's cache and for pages at hand.
    pub cache_bytes: u64,
    /// The engine is opened anew once its log has grown by so much: [`LOG_BYTES_MAX`].
    pub log_bytes_max: u64,
    /// A file of pages that is so long is not appended to: [`PAGE_FILE_BYTES_MAX`].
    pub page_file_bytes_max: u64,
}

impl Bounds {
    /// With so much memory, and the bounds that suit a node.
    pub fn with_cache(cache_bytes: u64) -> Self {
        Self {
            cache_bytes,
            log_bytes_max: LOG_BYTES_MAX,
            page_file_bytes_max: PAGE_FILE_BYTES_MAX,
        }
    }
}
