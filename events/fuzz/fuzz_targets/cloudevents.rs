//! CloudEvents in every mode.

#![no_main]

use events::source::cloudevents;
use events_fuzz::intake;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    drop(cloudevents::structured(&intake(), input));
    drop(cloudevents::batch(&intake(), input));
    let (header, body) = input.split_at(input.len() / 2);
    let headers = [("content-type", &b"application/json"[..]), ("ce-specversion", b"1.0"), ("ce-subject", header)];
    drop(cloudevents::request(&intake(), headers, body));
});
