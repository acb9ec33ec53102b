//! Requests of the browser extension.

#![no_main]

use events::source::browser;
use events_fuzz::intake;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    drop(browser::events(&intake(), "octo", input));
});
