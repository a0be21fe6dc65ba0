//! The operator's daemon: follows the contract, hands each request to the operator's core, posts the core's
//! signed answer back.
//!
//! Contract state is the truth, events are hints for speed, the daemon's own store is a cache. Whatever happens to
//! the process, no request is lost and no answer is paid twice: rows and cursor change in one transaction, a signed
//! transaction is stored before it is sent, and what is done is read from the contract's state.
//!
//! * [`follow`] reads blocks, [`hint`] their events; [`reconcile`] reads state.
//! * [`machine`] has the rules of a row's life, [`inbox`] keeps the rows.
//! * [`work`] has the [`core`] answer, with the bytes of [`ciphertexts`] and the [`evidence`] that the request is
//!   recorded; [`destroy`] has it destroy keys.
//! * [`post`] puts answers into a [`batch`] and sends it, [`settle`] sees it to its end; [`strikes`] remembers what the
//!   chain does not take.
//! * [`daemon`] runs all of it; [`health`], [`watch`], [`metrics`] and [`admin`] show how it does.

pub mod admin;
pub mod backoff;
pub mod batch;
pub mod ciphertexts;
pub mod config;
pub mod core;
pub mod daemon;
pub mod destroy;
pub mod evidence;
pub mod failpoint;
pub mod follow;
pub mod health;
pub mod hint;
pub mod inbox;
pub mod item;
pub mod ledger;
pub mod machine;
pub mod metrics;
pub mod post;
pub mod program;
pub mod reconcile;
pub mod settle;
pub mod strikes;
pub mod watch;
pub mod work;

#[cfg(test)]
mod fixture;
