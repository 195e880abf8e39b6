//! A planted bug, which fuzzing must find: a word behind two comparisons.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Some((head, tail)) = input.split_first_chunk::<2>() {
        assert!(head != b"TB" || !tail.starts_with(b"9999"), "planted");
    }
});
