use kms_core_engine::{CiphertextError, FheType};
use tfhe::{FheBool, FheInt8, FheUint8, prelude::Tagged};

use crate::fixture::{SAMPLES, other_id, read, same_id, small, write};

fn error(stored: &[u8], declared: FheType) -> CiphertextError {
    small().decrypt(stored, declared).unwrap_err()
}

#[test]
fn a_ciphertext_of_a_key_with_another_id_is_refused_by_its_tag() {
    for (fhe_type, value) in SAMPLES {
        let stored = other_id().encrypt(fhe_type, value);
        assert_eq!(error(&stored, fhe_type), CiphertextError::WrongTag);
    }
    assert_eq!(CiphertextError::WrongTag.failure_code(), 3);
}

#[test]
fn a_ciphertext_whose_tag_was_changed_is_refused() {
    let mut ciphertext: FheUint8 = read(&small().encrypt(FheType::Uint8, "5"));
    for tag in [&[][..], &[7], &[7, 0, 0, 0, 0, 0, 0, 0, 0], &[0; 1000]] {
        ciphertext.tag_mut().set_data(tag);
        assert_eq!(error(&write(&ciphertext), FheType::Uint8), CiphertextError::WrongTag);
    }
}

#[test]
fn a_ciphertext_of_another_key_with_the_same_id_is_refused_from_8_bits_on() {
    for (fhe_type, value) in SAMPLES.into_iter().filter(|(t, _)| t.bits() >= 8) {
        for _ in 0..4 {
            let error = error(&same_id().encrypt(fhe_type, value), fhe_type);
            assert!(matches!(error, CiphertextError::NotAMessage { .. }), "{fhe_type}: {error}");
            assert_eq!((error.failure_code(), error.code()), (3, "ciphertext_malformed"));
        }
    }
}

#[test]
fn a_bool_of_another_key_with_the_same_id_passes_once_in_64_times_at_most_so_ids_must_not_be_reused() {
    let wrong = |_: &u32| {
        let stored = same_id().encrypt(FheType::Bool, "true");
        small().decrypt(&stored, FheType::Bool).is_ok()
    };
    // Chance of a false alarm: below 10^-9.
    assert!((0..400).filter(wrong).count() <= 25);
}

#[test]
fn a_ciphertext_declared_with_another_type_is_refused_as_such() {
    for (fhe_type, value) in SAMPLES {
        let stored = small().encrypt(fhe_type, value);
        for declared in FheType::ALL.into_iter().filter(|t| *t != fhe_type) {
            let error = error(&stored, declared);
            assert!(matches!(error, CiphertextError::WrongType { .. }), "{fhe_type} as {declared}: {error}");
            assert_eq!((error.failure_code(), error.code()), (4, "wrong_type"));
        }
    }
}

#[test]
fn a_signed_integer_is_of_no_supported_type() {
    use tfhe::prelude::FheEncrypt;
    let stored = write(&FheInt8::encrypt(-1_i8, &small().client()));
    assert_eq!(error(&stored, FheType::Uint8).code(), "wrong_type");
    assert_eq!(error(&stored, FheType::Bool).code(), "wrong_type");
}

#[test]
fn a_bool_that_encrypts_a_greater_number_is_refused() {
    for added in 0..32 {
        let stored = with_added_to_body(&small().encrypt(FheType::Bool, "true"), added << 59);
        let result = small().decrypt(&stored, FheType::Bool);
        match added {
            0 => assert_eq!(result.unwrap().to_string(), "true"),
            31 => assert_eq!(result.unwrap().to_string(), "false"),
            _ => assert_eq!(result.unwrap_err(), CiphertextError::NotAMessage { index: 0 }),
        }
    }
}

/// The library offers no way to make a `FheBool` of a chosen block, so the body is sought in the bytes.
fn with_added_to_body(stored: &[u8], added: u64) -> Vec<u8> {
    let block = read::<FheBool>(stored).into_raw_parts();
    let body = *block.ct.get_body().data;
    let at = stored.windows(8).rposition(|window| window == body.to_le_bytes()).unwrap();
    let mut bytes = stored.to_vec();
    bytes[at..at + 8].copy_from_slice(&body.wrapping_add(added).to_le_bytes());
    bytes
}

#[test]
fn cut_and_lengthened_ciphertexts_are_refused() {
    for (fhe_type, value) in SAMPLES {
        let stored = small().encrypt(fhe_type, value);
        for length in [0, 1, 8, 60, stored.len() / 2, stored.len() - 1] {
            assert_eq!(error(&stored[..length], fhe_type), CiphertextError::Unreadable);
        }
        let long = [stored.as_slice(), &[0, 0, 0]].concat();
        assert_eq!(error(&long, fhe_type), CiphertextError::TrailingBytes { count: 3 });
        let twice = error(&[stored.as_slice(), &stored].concat(), fhe_type);
        assert!([3, 9].contains(&twice.failure_code()), "{fhe_type}: {twice}");
    }
}

#[test]
fn more_bytes_than_any_type_has_are_refused_unread() {
    let largest = small().encrypt(FheType::Uint2048, "1").len();
    let error = error(&vec![0; 2 * largest], FheType::Bool);
    assert!(matches!(error, CiphertextError::TooLarge { .. }));
    assert_eq!((error.failure_code(), error.code()), (9, "too_large"));
}

#[test]
fn key_material_in_place_of_a_ciphertext_is_refused() {
    for part in &small().material.published {
        let error = error(&part.bytes, FheType::Uint8);
        assert!([3, 9].contains(&error.failure_code()), "{error}");
    }
}
