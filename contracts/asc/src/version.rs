//! Which contract this is.

/// Name under which the contract's version is stored.
pub const CONTRACT_NAME: &str = "kms-asc";
/// Version of the contract.
pub const CONTRACT_VERSION: &str = env!("CARGO_PKG_VERSION");
/// Version of the layout of its state. `migrate` has a step from each earlier one.
pub const STATE_VERSION: u32 = 2;
