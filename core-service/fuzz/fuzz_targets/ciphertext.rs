//! Bytes that are decrypted.
#![no_main]

libfuzzer_sys::fuzz_target!(init: kms_fuzz::plant(ciphertext_seeds()), |data: &[u8]| ciphertext(data));

use kms_core_engine::fuzzing::{ciphertext, ciphertext_seeds};
