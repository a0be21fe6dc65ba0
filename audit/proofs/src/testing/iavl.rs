//! A balanced tree whose hashes and proofs have the form of the iavl tree.

use std::collections::BTreeMap;

use ics23::{
    CommitmentProof, ExistenceProof, HashOp, InnerOp, LeafOp, LengthOp, NonExistenceProof,
    commitment_proof::Proof,
};
use prost_ics23::Message as _;

use crate::hash::sha256;

/// The version that all nodes bear.
const VERSION: u64 = 1;

pub(super) struct Tree {
    leaves: Vec<(Vec<u8>, Vec<u8>)>,
    root: Node,
}

enum Node {
    Empty,
    Leaf([u8; 32]),
    Inner(Box<Inner>),
}

struct Inner {
    hash: [u8; 32],
    height: u64,
    size: u64,
    /// How many leaves are to the left.
    left_count: usize,
    left: Node,
    right: Node,
}

impl Tree {
    pub(super) fn of(state: &BTreeMap<Vec<u8>, Vec<u8>>) -> Self {
        let leaves: Vec<_> = state.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        let root = build(&leaves);
        Self { leaves, root }
    }

    pub(super) fn root(&self) -> [u8; 32] {
        self.root.hash()
    }

    /// The key's value and the encoded proof of it, or of its absence.
    pub(super) fn prove(&self, key: &[u8]) -> (Option<Vec<u8>>, Vec<u8>) {
        let found = self.leaves.binary_search_by(|(leaf, _)| leaf.as_slice().cmp(key));
        let (value, proof) = match found {
            Ok(index) => {
                (self.leaves.get(index).map(|leaf| leaf.1.clone()), self.existence(index).map(Proof::Exist))
            }
            Err(index) => {
                let left = index.checked_sub(1).and_then(|left| self.existence(left));
                let absence = NonExistenceProof { key: key.to_vec(), left, right: self.existence(index) };
                (None, Some(Proof::Nonexist(absence)))
            }
        };
        (value, CommitmentProof { proof }.encode_to_vec())
    }

    fn existence(&self, index: usize) -> Option<ExistenceProof> {
        let (key, value) = self.leaves.get(index)?.clone();
        let mut path = Vec::new();
        walk(&self.root, index, &mut path);
        path.reverse();
        Some(ExistenceProof { key, value, leaf: Some(leaf_op()), path })
    }
}

impl Node {
    fn hash(&self) -> [u8; 32] {
        match self {
            Self::Empty => sha256(&[]),
            Self::Leaf(hash) => *hash,
            Self::Inner(inner) => inner.hash,
        }
    }

    const fn height(&self) -> u64 {
        match self {
            Self::Empty | Self::Leaf(_) => 0,
            Self::Inner(inner) => inner.height,
        }
    }
}

fn build(leaves: &[(Vec<u8>, Vec<u8>)]) -> Node {
    match leaves {
        [] => Node::Empty,
        [(key, value)] => Node::Leaf(leaf_hash(key, value)),
        many => {
            let left_count = many.len().div_ceil(2);
            let (left, right) = many.split_at(left_count);
            let (left, right) = (build(left), build(right));
            let height = left.height().max(right.height()).saturating_add(1);
            let size = u64::try_from(many.len()).unwrap_or(u64::MAX);
            let bytes = [head(height, size).as_slice(), &[32], &left.hash(), &[32], &right.hash()].concat();
            Node::Inner(Box::new(Inner { hash: sha256(&bytes), height, size, left_count, left, right }))
        }
    }
}

/// The steps from the root to a leaf.
fn walk(node: &Node, index: usize, path: &mut Vec<InnerOp>) {
    let Node::Inner(inner) = node else { return };
    let head = head(inner.height, inner.size);
    let (next, index, prefix, suffix) = match index.checked_sub(inner.left_count) {
        None => (
            &inner.left,
            index,
            [head.as_slice(), &[32]].concat(),
            [&[32], inner.right.hash().as_slice()].concat(),
        ),
        Some(index) => {
            let prefix = [head.as_slice(), &[32], inner.left.hash().as_slice(), &[32]].concat();
            (&inner.right, index, prefix, Vec::new())
        }
    };
    path.push(InnerOp { hash: HashOp::Sha256.into(), prefix, suffix });
    walk(next, index, path);
}

fn leaf_op() -> LeafOp {
    LeafOp {
        hash: HashOp::Sha256.into(),
        prehash_key: HashOp::NoHash.into(),
        prehash_value: HashOp::Sha256.into(),
        length: LengthOp::VarProto.into(),
        prefix: head(0, 1),
    }
}

fn leaf_hash(key: &[u8], value: &[u8]) -> [u8; 32] {
    let mut bytes = head(0, 1);
    unsigned(&mut bytes, u64::try_from(key.len()).unwrap_or(u64::MAX));
    bytes.extend_from_slice(key);
    bytes.push(32);
    bytes.extend_from_slice(&sha256(value));
    sha256(&bytes)
}

/// Height, size and version, as signed variable-length integers.
fn head(height: u64, size: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in [height, size, VERSION] {
        unsigned(&mut bytes, number.saturating_mul(2));
    }
    bytes
}

fn unsigned(bytes: &mut Vec<u8>, number: u64) {
    prost_ics23::encoding::encode_varint(number, bytes);
}
