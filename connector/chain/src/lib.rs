//! A Cosmos chain client that knows no KMS type.
//!
//! Everything goes through one CometBFT RPC endpoint: queries and simulation by `abci_query`,
//! sending by `broadcast_tx_sync`, confirmation by reading blocks. No websocket, no gRPC, no
//! transaction indexer is needed.
//!
//! * [`Client`]: status, accounts, balances, contract queries, raw state, blocks, light blocks, proofs of state.
//! * [`BlockFollower`]: contiguous heights, in order, each once.
//! * [`Wallet`]: a secp256k1 key kept in a file of mode 0600.
//! * [`Account`]: the one owner of an account's sequence; simulates, signs, sends, confirms.
//!
//! ```no_run
//! # async fn demo() -> Result<(), kms_chain::Error> {
//! use kms_chain::{Account, AccountConfig, Client, ClientConfig, Coin, TxOptions, Wallet};
//!
//! let client = Client::new(ClientConfig::new("http://127.0.0.1:26657"))?;
//! let wallet = Wallet::load("alice.key".as_ref(), "wasm")?;
//! let config = AccountConfig::new("kms-local", "0.025ucosm".parse()?);
//! let account = Account::new(client.clone(), wallet, config);
//!
//! let message = serde_json::json!({"close": {"request_ids": [1]}});
//! let funds = [Coin::new(1_000, "ucosm")];
//! let outcome = account.execute("wasm1...", &message, &funds, &TxOptions::default()).await?;
//! println!("{} in block {}, {} gas", outcome.hash, outcome.height, outcome.gas_used);
//! # Ok(()) }
//! ```
//!
//! Amounts are `u128` with a denomination, heights `u64`, times whole seconds of block time. Errors
//! carry a stable [`code`](Error::code) and know whether they are
//! [worth a retry](Error::is_retryable).

mod account;
mod block;
mod client;
mod coin;
mod error;
mod event;
mod follow;
mod gas;
mod log_text;
mod message;
mod query;
mod tx;
mod tx_hash;
mod wallet;

#[cfg(test)]
mod fake_node;

pub use account::{Account, AccountConfig};
pub use block::{Block, BlockTime, TxEvents};
pub use client::{Client, ClientConfig};
pub use coin::Coin;
pub use error::{Error, Result};
pub use event::{ContractEvent, Event};
pub use follow::{BlockFollower, BlockSource, Fetched, FollowerConfig};
pub use gas::{Fraction, GasPrice};
pub use log_text::{contract_error, split_code};
pub use message::Message;
pub use query::{AccountInfo, CodeInfo, ContractInfo, LightBlock, ProvenValue, RawValue, Status};
pub use tx::{Broadcast, Failure, Gas, MsgResponse, SignedTx, TxOptions, TxOutcome};
pub use tx_hash::TxHash;
pub use wallet::{Wallet, check_address};
