use kms_core_engine::{
    CentralizedEngine, CiphertextFormat, Element, Engine, FheType, ParameterSet, Plaintext, payload,
};

use crate::fixture::{SAMPLES, real, sealed, small, small_crs};

#[test]
fn every_type_comes_back_under_the_parameters_of_real_use() {
    for ((fhe_type, value), stored) in SAMPLES.into_iter().zip(sealed()) {
        assert_eq!(real().decrypted(stored, fhe_type), value, "{fhe_type}");
    }
}

#[test]
fn least_and_greatest_values_come_back() {
    for (fhe_type, _) in SAMPLES {
        let greatest = match fhe_type {
            FheType::Bool => vec![1],
            FheType::Uint4 => vec![15],
            _ => vec![0xFF; fhe_type.bytes()],
        };
        for bytes in [vec![0; fhe_type.bytes()], greatest] {
            let value = Plaintext::from_little_endian(fhe_type, &bytes).unwrap();
            let stored = small().encryptor.encrypt_raw(&value).unwrap();
            assert_eq!(small().decrypt(&stored, fhe_type), Ok(value));
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
    let payloads = [(); 2].map(|()| payload(&[small().decrypt(&stored, FheType::Uint64).unwrap()]));
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
    let element = Element { index: 0, declared: FheType::Bool };
    let decrypt =
        |key| engine.decrypt(key, &stored, CiphertextFormat::Raw, &[element]).results.pop().unwrap();
    assert_eq!(decrypt(&key).unwrap_err().failure_code(), 3);
    assert_eq!(decrypt(&small().decryption).unwrap().to_string(), "true");

    assert!(engine.generate_crs(ParameterSet::Test, 0).is_err());
    let values = [Plaintext::parse(FheType::Uint8, "7").unwrap()];
    let list = small().prover(&small_crs().string).encrypt_proven(&values, b"metadata").unwrap();
    let string = engine.load_crs(ParameterSet::Test, &small_crs().bytes).unwrap();
    let verifier = engine.input_verifier(small().public(), &string).unwrap();
    assert_eq!(engine.verify_input(&verifier, &list, b"metadata"), Ok(vec![FheType::Uint8]));
}
