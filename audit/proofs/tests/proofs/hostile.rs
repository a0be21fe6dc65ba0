//! Bytes from anybody: an error at worst, never a panic.

use std::time::Duration;

use ics23::{CommitmentProof, ExistenceProof, InnerOp, NonExistenceProof, commitment_proof::Proof};
use kms_proofs::{
    LightBlock, MAX_ENTRY_BYTES, MAX_KEY_BYTES, StateEntry, TrustOptions, VerifiedHeader, anchor, header_id,
    testing::{FakeChain, now},
    verify_entry, verify_header, verify_root, wasm,
};
use proptest::prelude::*;
use prost::Message as _;
use prost_ics23::Message as _;

fn options() -> TrustOptions {
    TrustOptions {
        chain_id: "kms-test-1".into(),
        trusting_period: Duration::from_secs(3600 * 24),
        clock_drift: Duration::from_secs(10),
    }
}

fn chain() -> (FakeChain, VerifiedHeader, VerifiedHeader) {
    let mut chain = FakeChain::new("kms-test-1");
    for number in 0..20u8 {
        chain.set_raw(vec![b'k', number], &[number; 40]);
    }
    chain.commit();
    let header = |height| {
        anchor(&chain.light_block(height), height, chain.header_hash(height), &options(), now()).unwrap()
    };
    let (first, second) = (header(1), header(2));
    (chain, first, second)
}

fn encoded(proof: Proof) -> Vec<u8> {
    CommitmentProof { proof: Some(proof) }.encode_to_vec()
}

#[test]
fn sizes_are_bounded_before_anything_is_decoded() {
    let (chain, first, second) = chain();
    let large = vec![0; (1 << 20) + 1];
    for part in 0..3 {
        let mut block = chain.light_block(2);
        *[&mut block.signed_header, &mut block.validators, &mut block.next_validators][part] = large.clone();
        assert_eq!(verify_header(&first, &block, &options(), now()).unwrap_err().code(), "header_too_large");
    }
    let root = verify_root(&second, &chain.store_proof(1)).unwrap();
    let honest = chain.entry(1, &[b'k', 3]);
    let key = StateEntry { key: vec![1; MAX_KEY_BYTES + 1], ..honest.clone() };
    let proof = StateEntry { proof: vec![1; MAX_ENTRY_BYTES + 1], ..honest };
    for entry in [key, proof] {
        assert_eq!(verify_entry(&root, &entry).unwrap_err().code(), "proof_too_large");
    }
    assert_eq!(verify_root(&second, &vec![1; MAX_ENTRY_BYTES + 1]).unwrap_err().code(), "proof_too_large");
}

#[test]
fn ways_that_never_part_or_have_no_end_are_refused() {
    let (chain, _, second) = chain();
    let root = verify_root(&second, &chain.store_proof(1)).unwrap();
    let honest = CommitmentProof::decode(chain.entry(1, &[b'k', 3]).proof.as_slice()).unwrap();
    let Some(Proof::Exist(existence)) = honest.proof else { panic!("existence") };
    let absent = |left: Option<ExistenceProof>, right: Option<ExistenceProof>| StateEntry {
        key: vec![b'k', 3, 1],
        value: None,
        proof: encoded(Proof::Nonexist(NonExistenceProof { key: vec![b'k', 3, 1], left, right })),
    };
    let pathless = ExistenceProof { path: Vec::new(), ..existence.clone() };
    for entry in [
        absent(Some(existence.clone()), Some(existence.clone())),
        absent(Some(pathless.clone()), Some(pathless.clone())),
        absent(Some(existence.clone()), Some(pathless)),
        absent(None, None),
    ] {
        assert!(verify_entry(&root, &entry).is_err());
    }
    let endless = ExistenceProof { path: vec![InnerOp::default(); 97], ..existence };
    let deep = StateEntry {
        key: endless.key.clone(),
        value: Some(endless.value.clone()),
        proof: encoded(Proof::Exist(endless)),
    };
    assert_eq!(verify_entry(&root, &deep).unwrap_err().code(), "proof_too_large");
}

fn block_bytes() -> impl Strategy<Value = (usize, usize, u8)> {
    (0usize..3, any::<usize>(), 1u8..)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_changed_byte_of_a_light_block_is_refused_or_changes_nothing_that_counts(
        (part, at, flip) in block_bytes()
    ) {
        let (chain, first, second) = chain();
        let mut block = chain.light_block(2);
        let bytes = [&mut block.signed_header, &mut block.validators, &mut block.next_validators];
        let [a, b, c] = bytes;
        let bytes = match part { 0 => a, 1 => b, _ => c };
        let at = at % bytes.len();
        bytes[at] ^= flip;
        if let Ok(verified) = verify_header(&first, &block, &options(), now()) {
            prop_assert_eq!(verified.hash(), second.hash());
            prop_assert_eq!(verified.encode(), second.encode());
        }
    }

    #[test]
    fn a_changed_byte_of_a_proof_is_refused_or_changes_nothing_that_counts(
        key in 0u8..25, at in any::<usize>(), flip in 1u8..
    ) {
        let (chain, _, second) = chain();
        let root = verify_root(&second, &chain.store_proof(1)).unwrap();
        let mut entry = chain.entry(1, &[b'k', key]);
        let at = at % entry.proof.len();
        entry.proof[at] ^= flip;
        // Key and value are the honest ones: whatever is accepted says what is so.
        let _ = verify_entry(&root, &entry);
        let mut value = chain.entry(1, &[b'k', 3]);
        value.value = Some(vec![flip; 40]);
        let changed = flip != 3;
        prop_assert!(!changed || verify_entry(&root, &value).is_err());
        let mut store = chain.store_proof(1);
        let at = at % store.len();
        store[at] ^= flip;
        if let Ok(given) = verify_root(&second, &store) {
            prop_assert_eq!(given, root);
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let (chain, first, second) = chain();
        let block = LightBlock {
            signed_header: bytes.clone(), validators: bytes.clone(), next_validators: bytes.clone(),
        };
        prop_assert!(header_id(&block).is_err());
        // What is said of hostile bytes fits a status of gRPC.
        let refused = verify_header(&first, &block, &options(), now()).unwrap_err().to_string();
        prop_assert!(refused.len() < 1000 && !refused.contains('\n'), "{}", refused);
        prop_assert!(verify_root(&second, &bytes).is_err());
        let root = verify_root(&second, &chain.store_proof(1)).unwrap();
        for value in [None, Some(bytes.clone())] {
            let entry = StateEntry { key: b"k".to_vec(), value, proof: bytes.clone() };
            prop_assert!(verify_entry(&root, &entry).is_err());
        }
        let _ = VerifiedHeader::decode(&bytes);
        let _ = wasm::ContractInfo::decode(bytes.as_slice());
        let _ = wasm::HistoryEntry::decode(bytes.as_slice());
    }
}
