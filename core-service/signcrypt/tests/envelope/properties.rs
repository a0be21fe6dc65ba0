use kms_asc_api::FheType;
use kms_signcrypt::{Coins, Recipient, UserKey};
use proptest::{
    array::uniform12, array::uniform20, array::uniform32, collection::vec, prelude::*, sample::select,
};

use crate::fixture::{coins, scene};

fn fhe_type() -> impl Strategy<Value = FheType> {
    select(&FheType::ALL[..])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_sealed_is_what_opens(
        fhe_type in fhe_type(),
        plaintext in vec(any::<u8>(), 1..=600),
        seed in vec(any::<u8>(), 64),
        user in uniform20(any::<u8>()),
        link in uniform32(any::<u8>()),
        (kem, nonce) in (uniform32(any::<u8>()), uniform12(any::<u8>())),
    ) {
        let mut scene = scene();
        scene.user_key = UserKey::from_seed(&seed.try_into().unwrap());
        scene.user = kms_asc_api::EvmAddress::new(user);
        scene.link = kms_asc_api::Digest::new(link);
        let coins = Coins { kem, nonce };
        let wire = scene.recipient().seal(&scene.signer, &coins, fhe_type, &plaintext).unwrap();
        prop_assert_eq!(wire.len(), 960 + plaintext.len());
        let again = scene.recipient().seal(&scene.signer, &coins, fhe_type, &plaintext).unwrap();
        prop_assert_eq!(&wire, &again, "the same coins gave other bytes");
        let opened = scene.open(&wire).unwrap();
        prop_assert_eq!(opened.fhe_type, fhe_type);
        prop_assert_eq!(opened.plaintext.as_slice(), plaintext.as_slice());
    }

    #[test]
    fn arbitrary_bytes_are_an_error_and_never_a_value(bytes in vec(any::<u8>(), 0..1200)) {
        prop_assert!(scene().open(&bytes).is_err());
    }

    #[test]
    fn any_change_is_refused(at in 0usize..968, flip in 1u8..) {
        let scene = scene();
        let mut wire = scene.seal(FheType::Uint64, &[9; 8]);
        wire[at] ^= flip;
        prop_assert!(scene.open(&wire).is_err());
    }

    #[test]
    fn arbitrary_bytes_with_the_right_header_are_a_key_or_refused(key in vec(any::<u8>(), 800)) {
        let key: [u8; 800] = key.try_into().unwrap();
        let enc_key = kms_asc_api::payload::encode_user_key(&key);
        let scene = scene();
        if let Ok(recipient) = Recipient::new(&enc_key, scene.user, scene.link) {
            prop_assert!(recipient.seal(&scene.signer, &coins(1), FheType::Bool, &[1]).is_ok());
        }
    }
}
