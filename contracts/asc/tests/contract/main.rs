//! The contract on a simulated chain: what each message does, what it refuses, and what holds always.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod adversarial;
mod callback;
mod cancel;
mod close;
mod epochs;
mod failures;
mod forbidden;
mod governance;
mod grants;
mod instantiate;
mod key_states;
mod log;
mod migration;
mod money;
mod queries;
mod responses;
mod submit_request;
mod suite;
mod treasury;
mod unsupported;
mod why_pending;
mod withdraw;
