//! The daemon's tasks against a contract, a core and a chain that fail in every way that the real ones can.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod destroying;
mod fake_core;
mod fake_ledger;
mod following;
mod posting;
mod proving;
mod scene;
mod tls;
mod watching;
mod working;
