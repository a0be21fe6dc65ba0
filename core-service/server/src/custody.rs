//! Who may open a vault, and how its content leaves and enters it.

mod passphrase;
mod pkcs11;
mod prepare;
mod wrapper;

pub(crate) use prepare::prepare;
pub(crate) use wrapper::wrapper_of;
pub use wrapper::{KeyWrapper, WrapError, Wrapped};
