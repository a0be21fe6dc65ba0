use kms_asc_api::{Ciphertext, CiphertextFormat, Digest, FailureCode, eip712};
use kms_core_engine::FheType;

use super::scene::*;
use crate::operation::Finding;

const LIST: CiphertextFormat = CiphertextFormat::Compressed;

#[tokio::test]
async fn elements_of_lists_and_raw_ciphertexts_are_decrypted_in_the_bodys_order() {
    let scene = Scene::new().await;
    let wide = "1".repeat(150);
    let values = [value(FheType::Bool, "true"), value(FheType::Uint8, "200"), value(FheType::Uint512, &wide)];
    let encryptor = scene.encryptor();
    let list = encryptor.encrypt_compressed(&values).unwrap();
    let raw = encryptor.encrypt_raw(&value(FheType::Uint16, "513")).unwrap();
    let ciphertexts = vec![
        element(&list, LIST, 2, FheType::Uint512),
        element(&raw, CiphertextFormat::Raw, 0, FheType::Uint16),
        element(&list, LIST, 0, FheType::Bool),
        element(&list, LIST, 1, FheType::Uint8),
    ];
    let blobs = vec![list.clone(), raw, list.clone(), list];
    let Finding::Answer { payload, statement } = scene.decrypt(ciphertexts.clone(), blobs).await else {
        panic!("no answer")
    };
    let expected =
        [values[2], value(FheType::Uint16, "513"), values[0], values[1]].map(|value| value.words()).concat();
    assert_eq!((payload.len(), &payload), (5 * 32, &expected), "a uint512 takes two words");
    let handles = ciphertexts.iter().map(|ciphertext| &ciphertext.handle);
    let signed = eip712::public_decrypt_hash(&scene.key.domain, handles, &expected, b"");
    assert_eq!(statement, Some(signed));
}

#[tokio::test]
async fn the_fault_of_the_first_ciphertext_that_has_one_is_found() {
    let scene = Scene::new().await;
    let list = scene.encryptor().encrypt_compressed(&[value(FheType::Uint8, "1"); 2]).unwrap();
    let of = |index, fhe_type| element(&list, LIST, index, fhe_type);
    let good = || of(0, FheType::Uint8);
    let of_unknown_list = element(b"no list", LIST, 0, FheType::Uint8);
    let cases = vec![
        (FailureCode::WrongType, 1, vec![good(), of(1, FheType::Uint16)], vec![list.clone(); 2]),
        (FailureCode::CiphertextMalformed, 1, vec![good(), of(2, FheType::Uint8)], vec![list.clone(); 2]),
        (FailureCode::CiphertextMismatch, 1, vec![good(), good()], vec![list.clone(), b"other".to_vec()]),
        (FailureCode::CiphertextMismatch, 0, vec![good(), good()], vec![b"other".to_vec(), list.clone()]),
        (
            FailureCode::CiphertextMalformed,
            0,
            vec![of_unknown_list, of(1, FheType::Uint16)],
            vec![b"no list".to_vec(), list.clone()],
        ),
        // What the body alone decides comes first, whatever the bytes before it are.
        (
            FailureCode::TooLarge,
            1,
            vec![good(), Ciphertext { size: 1 << 40, ..good() }],
            vec![b"other".to_vec(), list.clone()],
        ),
    ];
    for (code, index, ciphertexts, blobs) in cases {
        assert_eq!(failure_of(scene.decrypt(ciphertexts, blobs).await), (code, Some(index)));
    }
}

#[tokio::test]
async fn a_list_under_another_key_is_refused() {
    let (scene, other) = (Scene::new().await, Scene::new().await);
    let list = other.encryptor().encrypt_compressed(&[value(FheType::Uint8, "1")]).unwrap();
    let ciphertext = element(&list, LIST, 0, FheType::Uint8);
    assert_eq!(ciphertext.digest, Digest::sha256(&list));
    let code = failure_of(scene.decrypt(vec![ciphertext], vec![list]).await);
    assert_eq!(code, (FailureCode::CiphertextMalformed, Some(0)));
}
