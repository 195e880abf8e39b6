//! A stream of frames; the first byte says in what pieces it arrives.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Some((piece, stream)) = input.split_first() {
        tongban_fuzz::frames::read_frames(stream, usize::from(*piece));
    }
});
