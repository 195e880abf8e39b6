//! A log of any orders, parcels, times and noise, applied to two cities at work.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tongban_fuzz::town::Towns;
use tongban_fuzz::turns::turns;

thread_local! {
    static TOWNS: Towns = Towns::at_work();
}

fuzz_target!(|input: &[u8]| {
    let mut towns = TOWNS.with(Towns::again);
    for (tag, body) in turns(input) {
        towns.turn(tag, body);
    }
});
