//! The bytes, written down a second time from FORMATS with nothing of the crate's own.

use aes_gcm::{
    Aes256Gcm,
    aead::{Aead, KeyInit},
};
use k256::ecdsa::{Signature, VerifyingKey, signature::Verifier};
use kms_asc_api::FheType;
use ml_kem::{Ciphertext, Decapsulate, DecapsulationKey, EncapsulationKey, KeyExport, MlKem512};
use sha3::{
    Shake256,
    digest::{ExtendableOutput, Update, XofReader},
};

use crate::fixture::{coins, scene};

fn shake(parts: &[&[u8]]) -> Vec<u8> {
    let mut hash = Shake256::default();
    parts.iter().for_each(|part| hash.update(part));
    let mut out = vec![0; 32];
    hash.finalize_xof().read(&mut out);
    out
}

#[test]
fn every_field_is_where_clients_look_for_it() {
    let scene = scene();
    let wire = scene.seal(FheType::Uint64, &42u64.to_le_bytes());
    assert_eq!(wire.len(), 960 + 8);
    assert_eq!(wire[..12], coins(7).nonce);
    assert_eq!(wire[12..20], 768u64.to_le_bytes());
    assert_eq!(wire[788..796], 172u64.to_le_bytes());

    let secret = DecapsulationKey::<MlKem512>::from_seed([1; 64].into());
    let shared = secret.decapsulate(&Ciphertext::<MlKem512>::try_from(&wire[20..788]).unwrap());
    let nonce = <[u8; 12]>::try_from(&wire[..12]).unwrap();
    let plain = Aes256Gcm::new(&shared).decrypt(&nonce.into(), &wire[796..]).unwrap();

    let message =
        [&8u64.to_le_bytes()[..], &42u64.to_le_bytes(), &5i32.to_le_bytes(), &32u64.to_le_bytes(), &[1; 32]];
    let message = message.concat();
    assert_eq!(plain[..60], message);
    let signer = scene.verifier.as_bytes();
    assert_eq!(plain[124..], shake(&[b"SIGNCRYP", &33u64.to_le_bytes(), signer]));

    let public = EncapsulationKey::<MlKem512>::to_bytes(secret.encapsulation_key());
    let h_enc = shake(&[b"SIGNCRYP", &800u64.to_le_bytes(), &public]);
    let signed = [&b"USER_DEC"[..], &message, &[1; 20], &h_enc].concat();
    let signature = Signature::from_slice(&plain[60..124]).unwrap();
    assert!(signature.normalize_s().is_none(), "s is high");
    VerifyingKey::from_sec1_bytes(signer).unwrap().verify(&signed, &signature).unwrap();
}

#[test]
fn the_long_form_of_a_key_holds_the_public_one() {
    let key = scene().user_key;
    let (long, public) = (key.expanded(), key.enc_key());
    assert_eq!((long.len(), public.len()), (1632, 869));
    assert_eq!(long[768..1568], public[69..]);
}
