//! GitHub webhooks.

#![no_main]

use events::source::github;
use events_fuzz::intake;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    for name in ["push", "issues", "pull_request", "invented"] {
        drop(github::event(&intake(), name, None, input));
    }
});
