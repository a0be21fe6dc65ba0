//! The core as its callers see it: over gRPC, with real keys. One key is generated for all tests of this binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bodies;
mod engine;
mod failures;
mod forged;
mod half_time;
mod idempotence;
mod key_gen;
mod process;
mod public_decrypt;
mod refusals;
mod restart;
mod restored;
mod seed;
mod service;
mod stack;
mod trust;
mod world;
