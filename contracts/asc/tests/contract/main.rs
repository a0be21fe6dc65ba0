//! The contract on a simulated chain: what each message does, what it refuses, and what holds always.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod adversarial;
mod auction;
mod callback;
mod cancel;
mod close;
mod documentation;
mod domains;
mod epochs;
mod failures;
mod forbidden;
mod governance;
mod grants;
mod instantiate;
mod key_states;
mod keys_and_strings;
mod log;
mod migration;
mod money;
mod permission;
mod queries;
mod replay;
mod responses;
mod revoked_epoch;
mod schema;
mod submit_request;
mod submit_requests;
mod suite;
mod takeover;
mod treasury;
mod user_decrypt;
mod verify_input;
mod why_pending;
mod withdraw;
