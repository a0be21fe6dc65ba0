//! What is wrong with a request for good is answered with a signed failure: code, and the ciphertext at fault.

use kms_asc_api::{Ciphertext, CiphertextFormat, FheType, KeyGen, KeyParams, KeySource, Operation};
use kms_core_engine::{Encryptor, ParameterSet, Plaintext};

use crate::{
    bodies::{body, public_decrypt, reference},
    seed::{KEY_ID, Seed},
    stack::{Running, Stack},
};

const NONE: u32 = 65535;

/// Runs a request for three ciphertexts, of which the second is made by `second`.
async fn second_is(
    stack: &Running,
    id: u64,
    second: impl FnOnce(Vec<u8>, Ciphertext) -> (Vec<u8>, Ciphertext),
) -> (u32, u32) {
    let seed = Seed::get().await;
    let good = |value| {
        let bytes = seed.encrypt(FheType::Uint8, value);
        let reference = reference(&bytes, FheType::Uint8);
        (bytes, reference)
    };
    let (bytes, whole) = good("2");
    let (blobs, references) = [good("1"), second(bytes, whole), good("3")].into_iter().unzip();
    stack.failure(&body(id, public_decrypt(references)), blobs).await
}

#[tokio::test]
async fn bytes_that_do_not_match_size_or_digest_are_code_2() {
    let stack = Stack::with_key().await.start().await;
    let cut = second_is(&stack, 30, |bytes, reference| (bytes[..bytes.len() - 1].to_vec(), reference)).await;
    assert_eq!(cut, (2, 1));
    let other = second_is(&stack, 31, |mut bytes, reference| {
        bytes[500] ^= 1;
        (bytes, reference)
    });
    assert_eq!(other.await, (2, 1));
}

#[tokio::test]
async fn bytes_that_are_no_ciphertext_of_this_key_are_code_3() {
    let stack = Stack::with_key().await.start().await;
    let garbage = |bytes: Vec<u8>| {
        let reference = reference(&bytes, FheType::Uint8);
        (bytes, reference)
    };
    assert_eq!(second_is(&stack, 32, |_, _| garbage(vec![7; 1000])).await, (3, 1));
    assert_eq!(second_is(&stack, 33, |bytes, _| garbage([bytes, vec![0]].concat())).await, (3, 1));

    for (id, key_id) in [(34, KEY_ID + 1), (35, KEY_ID)] {
        let other = kms_core_engine::generate(ParameterSet::Test, key_id).unwrap();
        let [server, public] = other.published.as_slice() else { panic!("two parts") };
        let encryptor = Encryptor::load(ParameterSet::Test, &server.bytes, &public.bytes).unwrap();
        let value = Plaintext::parse(kms_core_engine::FheType::Uint8, "2").unwrap();
        let foreign = encryptor.encrypt_raw(&value).unwrap();
        assert_eq!(second_is(&stack, id, |_, _| garbage(foreign)).await, (3, 1));
    }
    let positioned = second_is(&stack, 36, |bytes, reference| (bytes, Ciphertext { index: 1, ..reference }));
    assert_eq!(positioned.await, (3, 1));
}

#[tokio::test]
async fn a_ciphertext_of_another_type_than_declared_is_code_4() {
    let stack = Stack::with_key().await.start().await;
    let wider = second_is(&stack, 37, |bytes, _| {
        let reference = reference(&bytes, FheType::Uint16);
        (bytes, reference)
    });
    assert_eq!(wider.await, (4, 1));
    // The handle is signed: it must not name another type than the request does.
    let handle = second_is(&stack, 38, |bytes, whole| {
        let handle = reference(&bytes, FheType::Bool).handle;
        (bytes, Ciphertext { handle, ..whole })
    });
    assert_eq!(handle.await, (4, 1));
}

#[tokio::test]
async fn a_ciphertext_over_the_limit_is_code_9() {
    let mut stack = Stack::with_key().await;
    stack.settings.limits.max_ciphertext_bytes = 100_000;
    let stack = stack.start().await;
    let larger = Seed::get().await.encrypt(FheType::Uint64, "1");
    let failed = second_is(&stack, 40, |_, _| {
        let reference = reference(&larger, FheType::Uint64);
        (larger, reference)
    });
    assert_eq!(failed.await, (9, 1));
}

#[tokio::test]
async fn bytes_of_another_format_than_declared_are_code_3() {
    let stack = Stack::with_key().await.start().await;
    for (id, format) in [(41, CiphertextFormat::Compressed), (42, CiphertextFormat::Compact)] {
        let failed = second_is(&stack, id, |bytes, reference| (bytes, Ciphertext { format, ..reference }));
        assert_eq!(failed.await, (3, 1));
    }
}

#[tokio::test]
async fn a_key_of_test_parameters_is_code_10_where_they_are_not_allowed() {
    let stack = Stack::with_key().await.start().await;
    let asked = Operation::KeyGen(KeyGen { params: KeyParams::Test, source: KeySource::Generate });
    assert_eq!(stack.failure(&body(50, asked), vec![]).await, (10, NONE));
}
