use kms_asc_api::{Digest, EvmAddress, FheType, PublicKey};
use kms_signcrypt::{Expected, OpenError, Recipient, UserKey};

use crate::fixture::{coins, scene, scene_of};

/// The plaintext's signature names user, key, request and signer: none may be another.
#[test]
fn an_envelope_opens_for_its_user_key_request_and_signer_only() {
    let (scene, other) = (scene(), scene_of(2));
    let wire = scene.seal(FheType::Uint8, &[42]);
    let expected = scene.expected();
    assert_eq!(*scene.open(&wire).unwrap().plaintext, [42]);

    let open = |expected: Expected<'_>| scene.user_key.open(&wire, &expected);
    assert_eq!(open(Expected { user: &other.user, ..expected }), Err(OpenError::Signature));
    assert_eq!(open(Expected { link: &other.link, ..expected }), Err(OpenError::Link));
    assert_eq!(open(Expected { signer: &other.verifier, ..expected }), Err(OpenError::Signer));
    assert_eq!(open(Expected { signer: &PublicKey::new([5; 33]), ..expected }), Err(OpenError::SignerKey));
    assert_eq!(other.user_key.open(&wire, &expected), Err(OpenError::Decryption));
}

#[test]
fn every_cut_and_every_flipped_bit_is_refused() {
    let scene = scene();
    let wire = scene.seal(FheType::Bool, &[1]);
    for cut in 0..wire.len() {
        assert!(scene.open(&wire[..cut]).is_err(), "{cut} bytes");
    }
    for bit in 0..wire.len() * 8 {
        let mut changed = wire.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(scene.open(&changed).is_err(), "bit {bit}");
    }
    assert!(scene.open(&[wire.as_slice(), &[0]].concat()).is_err());
}

#[test]
fn bytes_that_are_no_reduced_key_are_no_recipient() {
    let (user, link) = (EvmAddress::new([1; 20]), Digest::new([1; 32]));
    let good = UserKey::from_seed(&[1; 64]).enc_key();
    assert!(Recipient::new(&good, user, link).is_ok());
    let mut unreduced = good.clone();
    unreduced[69..72].fill(0xFF);
    for bad in [&[][..], &good[1..], &good[..868], &unreduced] {
        assert!(Recipient::new(bad, user, link).is_err());
    }
}

#[test]
fn other_coins_give_other_bytes_and_nothing_secret_is_shown() {
    let scene = scene();
    let seal = |number| scene.recipient().seal(&scene.signer, &coins(number), FheType::Bool, &[1]).unwrap();
    assert_ne!(seal(1), seal(2));
    let opened = scene.open(&seal(1)).unwrap();
    let shown = format!("{:?} {:?} {:?}", scene.user_key, coins(1), opened);
    assert_eq!(shown, "UserKey(..) Coins(..) Opened { fhe_type: Bool, .. }");
}

#[test]
fn a_key_comes_back_from_its_seed_and_two_fresh_ones_differ() {
    let fresh = UserKey::generate().unwrap();
    assert_eq!(UserKey::from_seed(&fresh.seed()).enc_key(), fresh.enc_key());
    assert_ne!(UserKey::generate().unwrap().enc_key(), fresh.enc_key());
}
