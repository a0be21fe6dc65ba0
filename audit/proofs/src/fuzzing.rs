//! Entry function for fuzzers, and what it can start from.

use std::{sync::LazyLock, time::Duration};

use prost::Message;

use crate::{
    LightBlock, StateEntry, StoreRoot, TrustOptions, VerifiedHeader, header_id, store_key,
    testing::{FakeChain, now},
    verify_entry, verify_header, verify_root, wasm,
};

/// What is verified: a light block in fields 1 to 3, a store's proof in field 4, an entry in fields 5 to 7. Field 6 is missing
/// where a key is absent.
#[derive(Clone, PartialEq, Message)]
struct Shown {
    #[prost(bytes = "vec", tag = "1")]
    signed_header: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    validators: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    next_validators: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    store_proof: Vec<u8>,
    #[prost(bytes = "vec", tag = "5")]
    key: Vec<u8>,
    #[prost(bytes = "vec", optional, tag = "6")]
    value: Option<Vec<u8>>,
    #[prost(bytes = "vec", tag = "7")]
    proof: Vec<u8>,
}

/// A chain, and what is true of it.
struct Truth {
    chain: FakeChain,
    options: TrustOptions,
    trusted: VerifiedHeader,
    header: VerifiedHeader,
    root: StoreRoot,
}

/// Heights of the chain: what is trusted, what is skipped to.
const TRUSTED: u64 = 2;

static TRUTH: LazyLock<Option<Truth>> = LazyLock::new(truth);

fn truth() -> Option<Truth> {
    let mut chain = FakeChain::new("kms-fuzz-1");
    chain.install(7, [0xC0; 32]);
    for position in 0..20_u8 {
        chain.set(&[b'k', position], &[position; 40]);
    }
    chain.set(b"empty", b"");
    let state_height = chain.commit();
    chain.advance_to(TRUSTED + 6);
    let day = Duration::from_secs(24 * 3600);
    let options = TrustOptions {
        chain_id: chain.chain_id().to_owned(),
        trusting_period: day,
        clock_drift: Duration::from_secs(10),
    };
    let (at, hash) = (chain.light_block(1), chain.header_hash(1));
    let first = crate::anchor(&at, 1, hash, &options, now()).ok()?;
    let trusted = verify_header(&first, &chain.light_block(TRUSTED), &options, now()).ok()?;
    let header = match state_height + 1 {
        TRUSTED => trusted.clone(),
        height => verify_header(&trusted, &chain.light_block(height), &options, now()).ok()?,
    };
    let root = verify_root(&header, &chain.store_proof(state_height)).ok()?;
    Some(Truth { chain, options, trusted, header, root })
}

/// Verifies bytes as a light block, as the proof of a store's root, or as an entry of state, and reads them as records of the
/// chain: a kind (1 byte), then a protobuf message of what is shown.
///
/// # Panics
/// On a finding: a panic below, or something accepted that is not true of the chain.
pub fn proof(data: &[u8]) {
    let truth = TRUTH.as_ref();
    assert!(truth.is_some(), "the chain cannot be verified");
    let (Some(truth), [kind, message @ ..]) = (truth, data) else { return };
    match kind % 4 {
        3 => records(message),
        kind => verify(truth, kind, message),
    }
}

fn verify(truth: &Truth, kind: u8, message: &[u8]) {
    let Ok(shown) = Shown::decode(message) else { return };
    match kind {
        0 => light_block(truth, &shown),
        1 => {
            if let Ok(root) = verify_root(&truth.header, &shown.store_proof) {
                assert_eq!(root, truth.root, "another root was accepted");
            }
        }
        _ => {
            let entry = StateEntry { key: shown.key, value: shown.value, proof: shown.proof };
            if verify_entry(&truth.root, &entry).is_ok() {
                let value = truth.chain.get_raw(&entry.key);
                assert_eq!(entry.value.as_deref(), value, "what is not so was accepted of {:?}", entry.key);
            }
        }
    }
}

