//! A log folder of any bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| tongban_fuzz::log::open_twice(input));
