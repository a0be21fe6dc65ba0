//! The envelope of a user decryption, both ends: a party of the KMS signs a plaintext, then encrypts both to the user's key.
//!
//! Bytes are those that `node-tkms` 0.12.8 reads (`docs/formats.md`). What is encrypted is deterministic in the [`Coins`]: the same
//! coins for the same plaintext give the same bytes, the same coins for two plaintexts give both away.

mod error;
mod open;
mod seal;
mod user_key;
mod wire;

pub use error::{InvalidUserKey, OpenError, RandomnessUnavailable, SealError};
pub use open::{Expected, Opened};
pub use seal::{Coins, Recipient};
pub use user_key::{SEED_LEN, UserKey};
