//! The worked vector `tests/node-tkms/vector.json`: one answer with a value of each type up to 256 bits, with everything that
//! made it. The public npm client is run over the same file. `KMS_WRITE_VECTOR=1` writes it anew.

use std::{fs, path::PathBuf};

use alloy_primitives::Address;
use k256::ecdsa::SigningKey;
use kms_asc_api::{
    Ciphertext, CiphertextFormat, Digest, Eip712Domain, EvmAddress, FheType, Handle, KeyId, Provenance,
    Signature, UserDecrypt, eip712,
    payload::{UserItem, UserPayload},
    signing,
};
use kms_signcrypt::{Coins, Expected, Recipient, UserKey};
use serde_json::{Value, json};

const TYPES: usize = 9;

fn file() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "..", "tests", "node-tkms", "vector.json"].iter().collect()
}

fn signer() -> SigningKey {
    SigningKey::from_slice(&[0x51; 32]).unwrap()
}

fn user_key() -> UserKey {
    UserKey::from_seed(&[0x52; 64])
}

fn coins(position: u8) -> Coins {
    Coins { kem: [0x60 + position; 32], nonce: [0x70 + position; 12] }
}

/// The largest values whose bytes all differ, so that no order of bytes passes for another.
fn plaintext(fhe_type: FheType) -> Vec<u8> {
    match fhe_type {
        FheType::Bool => vec![1],
        FheType::Uint4 => vec![13],
        _ => (0..u8::try_from(fhe_type.bits() / 8).unwrap()).map(|byte| 0xF0 ^ byte).collect(),
    }
}

fn domain() -> Eip712Domain {
    Eip712Domain {
        name: "Decryption".into(),
        version: "1".into(),
        chain_id: 11_155_111,
        verifying_contract: EvmAddress::new([0xD1; 20]),
        salt: None,
    }
}

fn request() -> UserDecrypt {
    let ciphertext = |fhe_type: FheType| {
        let mut handle = [0x80 + fhe_type.number(); 32];
        handle[30] = fhe_type.number();
        Ciphertext {
            handle: Handle::new(handle),
            digest: Digest::new([0; 32]),
            size: 1,
            fhe_type,
            format: CiphertextFormat::Raw,
            index: 0,
            provenance: Provenance::Unproven,
        }
    };
    UserDecrypt {
        key_id: KeyId(1),
        ciphertexts: FheType::ALL[..TYPES].iter().copied().map(ciphertext).collect(),
        enc_key: user_key().enc_key().into(),
        user: EvmAddress::new([0xA1; 20]),
        contracts: vec![EvmAddress::new([0xC1; 20])],
        valid_from: 0,
        valid_days: 1,
        user_signature: Signature::new([0; 65]),
        domain: Some(domain()),
        extra_data: Default::default(),
    }
}

fn payload(request: &UserDecrypt, link: Digest) -> Vec<u8> {
    let recipient = Recipient::new(&request.enc_key, request.user, link).unwrap();
    let wires: Vec<_> = (0u8..)
        .zip(&request.ciphertexts)
        .map(|(position, ciphertext)| {
            let plaintext = plaintext(ciphertext.fhe_type);
            recipient.seal(&signer(), &coins(position), ciphertext.fhe_type, &plaintext).unwrap()
        })
        .collect();
    let items = wires.iter().zip(&request.ciphertexts).map(|(wire, ciphertext)| UserItem {
        fhe_type: ciphertext.fhe_type,
        wire,
        handle: ciphertext.handle,
        packing_factor: 1,
    });
    let verification_key = signing::public_key(signer().verifying_key());
    UserPayload { verification_key, link, items: items.collect(), party_id: 1, degree: 0 }.encode()
}

fn checksummed(address: &EvmAddress) -> String {
    Address::from(*address.as_bytes()).to_checksum(None)
}

fn signer_address() -> EvmAddress {
    let point = signer().verifying_key().to_encoded_point(false);
    EvmAddress::of_point(point.as_bytes()[1..].try_into().unwrap())
}

/// A value as clients give it: hex digits, the most significant first.
fn digits(little_endian: &[u8]) -> String {
    hex::encode(little_endian.iter().rev().copied().collect::<Vec<_>>())
}

fn vector() -> Value {
    let request = request();
    let link = eip712::user_link(&domain(), &request);
    let payload = payload(&request, link);
    let signature =
        signing::sign(&signer(), &eip712::user_decrypt_hash(&domain(), &request, &payload)).unwrap();
    let coins = |(position, _): (u8, &Ciphertext)| {
        let coins = coins(position);
        json!({"kem": hex::encode(coins.kem), "nonce": hex::encode(coins.nonce)})
    };
    let number = |ciphertext: &Ciphertext| ciphertext.fhe_type.number();
    let value = |ciphertext: &Ciphertext| json!({"fhe_type": number(ciphertext), "value": digits(&plaintext(ciphertext.fhe_type))});
    json!({
        "made_of": {
            "signer_secret": hex::encode([0x51; 32]),
            "user_seed": hex::encode([0x52; 64]),
            "coins": (0u8..).zip(&request.ciphertexts).map(coins).collect::<Vec<_>>(),
            "link": hex::encode(link.as_bytes()),
        },
        "signer": checksummed(&signer_address()),
        "user": checksummed(&request.user),
        "enc_key": hex::encode(&request.enc_key),
        "secret_key": hex::encode(user_key().expanded().as_slice()),
        "handles": request.ciphertexts.iter().map(|c| hex::encode(c.handle.as_bytes())).collect::<Vec<_>>(),
        "domain": {
            "name": domain().name,
            "version": domain().version,
            "chain_id": domain().chain_id.to_string(),
            "verifying_contract": checksummed(&domain().verifying_contract),
            "salt": null,
        },
        "response": {
            "signature": hex::encode(signature.as_bytes()),
            "payload": hex::encode(&payload),
            "extra_data": "",
        },
        "values": request.ciphertexts.iter().map(value).collect::<Vec<_>>(),
    })
}

#[test]
fn the_worked_vector_is_what_this_crate_makes() {
    let made = vector();
    if std::env::var_os("KMS_WRITE_VECTOR").is_some() {
        fs::write(file(), serde_json::to_string_pretty(&made).unwrap() + "\n").unwrap();
    }
    assert!(
        kept() == made,
        "tests/node-tkms/vector.json is not what is made: KMS_WRITE_VECTOR=1 writes it anew"
    );
}

fn kept() -> Value {
    serde_json::from_str(&fs::read_to_string(file()).unwrap()).unwrap()
}

#[test]
fn the_worked_vector_opens_to_its_values() {
    let kept = kept();
    let bytes = |value: &Value| hex::decode(value.as_str().unwrap()).unwrap();
    let payload = bytes(&kept["response"]["payload"]);
    let payload = UserPayload::decode(&payload).unwrap();
    let key = UserKey::from_seed(&bytes(&kept["made_of"]["user_seed"]).try_into().unwrap());
    let (user, link) = (request().user, eip712::user_link(&domain(), &request()));
    let signer = signing::public_key(signer().verifying_key());
    let expected = Expected { signer: &signer, user: &user, link: &link };
    assert_eq!(payload.items.len(), TYPES);
    for (item, value) in payload.items.iter().zip(kept["values"].as_array().unwrap()) {
        let opened = key.open(item.wire, &expected).unwrap();
        assert_eq!(opened.fhe_type, item.fhe_type);
        assert_eq!(value["fhe_type"], opened.fhe_type.number());
        assert_eq!(value["value"], digits(&opened.plaintext));
    }
}
