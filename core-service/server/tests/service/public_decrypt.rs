use kms_asc_api::{
    Digest, Eip712Domain, EvmAddress, FheType, KeyDomain, KeyId, Operation, PublicDecrypt, eip712,
};

use crate::{
    bodies::{body, public_decrypt, reference},
    seed::{KEY_ID, Seed},
    stack::{CHAIN_ID, CONTRACT, Stack, recovered, success},
};

/// A value of each type, and its word in hexadecimal without leading zeros.
const VALUES: [(FheType, &str, &str); 9] = [
    (FheType::Bool, "true", "1"),
    (FheType::Uint4, "9", "9"),
    (FheType::Uint8, "201", "c9"),
    (FheType::Uint16, "51966", "cafe"),
    (FheType::Uint32, "3735928559", "deadbeef"),
    (FheType::Uint64, "0x0123456789abcdef", "123456789abcdef"),
    (FheType::Uint128, "0xdeadbeef00000000000000000000cafe", "deadbeef00000000000000000000cafe"),
    (
        FheType::Uint160,
        "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
        "5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
    ),
    (
        FheType::Uint256,
        "0xfeedface00000000000000000000000000000000000000000000000000000001",
        "feedface00000000000000000000000000000000000000000000000000000001",
    ),
];

#[tokio::test]
async fn every_type_is_decrypted_to_its_word_in_order() {
    let seed = Seed::get().await;
    let stack = Stack::with_key().await.start().await;
    let blobs: Vec<_> = VALUES.iter().map(|(fhe_type, value, _)| seed.encrypt(*fhe_type, value)).collect();
    let references: Vec<_> =
        VALUES.iter().zip(&blobs).map(|((fhe_type, ..), blob)| reference(blob, *fhe_type)).collect();
    let request = body(20, public_decrypt(references.clone()));

    let answer = stack.execute(&request, blobs).await.unwrap();
    stack.check_receipt(&request, &answer);
    let said = success(&answer);
    let expected: String = VALUES.iter().map(|(_, _, word)| format!("{word:0>64}")).collect();
    assert_eq!(hex::encode(&said.payload), expected);

    let domain = KeyDomain { name: "KMSGeneration".into(), version: "1".into(), chain_id: 9000 }
        .for_key(CHAIN_ID, CONTRACT, KeyId(KEY_ID))
        .unwrap();
    let handles = references.iter().map(|reference| &reference.handle);
    let statement = eip712::public_decrypt_hash(&domain, handles, &said.payload, b"");
    assert_eq!(recovered(&statement, &said.external_signature), stack.signer);
}

#[tokio::test]
async fn the_requests_own_domain_and_extra_data_are_what_is_signed() {
    let seed = Seed::get().await;
    let stack = Stack::with_key().await.start().await;
    let blob = seed.encrypt(FheType::Uint8, "42");
    let reference = reference(&blob, FheType::Uint8);
    let domain = Eip712Domain {
        name: "Decryption".into(),
        version: "1".into(),
        chain_id: 31337,
        verifying_contract: EvmAddress::new([0x22; 20]),
        salt: Some(Digest::new([3; 32])),
    };
    let request = body(
        21,
        Operation::PublicDecrypt(PublicDecrypt {
            key_id: KeyId(KEY_ID),
            ciphertexts: vec![reference.clone()],
            domain: Some(domain.clone()),
            extra_data: b"extra".to_vec().into(),
        }),
    );
    let said = success(&stack.execute(&request, vec![blob]).await.unwrap());
    let statement = eip712::public_decrypt_hash(&domain, [&reference.handle], &said.payload, b"extra");
    assert_eq!(recovered(&statement, &said.external_signature), stack.signer);
}
