//! The ASC: the ledger and audit log of the KMS. It records requests, payments, answers and refusals, checks
//! every signature, holds prices in escrow, pays operators and refunds requesters, and chains every change
//! into a log that nobody can shorten or rewrite.
//!
//! `contract` holds the entry points; `execute` and `query` one file per message family; `session` is what a
//! message works on. Decisions (`decision`) and permission (`permission`) are functions of their arguments.

#![deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, clippy::float_arithmetic)]

mod accounts;
mod activation;
mod callback;
pub mod contract;
mod decision;
mod domain;
mod error;
mod execute;
mod instantiate;
mod migrate;
mod permission;
mod query;
mod refund;
mod reply;
mod session;
mod settlement;
mod signer;
mod validate;
mod version;

pub use error::ContractError;
