//! Bytes that are judged as an input with its proof.
#![no_main]

libfuzzer_sys::fuzz_target!(init: kms_fuzz::plant(input_seeds()), |data: &[u8]| input(data));

use kms_core_engine::fuzzing::{input, input_seeds};
