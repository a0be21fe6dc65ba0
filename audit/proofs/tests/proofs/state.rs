use std::time::Duration;

use kms_proofs::{
    ProofError, StateEntry, StoreRoot, TrustOptions, VerifiedHeader, anchor, store_key,
    testing::{FakeChain, now},
    verify_entry, verify_root,
};

fn header(chain: &FakeChain, height: u64) -> VerifiedHeader {
    let options = TrustOptions {
        chain_id: chain.chain_id().into(),
        trusting_period: Duration::from_secs(3600 * 24),
        clock_drift: Duration::from_secs(10),
    };
    anchor(&chain.light_block(height), height, chain.header_hash(height), &options, now()).unwrap()
}

fn root(chain: &FakeChain, height: u64) -> StoreRoot {
    verify_root(&header(chain, height + 1), &chain.store_proof(height)).unwrap()
}

fn key(number: u32) -> Vec<u8> {
    format!("key {number:04}").into_bytes()
}

/// Keys 2, 4, 6 and so on.
fn chain_of(count: u32) -> (FakeChain, u64) {
    let mut chain = FakeChain::new("kms-test-1");
    for number in 1..=count {
        chain.set_raw(key(2 * number), format!("value {number}").as_bytes());
    }
    let height = chain.commit();
    (chain, height)
}

#[test]
fn every_key_of_trees_of_every_small_size_is_proven_and_every_gap_is_proven_absent() {
    for count in (1..=20).chain([100]) {
        let (chain, height) = chain_of(count);
        let root = root(&chain, height);
        assert_eq!(root.height(), height);
        for number in 0..=2 * count + 2 {
            let entry = chain.entry(height, &key(number));
            assert_eq!(entry.value.is_some(), number > 0 && number % 2 == 0 && number <= 2 * count);
            verify_entry(&root, &entry).unwrap_or_else(|error| panic!("{count} keys, {number}: {error}"));
        }
    }
}

fn refused(root: &StoreRoot, entry: &StateEntry) -> &'static str {
    verify_entry(root, entry).unwrap_err().code()
}

#[test]
fn another_value_or_key_than_proven_is_refused() {
    let (chain, height) = chain_of(10);
    let root = root(&chain, height);
    let honest = chain.entry(height, &key(4));
    assert!(verify_entry(&root, &honest).is_ok());
    let other_value = StateEntry { value: Some(b"value 3".to_vec()), ..honest.clone() };
    assert_eq!(refused(&root, &other_value), "not_proven");
    let other_key = StateEntry { key: key(6), ..honest.clone() };
    assert_eq!(refused(&root, &other_key), "not_proven");
    let absent = StateEntry { value: None, ..honest };
    assert_eq!(refused(&root, &absent), "proof_malformed");
}

#[test]
fn a_present_key_cannot_be_shown_absent() {
    let (chain, height) = chain_of(10);
    let root = root(&chain, height);
    let gap = chain.entry(height, &key(5));
    assert!(verify_entry(&root, &gap).is_ok());
    for present in [4, 6, 8, 2, 20] {
        assert_eq!(refused(&root, &StateEntry { key: key(present), ..gap.clone() }), "not_proven");
    }
    let valued = StateEntry { value: Some(b"value".to_vec()), ..gap };
    assert_eq!(refused(&root, &valued), "proof_malformed");
}

#[test]
fn a_proof_holds_at_its_own_height_only() {
    let (mut chain, height) = chain_of(10);
    chain.set_raw(key(100), b"later");
    let later = chain.commit();
    assert_eq!(refused(&root(&chain, later), &chain.entry(height, &key(4))), "not_proven");
    assert_eq!(refused(&root(&chain, height), &chain.entry(later, &key(100))), "not_proven");
    let error = verify_root(&header(&chain, later + 1), &chain.store_proof(height)).unwrap_err();
    assert_eq!(error, ProofError::NotProven { key: "wasm".into(), height: later });
}

#[test]
fn the_root_is_that_of_the_store_wasm() {
    let (chain, height) = chain_of(10);
    // An entry's proof is no proof of a store, nor the other way round.
    let entry = chain.entry(height, &key(4));
    assert!(verify_root(&header(&chain, height + 1), &entry.proof).is_err());
    let root = root(&chain, height);
    let swapped = StateEntry { proof: chain.store_proof(height), ..entry };
    assert_eq!(refused(&root, &swapped), "not_proven");
}

#[test]
fn absence_is_proven_beside_a_key_without_a_value_and_that_key_is_not_absent() {
    let (mut chain, _) = chain_of(3);
    chain.set_raw(key(8), &[]);
    let height = chain.commit();
    let root = root(&chain, height);
    let gaps = [key(7), key(9)].map(|gap| chain.entry(height, &gap));
    for gap in gaps {
        assert_eq!((verify_entry(&root, &gap), gap.value.clone()), (Ok(()), None));
        assert_eq!(refused(&root, &StateEntry { key: key(8), ..gap }), "not_proven");
    }
}

#[test]
fn the_history_of_code_ends_where_absence_is_proven() {
    let mut chain = FakeChain::new("kms-test-1");
    chain.install(1, [1; 32]);
    chain.install(7, [2; 32]);
    let height = chain.commit();
    let root = root(&chain, height);
    let address = *chain.contract().bytes();
    for position in 1..=4 {
        let entry = chain.entry(height, &store_key::code_history(&address, position));
        assert!(verify_entry(&root, &entry).is_ok());
        assert_eq!(entry.value.is_some(), position <= 2);
    }
}
