//! Questions to the chain, one family per file. All go through the node's one RPC endpoint.

mod account;
mod balance;
mod block;
mod contract;
mod light_block;
mod proof;
mod status;

pub use account::AccountInfo;
pub use contract::{CodeInfo, ContractInfo, RawValue};
pub use light_block::LightBlock;
pub use proof::ProvenValue;
pub use status::Status;
