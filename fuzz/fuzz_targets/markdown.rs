#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| chatrix::fuzzing::markdown(data));
