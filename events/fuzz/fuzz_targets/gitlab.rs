//! GitLab webhooks.

#![no_main]

use events::source::gitlab;
use events_fuzz::intake;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    drop(gitlab::event(&intake(), None, input));
});
