//! The contract on a simulated chain: what each message does, what it refuses, and what holds always.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod adversarial;
mod auction;
mod callback;
mod cancel;
mod close;
mod failures;
mod instantiate;
mod log;
mod money;
mod queries;
mod responses;
mod submit_request;
mod suite;
mod unsupported;
mod why_pending;
mod withdraw;
