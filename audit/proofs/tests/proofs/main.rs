//! What the verifier accepts, and what it refuses, of a made-up chain and of hostile bytes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::as_conversions)]

mod headers;
mod hostile;
mod state;
