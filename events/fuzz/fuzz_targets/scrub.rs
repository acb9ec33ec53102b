//! The scrubber, also on what it has made.

#![no_main]

use events::envelope::scrub;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    drop(scrub(&scrub(input)));
});