fn light_block(truth: &Truth, shown: &Shown) {
    let block = LightBlock {
        signed_header: shown.signed_header.clone(),
        validators: shown.validators.clone(),
        next_validators: shown.next_validators.clone(),
    };
    let claimed = header_id(&block);
    if let Ok(header) = verify_header(&truth.trusted, &block, &truth.options, now()) {
        let (height, hash) = (header.height(), header.hash());
        assert_eq!(hash, truth.chain.header_hash(height), "another header was accepted");
        assert!(claimed.is_ok_and(|claimed| claimed == (height, hash)), "the claim is another header");
        let kept = VerifiedHeader::decode(&header.encode());
        assert!(kept.is_ok_and(|kept| kept == header), "a header is not kept as it is");
    }
}

/// Records come with proofs, so no other bytes are read as such in earnest; they must not harm all the same.
fn records(bytes: &[u8]) {
    wasm::ContractInfo::decode(bytes).ok();
    wasm::CodeInfo::decode(bytes).ok();
    wasm::HistoryEntry::decode(bytes).ok();
    VerifiedHeader::decode(bytes).ok();
}

/// What [`proof`] accepts.
///
/// # Panics
/// If the chain cannot be verified.
pub fn proof_seeds() -> Vec<Vec<u8>> {
    let truth = TRUTH.as_ref();
    assert!(truth.is_some(), "the chain cannot be verified");
    truth.map(seeds_of).unwrap_or_default()
}

fn seeds_of(truth: &Truth) -> Vec<Vec<u8>> {
    let Truth { chain, root, .. } = truth;
    let mut shown = Vec::new();
    // The next one, and one that skips some.
    for height in [TRUSTED + 1, TRUSTED + 5] {
        let LightBlock { signed_header, validators, next_validators } = chain.light_block(height);
        shown.push((0, Shown { signed_header, validators, next_validators, ..Shown::default() }));
    }
    shown.push((1, Shown { store_proof: chain.store_proof(root.height()), ..Shown::default() }));
    let own = |key: &[u8]| store_key::contract_state(chain.contract().bytes(), key);
    // Present; absent beside an empty value, between others, before all and after all.
    for key in [own(b"k\x05"), own(b"empty\x01"), own(b"k\x05\x01"), vec![0], vec![0xFF; 8]] {
        let StateEntry { key, value, proof } = chain.entry(root.height(), &key);
        shown.push((2, Shown { key, value, proof, ..Shown::default() }));
    }
    let mut seeds: Vec<_> = shown.iter().map(|(kind, shown)| seed(*kind, &shown.encode_to_vec())).collect();
    let address = chain.contract().bytes();
    let records =
        [store_key::contract_info(address), store_key::code_history(address, 1), store_key::code_info(7)];
    seeds.extend(records.iter().filter_map(|key| chain.get_raw(key)).map(|record| seed(3, record)));
    seeds.push(seed(3, &truth.trusted.encode()));
    seeds
}

fn seed(kind: u8, bytes: &[u8]) -> Vec<u8> {
    [&[kind], bytes].concat()
}

#[cfg(test)]
mod tests {
    use kms_fuzz_input::{Corpus, Shape};

    use super::*;

    #[test]
    fn every_seed_is_accepted() {
        let truth = TRUTH.as_ref().unwrap();
        let seeds = proof_seeds();
        assert_eq!(seeds.len(), 12);
        for seed in &seeds {
            proof(seed);
            let Ok(shown) = Shown::decode(&seed[1..]) else {
                assert_eq!(seed[0], 3);
                continue;
            };
            let block = LightBlock {
                signed_header: shown.signed_header,
                validators: shown.validators,
                next_validators: shown.next_validators,
            };
            let entry = StateEntry { key: shown.key, value: shown.value, proof: shown.proof };
            match seed[0] {
                0 => drop(verify_header(&truth.trusted, &block, &truth.options, now()).unwrap()),
                1 => drop(verify_root(&truth.header, &shown.store_proof).unwrap()),
                2 => verify_entry(&truth.root, &entry).unwrap(),
                _ => {}
            }
        }
    }

    #[test]
    fn a_minute_of_random_proofs_never_proves_what_is_not_so() {
        let tried = Corpus::new(proof_seeds(), Shape::Message).try_for_a_minute(proof);
        assert!(tried > 1000, "{tried} in a minute");
    }
}
