//! The store keeps every promise of its seam.

use crate::conformance as promise;
use crate::support;

macro_rules! promises {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            let folder = tempfile::tempdir().unwrap();
            promise::$name(&support::open, &folder.path().join("state"));
        }
    )*};
}

promises! {
    a_group_never_written_is_empty
    a_commit_is_read_back_with_its_position
    an_empty_commit_moves_the_position
    groups_never_see_each_other
    a_scan_is_ordered_half_open_and_bounded
    a_reader_beside_flushes_never_sees_an_older_value
    what_was_flushed_is_there_when_opened_again
    many_callers_may_flush_at_once
}
