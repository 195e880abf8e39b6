//! What nodes ask each other above Raft, and backups of a vault.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| tongban_runtime::fuzzing::decode_all(input));
