//! A proof of a range of a file, as the node that holds the file may send it.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| tongban_fuzz::proofs::accept(input));
