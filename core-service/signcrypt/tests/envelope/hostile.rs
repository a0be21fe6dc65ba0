//! What a party could encrypt that is no signed message: the user's end must judge it and never panic.

use aes_gcm::{
    Aes256Gcm,
    aead::{Aead, KeyInit},
};
use k256::ecdsa::{Signature, signature::Signer};
use kms_signcrypt::OpenError;
use ml_kem::{DecapsulationKey, MlKem512};
use proptest::{collection::vec, prelude::*};
use sha3::{
    Shake256,
    digest::{ExtendableOutput, Update, XofReader},
};

use crate::fixture::{Scene, scene};

/// Encrypts anything to the user of [`scene`].
fn encrypt(plain: &[u8]) -> Vec<u8> {
    let secret = DecapsulationKey::<MlKem512>::from_seed([1; 64].into());
    let (kem, shared) = secret.encapsulation_key().encapsulate_deterministic(&[3; 32].into());
    let body = Aes256Gcm::new(&shared).encrypt(&[4; 12].into(), plain).unwrap();
    let len = u64::try_from(body.len()).unwrap().to_le_bytes();
    [&[4; 12][..], &768u64.to_le_bytes(), &kem, &len, &body].concat()
}

fn identity(key: &[u8]) -> [u8; 32] {
    let mut hash = Shake256::default();
    hash.update(b"SIGNCRYP");
    hash.update(&u64::try_from(key.len()).unwrap().to_le_bytes());
    hash.update(key);
    let mut out = [0; 32];
    hash.finalize_xof().read(&mut out);
    out
}

/// A message that the party did sign, whatever is in it.
fn signed(scene: &Scene, message: &[u8]) -> Vec<u8> {
    let h_enc = identity(&scene.user_key.enc_key()[69..]);
    let to_sign = [&b"USER_DEC"[..], message, scene.user.as_bytes(), &h_enc].concat();
    let signature: Signature = scene.signer.sign(&to_sign);
    [message, &signature.to_bytes(), &identity(scene.verifier.as_bytes())].concat()
}

fn message(len: u64, plaintext: &[u8], fhe_type: i32, link_len: u64) -> Vec<u8> {
    let fields =
        [&len.to_le_bytes()[..], plaintext, &fhe_type.to_le_bytes(), &link_len.to_le_bytes(), &[1; 32]];
    fields.concat()
}

#[test]
fn lengths_that_lie_and_types_that_do_not_exist_are_refused_under_a_good_signature() {
    let scene = scene();
    let open = |message: &[u8]| scene.open(&encrypt(&signed(&scene, message)));
    assert_eq!(*open(&message(1, &[42], 2, 32)).unwrap().plaintext, [42]);
    for lie in [message(0, &[42], 2, 32), message(2, &[42], 2, 32), message(u64::MAX, &[42], 2, 32)] {
        assert_eq!(open(&lie), Err(OpenError::Message));
    }
    assert_eq!(open(&message(1, &[42], 2, 31)), Err(OpenError::Message));
    for number in [12, -1, 258, i32::MIN, i32::MAX] {
        assert_eq!(open(&message(1, &[42], number, 32)), Err(OpenError::Type(number)));
    }
}

#[test]
fn a_signature_of_zeros_or_with_high_s_is_refused() {
    let scene = scene();
    let good = signed(&scene, &message(1, &[42], 2, 32));
    let mut zeros = good.clone();
    let at = good.len() - 96;
    zeros[at..at + 64].fill(0);
    assert_eq!(scene.open(&encrypt(&zeros)), Err(OpenError::Signature));

    let signature = Signature::from_slice(&good[at..at + 64]).unwrap();
    let (r, s) = signature.split_scalars();
    let high = Signature::from_scalars(r.to_bytes(), (-*s).to_bytes()).unwrap();
    let mut twin = good;
    twin[at..at + 64].copy_from_slice(&high.to_bytes());
    assert_eq!(scene.open(&encrypt(&twin)), Err(OpenError::Signature));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn arbitrary_bytes_under_a_good_encryption_are_refused(plain in vec(any::<u8>(), 0..400)) {
        prop_assert!(scene().open(&encrypt(&plain)).is_err());
    }
}
