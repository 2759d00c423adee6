#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| jwt_warden_fuzz::properties::host::check(bytes));
