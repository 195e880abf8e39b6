//! A document of any text, verified offline.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| tongban_fuzz::document::verify(input));
