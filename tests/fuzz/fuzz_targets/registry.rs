//! A registry file, first or next.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tongban_trust::{RegistryFile, verify_first, verify_next};

fuzz_target!(|input: &[u8]| {
    if let Ok(file) = RegistryFile::decode(input) {
        let written = file.encode();
        let again =
            RegistryFile::decode(&written).expect("what was read is written so that it reads");
        assert_eq!(again.encode(), written);
    }
    let _ = verify_first(input, tongban_fuzz::genesis());
    let _ = verify_next(tongban_fuzz::registry(), input);
});
