//! Ciphertexts and published key material, kept by the digest of their bytes.
//!
//! What is read has been checked: its size before it is read, its digest before it is returned. So a store needs no trust, only
//! availability: any operator may run one, or copy another's.
//!
//! Layout under the store's URL: `ciphertext/<sha-256>` and `public/<digest of published material>`, digests in lower-case
//! hexadecimal. Objects are written under another name and renamed, so a reader never sees half of one, and what
//! exists may be written again, which mends a damaged object.

mod digest;
mod error;
mod objects;
mod store;

pub use digest::{Digest, Hasher, ParseDigestError};
pub use error::StoreError;
pub use objects::Objects;
pub use store::Store;
