//! Light blocks, proofs of state, records of the chain.
#![no_main]

libfuzzer_sys::fuzz_target!(init: kms_fuzz::plant(proof_seeds()), |data: &[u8]| proof(data));

use kms_proofs::fuzzing::{proof, proof_seeds};
