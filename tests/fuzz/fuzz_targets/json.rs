//! Strict JSON: what it takes, every reader takes, and its one spelling is stable. And an order of placement
//! that is written in it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tongban_trust::{PlacementFile, compact, read_strict};

fuzz_target!(|input: &[u8]| {
    let Ok(value) = read_strict(input, 64 * 1024) else {
        return;
    };
    serde_json::from_slice::<serde_json::Value>(input).expect("strict JSON is JSON");
    let spelled = compact(&value);
    let again = read_strict(spelled.as_bytes(), 128 * 1024).expect("the one spelling is strict");
    assert_eq!(again, value);
    assert_eq!(compact(&again), spelled);
    if let Ok(file) = PlacementFile::of_json(value) {
        assert_eq!(PlacementFile::of_json(file.to_json()), Ok(file));
    }
});
