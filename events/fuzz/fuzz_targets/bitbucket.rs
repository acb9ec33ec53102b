//! Bitbucket webhooks.

#![no_main]

use events::source::bitbucket;
use events_fuzz::intake;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    drop(bitbucket::event(&intake(), "repo:push", None, input));
});
