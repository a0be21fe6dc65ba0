//! Light client and state proofs: what shows that a request is recorded in the contract's state.
//!
//! Pure: no network, no disk, no clock. Whoever verifies brings a header that he trusts ([`VerifiedHeader`]), the time, and
//! bytes from anybody; he gets what those bytes prove, or a typed error. Hostile bytes never panic: their sizes are bounded
//! before they are decoded, and every step of a proof before it is used.
//!
//! ```text
//! trusted header --verify_header--> header of height H + 1 --verify_root--> root of store "wasm" at H --verify_entry--> key, value
//! ```
//!
//! ```text
//! header     headers that were verified, and how they are kept
//! verify     from a trusted header to a newer one
//! root       from a header to the root of a store, from there to keys and values
//! store_key  where the chain keeps the contract, its code and its state
//! wasm       records of the chain's module `wasm`
//! needed     what must be proven for a request
//! testing    a made-up chain whose proofs the verifier accepts (feature `testing`)
//! fuzzing    entry function for fuzzers (feature `testing`)
//! ```

mod address;
mod block;
mod error;
#[cfg(feature = "testing")]
pub mod fuzzing;
mod hash;
mod header;
mod needed;
mod root;
pub mod store_key;
#[cfg(feature = "testing")]
pub mod testing;
mod verify;
pub mod wasm;

pub use address::{ContractAddress, NoContractAddress};
pub use error::{HeaderError, ProofError};
pub use header::{DamagedHeader, Time, VerifiedHeader};
pub use needed::{keys_of_contract, keys_of_destruction, keys_of_request};
pub use root::{MAX_ENTRY_BYTES, MAX_KEY_BYTES, StoreRoot, verify_entry, verify_root};
pub use verify::{MAX_LIGHT_BLOCK_BYTES, TrustOptions, anchor, header_id, verify_header};

/// A header with what it takes to verify it, in CometBFT's protobuf encodings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LightBlock {
    /// `tendermint.types.SignedHeader`
    pub signed_header: Vec<u8>,
    /// `tendermint.types.ValidatorSet` of the header's height.
    pub validators: Vec<u8>,
    /// `tendermint.types.ValidatorSet` of the next height.
    pub next_validators: Vec<u8>,
}

/// One key of store `wasm`, with a proof of its value or of its absence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateEntry {
    /// The whole key in the store.
    pub key: Vec<u8>,
    /// Its value; `None` if the key is absent.
    pub value: Option<Vec<u8>>,
    /// `ics23.CommitmentProof` of the iavl tree.
    pub proof: Vec<u8>,
}

/// Evidence of state at one height. What its verifier has of that height already may be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateProof {
    /// The height of the state; the header of the next height commits to it.
    pub height: u64,
    /// Ascending; the last is that of `height + 1`.
    pub light_blocks: Vec<LightBlock>,
    /// `ics23.CommitmentProof` of the root of store `wasm` under the header's app hash.
    pub store_proof: Vec<u8>,
    /// Keys of that store.
    pub entries: Vec<StateEntry>,
}
