//! Keys, ciphertexts and decryption of the KMS: the only crate that depends on `tfhe`.
//!
//! Everything here is synchronous and knows no chain and no network. Three callers share it: the core makes keys and
//! reference strings, decrypts and judges inputs ([`Engine`]), clients encrypt ([`Encryptor`]) and prove ([`Prover`]), and
//! all speak of types, plaintexts, handles and digests of published material in the same words.
//!
//! # What is promised about hostile bytes
//!
//! Whatever bytes are given, [`DecryptionKey::decrypt`] returns a [`Plaintext`] of the declared type or a
//! [`CiphertextError`] for each element, and [`InputVerifier::verify`] types or an [`InputError`]; they neither panic nor
//! abort, nor allocate more than a small multiple of the input's length. They do *not* promise that changed bytes are
//! refused: an LWE ciphertext is malleable (adding to its body adds to its value), so what binds bytes to a request is their
//! digest, which the caller checks. A proof binds ciphertexts and metadata, but neither the types of a list's elements nor
//! its tag. Nor do they make a decryption oracle safe: whoever may have ciphertexts of his choice decrypted can compute the
//! secret key. `tests/engine/key_recovery.rs` does so. Who may ask is decided by the contract, before this crate is reached.
//!
//! Lists are decrypted by way of the private layout of the pinned version of `tfhe`. Call [`self_test`] once at start: it
//! finds out whether this build still has that layout.

mod ciphertext;
mod crs;
mod encrypt;
mod engine;
mod error;
mod fhe_type;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod generate;
mod golden;
mod guard;
mod handle;
mod input;
mod lwe;
mod material;
mod params;
mod plaintext;
mod published;
mod secret;
mod self_test;
mod shape;

pub use ciphertext::{CiphertextFormat, Decryption, Element};
pub use crs::{MAX_CRS_BITS, ReferenceString, generate_crs};
pub use encrypt::{Encryptor, Prover};
pub use engine::{CentralizedEngine, Engine};
pub use error::{CiphertextError, CrsError, EncryptError, InputError, KeyError, UnknownName, ValueError};
pub use fhe_type::FheType;
pub use generate::{KeyMaterial, generate};
pub use handle::Handle;
pub use input::{InputVerifier, MAX_ELEMENTS};
pub use material::check_material;
pub use params::ParameterSet;
pub use plaintext::{Plaintext, payload};
pub use published::{KeyType, PublishedPart, crs_digest, key_digest};
pub use secret::{DecryptionKey, SecretKey};
pub use self_test::{SelfTestError, self_test};

/// Version of the tfhe library that keys and ciphertexts are read and written with.
pub const TFHE_VERSION: &str = "1.8.2";
