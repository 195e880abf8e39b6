//! What a Raft peer or the log of a group may hold.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| tongban_consensus::fuzzing::decode_all(input));
