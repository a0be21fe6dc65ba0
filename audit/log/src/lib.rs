//! The second, independent way to the contract's state: a fold over the entries of its log and the bodies of
//! its requests, each checked by its hash. No I/O and none of the contract's code.
//!
//! [`Replay`] is strict. An entry that could not follow from what came before it is an error that says why:
//! somebody acted who may not, money appeared or vanished, a finished request moved, an entry is missing. What
//! the log alone cannot show is not judged: the payloads of answers (the log has their hashes), the signatures
//! on them, and what was sent to the contract by no request.
//!
//! [`Ledger`] is what comes of it; [`Ledger::expected_state`] gives it key by key as it must stand in the
//! contract's state, and [`Ledger::operators`] what each operator has done.

mod answer;
mod birth;
mod ending;
mod error;
mod expected;
mod governance;
mod key;
mod ledger;
mod money;
mod operator;
mod replay;
mod submission;
mod terms;

pub use error::{ReplayError, Violation};
pub use expected::{Difference, Expected};
pub use ledger::{Ending, Ledger, Request, Said};
pub use operator::OperatorRecord;
pub use replay::Replay;
