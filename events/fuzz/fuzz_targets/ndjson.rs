//! Lines of our own form.

#![no_main]

use events::source::ndjson;
use events_fuzz::intake;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    drop(ndjson::event(&intake(), input));
});
