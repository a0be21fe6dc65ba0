use k256::ecdsa::SigningKey;
use kms_asc_api::{
    Digest, Epoch, EpochId, EpochMode, EvmAddress, FheType as Declared, KeyId, Operation, Party, PartyId,
    Signature, payload::UserItem, signing,
};
use kms_signcrypt::{Coins, Recipient};

use super::*;
use crate::{reference::tests::example, verify::tests::Scene};

fn signer(party: u32) -> SigningKey {
    let mut secret = [1; 32];
    secret[28..].copy_from_slice(&party.to_be_bytes());
    SigningKey::from_slice(&secret).unwrap()
}

fn user_key() -> UserKey {
    UserKey::from_seed(&[4; 64])
}

fn asked() -> UserDecrypt {
    let mut ciphertext = example(7).ciphertext;
    ciphertext.fhe_type = Declared::Uint16;
    UserDecrypt {
        key_id: KeyId(7),
        ciphertexts: vec![ciphertext],
        enc_key: user_key().enc_key().into(),
        user: EvmAddress::new([8; 20]),
        contracts: vec![EvmAddress::new([9; 20])],
        valid_from: 1_700_000_000,
        valid_days: 1,
        user_signature: Signature::new([0; 65]),
        domain: None,
        extra_data: Default::default(),
    }
}

/// A request that is answered by three parties, each with a whole value.
fn scene(mode: EpochMode, majority: u32) -> Scene {
    let mut scene = Scene::new(Operation::UserDecrypt(asked()));
    let parties = (1..=3).map(|number| Party {
        party: PartyId(number),
        name: String::new(),
        signer: signing::public_key(signer(number).verifying_key()),
        payout: String::new(),
    });
    let (id, parties) = (EpochId(1), parties.collect());
    scene.epoch = Epoch { id, mode, faulty: 0, majority, reconstruction: 1, parties, revoked_at: None };
    scene
}

/// What a party answers for this link and user.
fn answer_to(party: u32, value: &[u8], sealed_as: Declared, link: Digest, user: EvmAddress) -> Vec<u8> {
    let recipient = Recipient::new(&user_key().enc_key(), user, link).unwrap();
    let coins = Coins { kem: [5; 32], nonce: [6; 12] };
    let wire = recipient.seal(&signer(party), &coins, sealed_as, value).unwrap();
    let ciphertext = &asked().ciphertexts[0];
    let item =
        UserItem { fhe_type: Declared::Uint16, wire: &wire, handle: ciphertext.handle, packing_factor: 1 };
    let verification_key = signing::public_key(signer(party).verifying_key());
    UserPayload { verification_key, link, items: vec![item], party_id: 1, degree: 0 }.encode()
}

fn answer(scene: &Scene, party: u32, value: u16) -> Vec<u8> {
    let link = scene.judge().user_link().unwrap();
    answer_to(party, &value.to_le_bytes(), Declared::Uint16, link, asked().user)
}

/// Judges and opens, as the command does.
fn read(scene: &Scene, answers: &[(u32, Vec<u8>)]) -> Result<Vec<Value>> {
    let responses: Vec<_> = answers.iter().map(|(party, payload)| scene.answer(*party, payload)).collect();
    let mut report = RequestReport::fulfilled_for_test(scene);
    report.judge(&scene.judge(), &responses)?;
    values(&report, &user_key(), &asked())
}

fn value(number: u16) -> Vec<Value> {
    vec![Value { fhe_type: "uint16".into(), value: number.to_string() }]
}

#[test]
fn the_one_operators_answer_opens_to_its_value() {
    let scene = scene(EpochMode::Centralized, 1);
    assert_eq!(read(&scene, &[(1, answer(&scene, 1, 513))]).unwrap(), value(513));
}

#[test]
fn an_answer_sealed_for_another_user_or_as_another_type_is_no_value() {
    let scene = scene(EpochMode::Centralized, 1);
    let link = scene.judge().user_link().unwrap();
    let other_user = answer_to(1, &[1, 2], Declared::Uint16, link, EvmAddress::new([1; 20]));
    let other_type = answer_to(1, &[1, 2], Declared::Uint8, link, asked().user);
    for (payload, says) in [(other_user, "signature"), (other_type, "uint8")] {
        let error = read(&scene, &[(1, payload)]).unwrap_err();
        assert_eq!(error.exit().number(), 6);
        assert!(error.to_string().contains("party 1") && error.to_string().contains(says), "{error}");
    }
}

#[test]
fn of_several_whole_answers_a_majority_must_encrypt_the_same() {
    let scene = scene(EpochMode::Replicated, 2);
    let (first, same, other) = (answer(&scene, 1, 7), answer(&scene, 2, 7), answer(&scene, 3, 8));
    let all = [(1, first.clone()), (2, same), (3, other.clone())];
    assert_eq!(read(&scene, &all).unwrap(), value(7));
    let error = read(&scene, &[(1, first.clone()), (3, other)]).unwrap_err();
    assert!(error.to_string().contains("the same values"), "{error}");
    assert_eq!(read(&scene, &[(1, first)]).unwrap_err().exit().number(), 6);
}

#[test]
fn shares_are_said_to_be_shares() {
    let mut report = RequestReport::fulfilled_for_test(&scene(EpochMode::Centralized, 1));
    report.sealed = Some(Sealed {
        mode: EpochMode::Threshold,
        link: Digest::new([0; 32]),
        needed: 1,
        answers: vec![UserAnswer {
            party: PartyId(1),
            signer: signing::public_key(signer(1).verifying_key()),
            payload: vec![],
        }],
    });
    assert!(values(&report, &user_key(), &asked()).unwrap_err().to_string().contains("shares"));
}
