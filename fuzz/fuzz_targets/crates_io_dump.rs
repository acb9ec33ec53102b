#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| service::fuzzing::run("crates_io_dump", data));
