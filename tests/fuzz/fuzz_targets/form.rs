//! A filled form of any bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| tongban_fuzz::forms::read_as_every_item(input));
