//! The tree over the chain's stores, in the form of CometBFT's simple Merkle tree.

use ics23::{CommitmentProof, ExistenceProof, HashOp, InnerOp, LeafOp, LengthOp, commitment_proof::Proof};
use prost_ics23::Message as _;

use crate::hash::sha256;

/// Root of each store, by name.
pub(super) struct Stores(Vec<(&'static [u8], [u8; 32])>);

const WASM: &[u8] = b"wasm";

impl Stores {
    /// A few stores, among them `wasm` with its root.
    pub(super) fn with_wasm(root: [u8; 32]) -> Self {
        let other = |name: &'static [u8]| (name, sha256(name));
        Self(vec![other(b"auth"), other(b"bank"), other(b"staking"), other(b"upgrade"), (WASM, root)])
    }

    pub(super) fn root(&self) -> [u8; 32] {
        root(&self.leaves())
    }

    pub(super) fn proof_of_wasm(&self) -> Vec<u8> {
        let index = self.0.iter().position(|(name, _)| *name == WASM).unwrap_or(0);
        let mut path = Vec::new();
        walk(&self.leaves(), index, &mut path);
        let value = self.0.get(index).map(|(_, root)| root.to_vec()).unwrap_or_default();
        let leaf = LeafOp {
            hash: HashOp::Sha256.into(),
            prehash_key: HashOp::NoHash.into(),
            prehash_value: HashOp::Sha256.into(),
            length: LengthOp::VarProto.into(),
            prefix: vec![0],
        };
        let existence = ExistenceProof { key: WASM.to_vec(), value, leaf: Some(leaf), path };
        CommitmentProof { proof: Some(Proof::Exist(existence)) }.encode_to_vec()
    }

    fn leaves(&self) -> Vec<[u8; 32]> {
        let leaf = |(name, root): &(&[u8], [u8; 32])| {
            let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
            sha256(&[&[0, length], *name, &[32], &sha256(root)].concat())
        };
        self.0.iter().map(leaf).collect()
    }
}

fn root(leaves: &[[u8; 32]]) -> [u8; 32] {
    match leaves {
        [] => sha256(&[]),
        [leaf] => *leaf,
        many => {
            let (left, right) = many.split_at(split(many.len()));
            sha256(&[[1].as_slice(), &root(left), &root(right)].concat())
        }
    }
}

/// The steps from a leaf to the root.
fn walk(leaves: &[[u8; 32]], index: usize, path: &mut Vec<InnerOp>) {
    if leaves.len() < 2 {
        return;
    }
    let middle = split(leaves.len());
    let (left, right) = leaves.split_at(middle);
    let (prefix, suffix) = match index.checked_sub(middle) {
        None => {
            walk(left, index, path);
            (vec![1], root(right).to_vec())
        }
        Some(index) => {
            walk(right, index, path);
            ([[1].as_slice(), &root(left)].concat(), Vec::new())
        }
    };
    path.push(InnerOp { hash: HashOp::Sha256.into(), prefix, suffix });
}

/// The largest power of two below the number of leaves.
const fn split(count: usize) -> usize {
    let power = count.next_power_of_two();
    power / 2
}
