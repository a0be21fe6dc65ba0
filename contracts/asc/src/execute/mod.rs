//! What messages do, one file per family.

mod close;
mod form;
mod intake;
mod submit_request;
mod withdraw;

pub use close::close;
pub use intake::{submit_failures, submit_responses};
pub use submit_request::submit_request;
pub use withdraw::withdraw;
