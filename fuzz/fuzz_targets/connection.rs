#![no_main]
#[path = "../targets/mod.rs"]
#[allow(dead_code, reason = "the seeds are for whoever makes inputs of them")]
mod targets;

libfuzzer_sys::fuzz_target!(|input: &[u8]| targets::run("connection", input));
