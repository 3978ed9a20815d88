#![no_main]
#[path = "../targets/proxy_protocol.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|input: &[u8]| target::run(input));
