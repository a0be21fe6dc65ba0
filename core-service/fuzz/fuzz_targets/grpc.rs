//! Calls of a core that listens.
#![no_main]

libfuzzer_sys::fuzz_target!(init: kms_fuzz::plant(grpc_seeds()), |data: &[u8]| grpc(data));

use kms_core::fuzzing::{grpc, grpc_seeds};
