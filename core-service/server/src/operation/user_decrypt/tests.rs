use k256::ecdsa::SigningKey;
use kms_asc_api::{
    Ciphertext, CiphertextFormat, EpochId, EvmAddress, FheType, Handle, KeyId, PartyId, Provenance, Signature,
};
use kms_signcrypt::{Expected, UserKey};

use super::*;

const SUBMITTED: u64 = 1_000_000;

fn wallet() -> SigningKey {
    SigningKey::from_slice(&[7; 32]).unwrap()
}

fn domain() -> Eip712Domain {
    Eip712Domain {
        name: "KMSGeneration".into(),
        version: "1".into(),
        chain_id: 9000,
        verifying_contract: EvmAddress::new([0xD1; 20]),
        salt: None,
    }
}

fn ciphertext(fhe_type: FheType) -> Ciphertext {
    let mut handle = [fhe_type.number(); 32];
    handle[0] = 0xEE;
    Ciphertext {
        handle: Handle::new(handle),
        digest: Digest::new([0; 32]),
        size: 1,
        fhe_type,
        format: CiphertextFormat::Raw,
        index: 0,
        provenance: Provenance::Unproven,
    }
}

fn unsigned() -> UserDecrypt {
    UserDecrypt {
        key_id: KeyId(1),
        ciphertexts: FheType::ALL.map(ciphertext).to_vec(),
        enc_key: UserKey::from_seed(&[5; 64]).enc_key().into(),
        user: signing::address(wallet().verifying_key()),
        contracts: vec![EvmAddress::new([2; 20])],
        valid_from: SUBMITTED,
        valid_days: 1,
        user_signature: Signature::new([0; 65]),
        domain: None,
        extra_data: b"extra".to_vec().into(),
    }
}

fn signed(change: impl FnOnce(&mut UserDecrypt)) -> UserDecrypt {
    let mut asked = unsigned();
    change(&mut asked);
    let hash = eip712::user_request_hash(&domain(), &asked);
    UserDecrypt { user_signature: signing::sign(&wallet(), &hash).unwrap(), ..asked }
}

fn code(asked: &UserDecrypt, domain: &Eip712Domain, submitted: u64) -> Option<u8> {
    recipient(asked, domain, submitted).err().map(|failure| failure.code.number())
}

#[test]
fn the_users_signature_is_judged_once_more() {
    let good = signed(|_| ());
    assert_eq!(code(&good, &domain(), SUBMITTED), None);
    assert_eq!(code(&good, &Eip712Domain { chain_id: 9001, ..domain() }, SUBMITTED), Some(6));
    let other_key = UserKey::from_seed(&[6; 64]).enc_key();
    for changed in [
        unsigned(),
        UserDecrypt { user: EvmAddress::new([1; 20]), ..good.clone() },
        UserDecrypt { contracts: vec![EvmAddress::new([3; 20])], ..good.clone() },
        UserDecrypt { enc_key: other_key.into(), ..good.clone() },
        UserDecrypt { valid_days: 2, ..good.clone() },
        UserDecrypt { valid_from: SUBMITTED - 1, ..good.clone() },
        UserDecrypt { extra_data: b"other".to_vec().into(), ..good },
    ] {
        assert_eq!(code(&changed, &domain(), SUBMITTED), Some(6), "{changed:?}");
    }
}

#[test]
fn the_window_holds_at_submission() {
    let asked = signed(|_| ());
    for (submitted, expected) in [
        (SUBMITTED - 1, Some(6)),
        (SUBMITTED, None),
        (SUBMITTED + 86_399, None),
        (SUBMITTED + 86_400, Some(6)),
    ] {
        assert_eq!(code(&asked, &domain(), submitted), expected, "{submitted}");
    }
    let endless = signed(|asked| asked.valid_days = u64::MAX);
    assert_eq!(code(&endless, &domain(), SUBMITTED), Some(6));
}

#[test]
fn a_key_that_is_none_is_the_users_fault_though_he_signed_it() {
    let unreduced = signed(|asked| {
        let mut key = asked.enc_key.to_vec();
        key[69..72].fill(0xFF);
        asked.enc_key = key.into();
    });
    assert_eq!(code(&unreduced, &domain(), SUBMITTED), Some(6));
}

fn randomness() -> Randomness {
    Randomness::new(&[1; 32], ["kms-1", "wasm1asc"], &[2; 40], EpochId(1), PartyId(1))
}

fn greatest(fhe_type: FheType) -> Plaintext {
    let fhe_type = kms_core_engine::FheType::from_number(fhe_type.number()).unwrap();
    let mut bytes = vec![0xFF; fhe_type.bytes()];
    if fhe_type.bits() < 8 {
        bytes[0] = (1 << fhe_type.bits()) - 1;
    }
    Plaintext::from_little_endian(fhe_type, &bytes).unwrap()
}

#[test]
fn every_type_is_sealed_to_the_user_as_the_contract_and_he_expect_it() {
    let (asked, signer) = (signed(|_| ()), Signer::generate());
    let (recipient, link) = recipient(&asked, &domain(), SUBMITTED).unwrap();
    let values = FheType::ALL.map(greatest);
    let make = || payload(&asked, &values, &recipient, link, &signer, &randomness()).unwrap();
    let bytes = make();
    assert_eq!(bytes, make(), "a rerun gave other bytes");

    let answer = UserPayload::decode(&bytes).unwrap();
    let epoch = kms_proofs::testing::centralized(signer.public_key());
    assert_eq!(answer.check(&asked, &link, &epoch, PartyId(1)), Ok(()));
    let expected = Expected { signer: &signer.public_key(), user: &asked.user, link: &link };
    for (item, value) in answer.items.iter().zip(values) {
        let opened = UserKey::from_seed(&[5; 64]).open(item.wire, &expected).unwrap();
        assert_eq!(*opened.plaintext, value.little_endian());
        assert_eq!((opened.fhe_type, opened.fhe_type.number()), (item.fhe_type, value.fhe_type().number()));
    }
}
