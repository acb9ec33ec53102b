//! Heartbeats of editors.

#![no_main]

use events::source::heartbeats;
use events_fuzz::intake;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    drop(heartbeats::events(&intake(), "octo", input));
});
