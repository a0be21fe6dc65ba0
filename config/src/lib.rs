//! Configuration files and the description of a network.
//!
//! Every program of the KMS has one TOML file of its own, which names the one file that describes
//! the network ([`Network`]). A file that cannot be read, or says something that its reader does not
//! know, is an error that names file, line and field: nothing ever falls back to defaults.

/// A description of a network with every field explained.
pub const NETWORK_TEMPLATE: &str = include_str!("../network.example.toml");

mod error;
mod load;
mod network;
mod secret;

pub use error::ConfigError;
pub use load::{load, relative_to};
pub use network::{Decimal, KeyDomain, Network};
pub use secret::{read_secret, write_secret, write_whole_file};
