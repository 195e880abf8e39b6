//! A snapshot file of any bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| tongban_fuzz::log::read_snapshot(input));
