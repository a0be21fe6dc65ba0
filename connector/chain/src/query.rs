//! Questions to the chain, one family per file. All go through the node's one RPC endpoint.

mod account;
mod balance;
mod block;
mod contract;
mod status;

pub use account::AccountInfo;
pub use contract::{CodeInfo, ContractInfo, RawValue};
pub use status::Status;
