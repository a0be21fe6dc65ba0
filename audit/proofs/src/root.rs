//! From a header to the root of store `wasm`, and from there to its keys.

use ics23::{
    CommitmentProof, ExistenceProof, HashOp, NonExistenceProof, ProofSpec, commitment_proof::Proof,
    iavl_spec, tendermint_spec, verify_membership, verify_non_membership,
};
use prost_ics23::Message as _;

use crate::{
    ProofError, StateEntry, VerifiedHeader,
    error::brief,
    hash::{Sha256Only, sha256},
};

/// The store of the chain's module `wasm`.
const STORE: &[u8] = b"wasm";
/// Largest proof: absence carries both neighbours with their values, of up to 128 KiB each.
pub const MAX_ENTRY_BYTES: usize = 512 << 10;
/// Largest key of the store.
pub const MAX_KEY_BYTES: usize = 1 << 10;
/// A balanced tree of 2^60 keys is less deep.
const MAX_DEPTH: usize = 96;

/// The root of store `wasm` at one height, proven from a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreRoot {
    height: u64,
    root: Vec<u8>,
}

impl StoreRoot {
    /// The height of the state.
    pub const fn height(&self) -> u64 {
        self.height
    }
}

/// Verifies the proof of the store's root (`ics23:simple`) under the app hash of a header.
///
/// # Errors
/// If the proof does not decode or does not lead there.
pub fn verify_root(header: &VerifiedHeader, store_proof: &[u8]) -> Result<StoreRoot, ProofError> {
    let height = header.state_height();
    let proof = decode("store_proof", store_proof)?;
    let Some(Proof::Exist(existence)) = &proof.proof else {
        return Err(malformed("the store's proof is no proof of existence"));
    };
    check_depth(existence)?;
    // The root of a tree is a hash; anything else is no root that a key could be proven under.
    if existence.value.len() != 32 {
        return Err(malformed("the store's root is not of 32 bytes"));
    }
    let root = existence.value.clone();
    match verify_membership::<Sha256Only>(&proof, &tendermint_spec(), &header.app_hash, STORE, &root) {
        true => Ok(StoreRoot { height, root }),
        false => Err(ProofError::NotProven { key: "wasm".to_owned(), height }),
    }
}

/// Verifies that a key has its value, or is absent, under a store's root (`ics23:iavl`).
///
/// # Errors
/// If the proof does not decode or does not lead there.
pub fn verify_entry(root: &StoreRoot, entry: &StateEntry) -> Result<(), ProofError> {
    bound("key", entry.key.len(), MAX_KEY_BYTES)?;
    let proof = decode("proof", &entry.proof)?;
    let proven = match (&proof.proof, &entry.value) {
        (Some(Proof::Exist(existence)), Some(value)) => {
            check_depth(existence)?;
            verify_membership::<Sha256Only>(&proof, &iavl_spec(), &root.root, &entry.key, value)
        }
        (Some(Proof::Nonexist(absence)), None) => {
            check_neighbours(absence)?;
            let absence = with_hashed_values(absence)?;
            verify_non_membership::<Sha256Only>(&absence, &hashed_values_spec(), &root.root, &entry.key)
        }
        (Some(Proof::Exist(_)), None) => {
            return Err(malformed("a proof of existence given for an absent key"));
        }
        (Some(Proof::Nonexist(_)), Some(_)) => {
            return Err(malformed("a proof of absence given for a key with a value"));
        }
        _ => return Err(malformed("a batch or nothing given, one proof of existence or absence allowed")),
    };
    match proven {
        true => Ok(()),
        false => Err(ProofError::NotProven { key: hex::encode(&entry.key), height: root.height }),
    }
}

fn decode(part: &'static str, bytes: &[u8]) -> Result<CommitmentProof, ProofError> {
    bound(part, bytes.len(), MAX_ENTRY_BYTES)?;
    CommitmentProof::decode(bytes).map_err(|error| ProofError::Malformed {
        reason: format!("{part} does not decode: {}", brief(&error)),
    })
}

const fn bound(part: &'static str, given: usize, allowed: usize) -> Result<(), ProofError> {
    if given <= allowed { Ok(()) } else { Err(ProofError::TooLarge { part, given, allowed }) }
}

fn check_depth(existence: &ExistenceProof) -> Result<(), ProofError> {
    bound("path", existence.path.len(), MAX_DEPTH)
}

/// The library looks for the step at which the ways to both neighbours part, and takes for granted that there is one.
fn check_neighbours(absence: &NonExistenceProof) -> Result<(), ProofError> {
    for neighbour in absence.left.iter().chain(&absence.right) {
        check_depth(neighbour)?;
    }
    let (Some(left), Some(right)) = (&absence.left, &absence.right) else { return Ok(()) };
    let part = left
        .path
        .iter()
        .rev()
        .zip(right.path.iter().rev())
        .any(|(left, right)| left.prefix != right.prefix || left.suffix != right.suffix);
    match part {
        true => Ok(()),
        false => Err(malformed("the ways to both neighbours never part")),
    }
}

/// The same proof with the neighbours' values hashed already. The library refuses empty values, and the chain has keys
/// without one: those of its index of contracts by code, which follow the history of code. A leaf's hash covers the
/// hash of its value, so nothing else changes.
fn with_hashed_values(absence: &NonExistenceProof) -> Result<CommitmentProof, ProofError> {
    let mut hashed = absence.clone();
    for neighbour in hashed.left.iter_mut().chain(&mut hashed.right) {
        let leaf = neighbour.leaf.as_mut().filter(|leaf| leaf.prehash_value == i32::from(HashOp::Sha256));
        let leaf = leaf.ok_or_else(|| malformed("a neighbour's value is not hashed by SHA-256"))?;
        leaf.prehash_value = HashOp::NoHash.into();
        neighbour.value = sha256(&neighbour.value).to_vec();
    }
    Ok(CommitmentProof { proof: Some(Proof::Nonexist(hashed)) })
}

/// The tree's specification for leaves whose values are hashed already.
fn hashed_values_spec() -> ProofSpec {
    let mut spec = iavl_spec();
    if let Some(leaf) = &mut spec.leaf_spec {
        leaf.prehash_value = HashOp::NoHash.into();
    }
    spec
}

fn malformed(reason: &str) -> ProofError {
    ProofError::Malformed { reason: reason.to_owned() }
}
