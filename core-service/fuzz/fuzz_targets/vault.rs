//! Files of a vault, backups, copies of keys.
#![no_main]

libfuzzer_sys::fuzz_target!(init: kms_fuzz::plant(vault_format_seeds()), |data: &[u8]| vault_format(data));

use kms_core::fuzzing::{vault_format, vault_format_seeds};
