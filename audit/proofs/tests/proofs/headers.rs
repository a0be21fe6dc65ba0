use std::time::Duration;

use kms_proofs::{
    HeaderError, Time, TrustOptions, VerifiedHeader, anchor, header_id,
    testing::{FakeChain, Validators, now},
    verify_header,
};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn options() -> TrustOptions {
    TrustOptions {
        chain_id: "kms-test-1".into(),
        trusting_period: 14 * DAY,
        clock_drift: Duration::from_secs(10),
    }
}

fn anchored(chain: &FakeChain, height: u64) -> VerifiedHeader {
    anchor(&chain.light_block(height), height, chain.header_hash(height), &options(), now()).unwrap()
}

/// A chain of 20 blocks and its first header.
fn chain() -> (FakeChain, VerifiedHeader) {
    let mut chain = FakeChain::new("kms-test-1");
    chain.advance_to(20);
    let first = anchored(&chain, 1);
    (chain, first)
}

fn verified(chain: &FakeChain, trusted: &VerifiedHeader, height: u64) -> Result<VerifiedHeader, HeaderError> {
    verify_header(trusted, &chain.light_block(height), &options(), now())
}

#[test]
fn the_next_header_and_a_far_one_are_verified() {
    let (chain, first) = chain();
    for height in [2, 20] {
        let header = verified(&chain, &first, height).unwrap();
        assert_eq!((header.height(), header.hash()), (height, chain.header_hash(height)));
        assert_eq!(header.time(), chain.header_time(height));
        assert_eq!(header.previous(), Some(chain.header_hash(height - 1)));
        assert_eq!(header.state_height(), height - 1);
        assert_eq!(header_id(&chain.light_block(height)), Ok((height, header.hash())));
    }
}

#[test]
fn a_stored_header_verifies_the_next_one_and_a_damaged_one_does_not_load() {
    let (chain, first) = chain();
    let stored = first.encode();
    let loaded = VerifiedHeader::decode(&stored).unwrap();
    assert_eq!(loaded, first);
    assert!(verified(&chain, &loaded, 20).is_ok());

    let set = stored.len() - 10;
    for cut in [1, 40, set] {
        assert!(VerifiedHeader::decode(&stored[..cut]).is_err(), "cut at {cut}");
    }
    let mut changed = stored;
    changed[set] ^= 1;
    assert!(VerifiedHeader::decode(&changed).is_err());
}

#[test]
fn a_header_that_is_not_above_the_trusted_one_is_refused() {
    let (chain, first) = chain();
    let trusted = verified(&chain, &first, 10).unwrap();
    for height in [10, 9, 1] {
        assert_eq!(
            verified(&chain, &trusted, height),
            Err(HeaderError::NotAbove { given: height, trusted: 10 })
        );
    }
}

#[test]
fn a_header_of_another_chain_is_refused() {
    let (_, first) = chain();
    let mut other = FakeChain::new("kms-test-2");
    other.advance_to(20);
    for height in [2, 20] {
        let error = verified(&other, &first, height).unwrap_err();
        assert_eq!(error.code(), "other_chain", "{error}");
    }
}

#[test]
fn a_header_signed_by_other_validators_is_refused() {
    let (mut chain, first) = chain();
    chain.usurp(Validators::made_of("usurpers", 4));
    let height = chain.commit() + 1;
    assert_eq!(verified(&chain, &first, height), Err(HeaderError::NotEnoughTrust { height, trusted: 1 }));
    let before = verified(&chain, &first, height - 1).unwrap();
    assert_eq!(verified(&chain, &before, height).unwrap_err().code(), "header_invalid");
}

#[test]
fn validators_that_the_chain_changed_itself_are_followed_step_by_step() {
    let (mut chain, first) = chain();
    chain.change_validators(Validators::made_of("successors", 4));
    chain.advance_to(25);
    assert_eq!(verified(&chain, &first, 25).unwrap_err().code(), "not_enough_trust");
    // Header 21 names the successors for 22.
    let announced = verified(&chain, &first, 21).unwrap();
    assert!(verified(&chain, &announced, 22).is_ok());
    assert!(verified(&chain, &announced, 25).is_ok());
}

