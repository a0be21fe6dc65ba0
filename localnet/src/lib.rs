//! Starts and stops a whole KMS on one machine: a chain, the ASC on it, a core and a connector.
//!
//! A [`Stack`] owns one folder, in which everything of it lies: `network.toml`, which every program
//! reads, keys, chain data, logs, and a file per running process, so that another process can stop
//! the stack. Two stacks share nothing: each has free ports and accounts of its own.
//!
//! ```no_run
//! # async fn run() -> anyhow::Result<()> {
//! use kms_localnet::{Lifetime, Stack, StackOptions};
//!
//! let options = StackOptions::new(Lifetime::Owned);
//! let mut stack = Stack::create(".localnet/example".as_ref(), "example", options).await?;
//! stack.start_chain().await?;
//! println!("{}", stack.network().rpc_url);
//! stack.stop().await?;
//! # Ok(()) }
//! ```

mod account;
mod deploy;
mod governance;
mod layout;
mod network;
mod node;
mod operator;
mod options;
mod pins;
mod ports;
mod process;
mod programs;
mod readiness;
mod stack;
mod supervisor;
mod terms;

pub use account::AccountName;
pub use deploy::Deployment;
pub use layout::Layout;
pub use options::StackOptions;
pub use pins::{EpochPin, Pins};
pub use programs::Programs;
pub use stack::{Stack, check_stack_name};
pub use supervisor::{Lifetime, ProcessStatus};
