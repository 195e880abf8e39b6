//! Every identifier that people or programs write.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::fmt::Display;
use std::str::FromStr;
use tongban_types::{
    CaseNumber, CaseState, CityCode, Code, CreditCode, Division, ItemCode, NodeId, PersonId,
    ResidentId, Role,
};

fn again<T: FromStr + Display + PartialEq + std::fmt::Debug>(text: &str) {
    if let Ok(id) = text.parse::<T>() {
        let written = id.to_string();
        assert_eq!(written.parse::<T>().ok(), Some(id), "{written}");
    }
}

fuzz_target!(|text: &str| {
    again::<CaseNumber>(text);
    again::<CityCode>(text);
    again::<CreditCode>(text);
    again::<Division>(text);
    again::<Code>(text);
    again::<ItemCode>(text);
    again::<NodeId>(text);
    again::<PersonId>(text);
    let _ = text.parse::<ResidentId>();
    let _ = text.parse::<Role>();
    let _ = text.parse::<CaseState>();
});
