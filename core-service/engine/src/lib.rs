//! Keys, ciphertexts and decryption of the KMS: the only crate that depends on `tfhe`.
//!
//! Everything here is synchronous and knows no chain and no network. Three callers share it: the core makes keys
//! and decrypts ([`Engine`]), clients encrypt ([`Encryptor`]), and both speak of types, plaintexts, handles and
//! digests of published key parts in the same words.
//!
//! # What is promised about hostile bytes
//!
//! Whatever bytes are given, [`DecryptionKey::decrypt`] returns a [`Plaintext`] of the declared type or a
//! [`CiphertextError`]; it neither panics nor allocates more than a small multiple of the input's length. It does *not*
//! promise that changed bytes are refused: an LWE ciphertext is malleable (adding to its body adds to its value), so
//! what binds bytes to a request is their digest, which the caller checks. Nor does it make a decryption oracle
//! safe: whoever may have ciphertexts of his choice decrypted can compute the secret key. `tests/key_recovery.rs`
//! does so. Who may ask is decided by the contract, before this crate is reached.

mod ciphertext;
mod encrypt;
mod engine;
mod error;
mod fhe_type;
mod generate;
mod guard;
mod handle;
mod params;
mod plaintext;
mod published;
mod secret;

pub use encrypt::Encryptor;
pub use engine::{CentralizedEngine, Engine};
pub use error::{CiphertextError, EncryptError, KeyError, UnknownName, ValueError};
pub use fhe_type::FheType;
pub use generate::{KeyMaterial, generate};
pub use handle::Handle;
pub use params::ParameterSet;
pub use plaintext::{Plaintext, payload};
pub use published::{KeyType, PublishedPart, key_digest};
pub use secret::{DecryptionKey, SecretKey};

/// Version of the tfhe library that keys and ciphertexts are read and written with.
pub const TFHE_VERSION: &str = "1.8.2";
