#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| rocketvps_restore_fuzz::ciphers::run(data));
