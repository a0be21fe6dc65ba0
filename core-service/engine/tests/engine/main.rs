//! What the engine promises: values come back, everything else is refused, nothing panics, and a decryption oracle gives the
//! key away.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::as_conversions)]

mod compressed;
mod fixture;
mod honest_results;
mod hostile;
mod hostile_lists;
mod import;
mod key_material;
mod key_recovery;
mod proven;
mod refused;
mod round_trip;
