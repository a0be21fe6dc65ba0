use kms_core_engine::{CentralizedEngine, Engine, FheType, ParameterSet, Plaintext, payload};

use crate::fixture::{SAMPLES, real, small};

#[test]
fn every_type_comes_back_under_the_parameters_of_real_use() {
    for (fhe_type, value) in SAMPLES {
        let stored = real().encrypt(fhe_type, value);
        assert_eq!(real().decrypted(&stored, fhe_type), value, "{fhe_type}");
    }
}

#[test]
fn least_and_greatest_values_come_back() {
    for (fhe_type, _) in SAMPLES {
        let mut greatest = [0xFF; 32];
        greatest[..32 - fhe_type.bits().div_ceil(8)].fill(0);
        match fhe_type {
            FheType::Bool => greatest[31] = 1,
            FheType::Uint4 => greatest[31] = 15,
            _ => {}
        }
        for word in [[0; 32], greatest] {
            let value = Plaintext::from_word(fhe_type, word).unwrap();
            let stored = small().encryptor.encrypt(&value).unwrap();
            assert_eq!(small().decryption.decrypt(&stored, fhe_type), Ok(value));
        }
    }
}

#[test]
fn encrypting_twice_gives_other_bytes_and_the_same_value() {
    let [one, two] = [(); 2].map(|()| small().encrypt(FheType::Uint8, "77"));
    assert_ne!(one, two);
    assert_eq!(small().decrypted(&one, FheType::Uint8), small().decrypted(&two, FheType::Uint8));
}

#[test]
fn decrypting_twice_gives_the_same_payload() {
    let stored = small().encrypt(FheType::Uint64, "123456789");
    let payloads =
        [(); 2].map(|()| payload(&[small().decryption.decrypt(&stored, FheType::Uint64).unwrap()]));
    assert_eq!(payloads[0], payloads[1]);
    assert_eq!(payloads[0][24..], 123_456_789_u64.to_be_bytes());
}

#[test]
fn the_engine_does_all_of_it_behind_one_trait() {
    let engine = CentralizedEngine;
    let material = engine.generate(ParameterSet::Test, 42).unwrap();
    let key = engine.load(ParameterSet::Test, &material.secret).unwrap();
    assert_eq!(key.tag(), 42_u64.to_le_bytes());

    let stored = small().encrypt(FheType::Bool, "true");
    assert_eq!(engine.public_decrypt(&key, &stored, FheType::Bool).unwrap_err().failure_code(), 3);
    let value = engine.public_decrypt(&small().decryption, &stored, FheType::Bool).unwrap();
    assert_eq!(value.to_string(), "true");
}