#[test]
fn a_third_of_the_trusted_validators_carries_over_a_gap_and_two_thirds_of_the_new_ones_must_sign() {
    let (mut chain, first) = chain();
    let joined = Validators::made_of("more", 4).joined_by(&Validators::made_of("validators", 4));
    chain.change_validators(joined.clone());
    chain.advance_to(25);
    assert!(verified(&chain, &first, 25).is_ok());
    // All four whom header 1 trusts sign, but five of eight are less than two thirds.
    let mut quiet = chain.clone();
    quiet.change_validators(joined.with_silent(3));
    quiet.advance_to(30);
    assert_eq!(verified(&quiet, &first, 30).unwrap_err().code(), "header_invalid");
}

#[test]
fn a_commit_without_two_thirds_is_refused() {
    let (mut chain, first) = chain();
    let height = chain.height();
    chain.usurp(Validators::made_of("validators", 4).with_silent(1));
    chain.commit();
    assert!(verified(&chain, &first, height + 1).is_ok(), "three of four are enough");
    chain.usurp(Validators::made_of("validators", 4).with_silent(2));
    chain.commit();
    assert_eq!(verified(&chain, &first, height + 2).unwrap_err().code(), "header_invalid");
}

#[test]
fn trust_expires_with_its_period() {
    let (chain, first) = chain();
    let last = Time::of(first.time().since_epoch() + 14 * DAY);
    let before = Time::of(last.since_epoch() - Duration::from_nanos(1));
    assert!(verify_header(&first, &chain.light_block(2), &options(), before).is_ok());
    let error = verify_header(&first, &chain.light_block(2), &options(), last).unwrap_err();
    assert_eq!(error, HeaderError::TrustExpired { height: 1, expired: last, now: last });
    let anchored = anchor(&chain.light_block(1), 1, chain.header_hash(1), &options(), last);
    assert_eq!(anchored.unwrap_err().code(), "trust_expired");
}

#[test]
fn a_header_from_the_future_is_refused_beyond_the_drift() {
    let (mut chain, first) = chain();
    let seconds = |ahead: u64| Time::of(now().since_epoch() + Duration::from_secs(ahead));
    chain.commit_at(seconds(5));
    assert!(verified(&chain, &first, chain.height()).is_ok());
    chain.commit_at(seconds(60));
    let height = chain.height();
    assert_eq!(verified(&chain, &first, height).unwrap_err().code(), "from_the_future");
    let anchored = anchor(&chain.light_block(height), height, chain.header_hash(height), &options(), now());
    assert_eq!(anchored.unwrap_err().code(), "from_the_future");
}

#[test]
fn the_validators_must_be_those_that_the_header_names() {
    let (chain, first) = chain();
    let mut other = chain.clone();
    other.usurp(Validators::made_of("usurpers", 4));
    let other_height = other.commit() + 1;
    let usurpers = other.light_block(other_height);
    for replaced in ["validators", "next_validators"] {
        let mut block = chain.light_block(20);
        match replaced {
            "validators" => block.validators = usurpers.validators.clone(),
            _ => block.next_validators = usurpers.next_validators.clone(),
        }
        let error = verify_header(&first, &block, &options(), now()).unwrap_err();
        assert!(matches!(error, HeaderError::Invalid { height: 20, .. }), "{replaced}: {error}");
    }
}

#[test]
fn an_anchor_is_the_header_of_that_height_and_hash_and_signed() {
    let (chain, _) = chain();
    let take = |height: u64, hash| anchor(&chain.light_block(5), height, hash, &options(), now());
    assert!(take(5, chain.header_hash(5)).is_ok());
    assert_eq!(take(5, chain.header_hash(6)).unwrap_err().code(), "not_the_anchor");
    assert_eq!(take(6, chain.header_hash(5)).unwrap_err().code(), "not_the_anchor");

    let mut quiet = FakeChain::new("kms-test-1");
    quiet.usurp(Validators::made_of("validators", 4).with_silent(2));
    quiet.commit();
    let error = anchor(&quiet.light_block(2), 2, quiet.header_hash(2), &options(), now()).unwrap_err();
    assert_eq!(error.code(), "header_invalid", "{error}");
}
