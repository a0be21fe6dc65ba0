//! Compressed lists, decrypted directly.

use kms_core_engine::{CiphertextError, CiphertextFormat, FheType, Plaintext};
use tfhe::{
    CompressedCiphertextList, CompressedCiphertextListBuilder, FheBool, FheInt8, FheUint4, FheUint8,
    FheUint16, FheUint32, FheUint64, FheUint128, FheUint160, FheUint256, FheUint512, FheUint1024,
    FheUint2048,
    core_crypto::{
        entities::compressed_modulus_switched_glwe_ciphertext::CompressedModulusSwitchedGlweCiphertext,
        prelude::{PlaintextCount, PlaintextList, decrypt_glwe_ciphertext},
    },
    prelude::{CastFrom, CiphertextList, FheDecrypt, FheEncrypt, FheTrivialEncrypt},
    with_server_key_as_context,
};

use crate::fixture::{Random, SAMPLES, other_id, read, real, same_id, samples, sealed, small, tag, write};

const LIST: CiphertextFormat = CiphertextFormat::Compressed;

fn types(values: &[Plaintext]) -> Vec<FheType> {
    values.iter().map(Plaintext::fhe_type).collect()
}

/// Under the quick key.
fn comes_back(values: &[Plaintext]) {
    let stored = small().encryptor.encrypt_compressed(values).unwrap();
    let found: Vec<_> =
        small().list(&stored, LIST, &types(values)).into_iter().map(|result| result.unwrap()).collect();
    assert_eq!(found, values);
}

/// A list as a server makes it that has computed.
#[test]
fn every_type_comes_back_from_one_list_under_the_parameters_of_real_use() {
    let mut list = CompressedCiphertextListBuilder::new();
    let mut sealed = sealed().iter();
    macro_rules! push {
        ($($ciphertext:ty),*) => { $(list.push(read::<$ciphertext>(sealed.next().unwrap()));)* };
    }
    push!(FheBool, FheUint4, FheUint8, FheUint16, FheUint32, FheUint64);
    push!(FheUint128, FheUint160, FheUint256, FheUint512, FheUint1024, FheUint2048);
    assert_eq!(sealed.next(), None);
    let list = with_server_key_as_context(real().server(), || list.build().unwrap());
    let found = real().list(&write(&list), LIST, &types(&samples()));
    assert_eq!(found.into_iter().map(Result::unwrap).collect::<Vec<_>>(), samples());
}

#[test]
fn every_type_comes_back_from_a_list_of_one() {
    for value in samples() {
        comes_back(&[value]);
    }
}

#[test]
fn random_lists_come_back_whatever_their_order_and_length() {
    let mut random = Random(3);
    for _ in 0..20 {
        let length = 1 + random.below(40);
        let values: Vec<_> = (0..length)
            .map(|_| {
                // Wide types seldom: they take most of the time, and fill lists with few elements.
                let types = if random.below(20) == 0 { &SAMPLES[..] } else { &SAMPLES[..9] };
                let (fhe_type, _) = types[random.below(types.len())];
                random.value(fhe_type)
            })
            .collect();
        comes_back(&values);
    }
}

#[test]
fn elements_are_read_in_any_order_and_each_fails_alone() {
    let stored = small().encryptor.encrypt_compressed(&samples()).unwrap();
    let element = |index: u16, declared| kms_core_engine::Element { index, declared };
    let asked = [
        element(11, FheType::Uint2048),
        element(0, FheType::Uint8),
        element(12, FheType::Bool),
        element(2, FheType::Uint8),
        element(2, FheType::Uint8),
    ];
    let found = small().decryption.decrypt(&stored, LIST, &asked);
    assert_eq!(found[0], Ok(samples()[11]));
    assert!(matches!(found[1], Err(CiphertextError::WrongType { declared: FheType::Uint8, .. })));
    assert_eq!(found[2], Err(CiphertextError::NoSuchElement { index: 12, count: 12 }));
    assert_eq!((&found[3], &found[4]), (&Ok(samples()[2]), &Ok(samples()[2])));
    let codes: Vec<_> = found[1..3].iter().map(|f| f.as_ref().unwrap_err().failure_code()).collect();
    assert_eq!(codes, [4, 3]);
}

/// What the library makes of the same list: decompressed by bootstrapping under the server key, then decrypted.
#[test]
fn sixty_four_values_equal_what_decompressing_first_gives() {
    let mut random = Random(5);
    let values: Vec<_> = SAMPLES[..6].iter().cycle().take(64).map(|(of, _)| random.value(*of)).collect();
    let list = list_of_the_owner(&values);
    let direct = real().list(&write(&list), LIST, &types(&values));
    let official = with_server_key_as_context(real().server(), || {
        values
            .iter()
            .enumerate()
            .map(|(index, value)| decompressed(&list, index, value.fhe_type()))
            .collect::<Vec<_>>()
    });
    for ((direct, official), value) in direct.into_iter().zip(official).zip(values) {
        assert_eq!(direct, Ok(value));
        assert_eq!(value.little_endian(), official.to_le_bytes()[..value.fhe_type().bytes()]);
    }
}

/// Encrypted with the secret, so that no bootstrap comes before compression; at most 64 bits each.
fn list_of_the_owner(values: &[Plaintext]) -> CompressedCiphertextList {
    let client = real().client();
    let mut list = CompressedCiphertextListBuilder::new();
    for value in values {
        let bytes: [u8; 8] = std::array::from_fn(|at| value.little_endian().get(at).copied().unwrap_or(0));
        let number = u64::from_le_bytes(bytes);
        match value.fhe_type() {
            FheType::Bool => list.push(FheBool::encrypt(number == 1, &client)),
            FheType::Uint4 => list.push(FheUint4::encrypt(number, &client)),
            FheType::Uint8 => list.push(FheUint8::encrypt(number, &client)),
            FheType::Uint16 => list.push(FheUint16::encrypt(number, &client)),
            FheType::Uint32 => list.push(FheUint32::encrypt(number, &client)),
            FheType::Uint64 => list.push(FheUint64::encrypt(number, &client)),
            wide => panic!("{wide} is too wide"),
        };
    }
    with_server_key_as_context(real().server(), || list.build().unwrap())
}

/// By the library; at most 64 bits.
fn decompressed(list: &CompressedCiphertextList, index: usize, fhe_type: FheType) -> u64 {
    let client = real().client();
    macro_rules! get {
        ($ciphertext:ty) => {
            list.get::<$ciphertext>(index).unwrap().unwrap().decrypt(&client)
        };
    }
    match fhe_type {
        FheType::Bool => bool::into(get!(FheBool)),
        FheType::Uint4 => get!(FheUint4),
        FheType::Uint8 => get!(FheUint8),
        FheType::Uint16 => get!(FheUint16),
        FheType::Uint32 => get!(FheUint32),
        FheType::Uint64 => get!(FheUint64),
        wide => panic!("{wide} is too wide"),
    }
}

#[test]
fn results_of_honest_computation_and_trivial_ciphertexts_are_accepted() {
    let x: FheUint8 = read(&sealed()[2]);
    let list = with_server_key_as_context(real().server(), || {
        let mut list = CompressedCiphertextListBuilder::new();
        list.push(&x >> 3_u8).push(FheUint64::cast_from(x.clone())).push(FheUint8::encrypt_trivial(77_u8));
        list.push(&x + &x);
        list.build().unwrap()
    });
    let types = [FheType::Uint8, FheType::Uint64, FheType::Uint8, FheType::Uint8];
    let found = real().list(&write(&list), LIST, &types).into_iter().map(|value| value.unwrap().to_string());
    assert_eq!(found.collect::<Vec<_>>(), ["25", "201", "77", "146"]);
}

/// What is refused begins at a quarter of the distance between two messages, 2^59.
#[test]
fn the_noise_of_compression_is_far_below_what_is_refused() {
    let x: FheUint64 = read(&sealed()[5]);
    let list = with_server_key_as_context(real().server(), || {
        CompressedCiphertextListBuilder::new().extend((0..64).map(|_| x.clone())).build().unwrap()
    });
    let bytes = bincode::serialize(&list.into_raw_parts().0).unwrap();
    let packed: Vec<CompressedModulusSwitchedGlweCiphertext<u64>> =
        bincode::deserialize_from(&mut bytes.as_slice()).unwrap();

    let key = real().client().into_raw_parts().2.unwrap().into_raw_parts().post_packing_ks_key;
    let mut noises = Vec::new();
    for packed in packed {
        let glwe = packed.extract();
        let mut phases = PlaintextList::new(0, PlaintextCount(glwe.polynomial_size().0));
        decrypt_glwe_ciphertext(&key, &glwe, &mut phases);
        noises.extend(phases.into_container().into_iter().map(noise));
    }
    let deviation = (noises.iter().map(|noise| noise * noise).sum::<f64>() / noises.len() as f64).sqrt();
    let refused = (1_u64 << 59) as f64;
    assert_eq!(noises.len(), 2048);
    // 0.1 is expected, give or take 2 %. At 1/8 an honest block would be refused once in 10^15.
    let share = deviation / refused;
    eprintln!("standard deviation: {share} of what is refused");
    assert!((0.05..0.125).contains(&share), "{share}");
}

fn noise(phase: u64) -> f64 {
    let nearest = (phase.wrapping_add(1 << 60) >> 61) << 61;
    phase.wrapping_sub(nearest).cast_signed() as f64
}

#[test]
fn signed_integers_are_refused_whatever_is_declared() {
    let signed = FheInt8::encrypt(-1_i8, &small().client());
    let list = with_server_key_as_context(small().server(), || {
        CompressedCiphertextListBuilder::new().push(signed).build().unwrap()
    });
    for declared in FheType::ALL {
        let error = small().element(&write(&list), LIST, 0, declared).unwrap_err();
        assert_eq!(error.code(), "wrong_type", "{declared}");
    }
}

#[test]
fn a_list_of_a_key_with_another_id_is_refused_by_its_tag() {
    let stored = other_id().encryptor.encrypt_compressed(&samples()).unwrap();
    for result in small().list(&stored, LIST, &types(&samples())) {
        assert_eq!(result, Err(CiphertextError::WrongTag));
    }
}

#[test]
fn a_list_of_another_key_with_the_same_id_is_refused_from_16_bits_on() {
    let wide: Vec<_> = samples().into_iter().filter(|value| value.fhe_type().bits() >= 16).collect();
    for _ in 0..10 {
        let stored = same_id().encryptor.encrypt_compressed(&wide).unwrap();
        for result in small().list(&stored, LIST, &types(&wide)) {
            assert!(matches!(result, Err(CiphertextError::NotAMessage { .. })), "{result:?}");
        }
    }
}

/// 4 blocks, each of which passes with one chance in four.
#[test]
fn a_byte_of_another_key_with_the_same_id_passes_once_in_256_times_so_ids_must_not_be_reused() {
    let mut random = Random(7);
    let values: Vec<_> = (0..600).map(|_| random.value(FheType::Uint8)).collect();
    let stored = same_id().encryptor.encrypt_compressed(&values).unwrap();
    let passed = small().list(&stored, LIST, &types(&values)).iter().filter(|result| result.is_ok()).count();
    // 2.3 are expected; chance of a false alarm below 10^-9.
    assert!(passed <= 20, "{passed} of 600");
}

#[test]
fn an_element_declared_with_another_type_is_refused_as_such() {
    let stored = small().encryptor.encrypt_compressed(&samples()).unwrap();
    for (index, value) in (0..).zip(samples()) {
        for declared in FheType::ALL.into_iter().filter(|t| *t != value.fhe_type()) {
            let error = small().element(&stored, LIST, index, declared).unwrap_err();
            assert!(matches!(error, CiphertextError::WrongType { .. }), "{index} as {declared}: {error}");
        }
    }
}

#[test]
fn other_bytes_than_one_list_are_refused() {
    let stored = small().encryptor.encrypt_compressed(&samples()).unwrap();
    let error = |stored: &[u8]| small().element(stored, LIST, 0, FheType::Bool).unwrap_err();
    for length in [0, 1, 60, stored.len() / 2, stored.len() - 1] {
        assert_eq!(error(&stored[..length]), CiphertextError::Unreadable);
    }
    assert_eq!(error(&[stored.as_slice(), &[0]].concat()), CiphertextError::TrailingBytes { count: 1 });
    assert_eq!(error(&small().encrypt(FheType::Bool, "true")), CiphertextError::Unreadable);
    assert_eq!(error(&vec![0; (4 << 20) + 1]).code(), "too_large");
    let raw = small().element(&stored, CiphertextFormat::Raw, 0, FheType::Bool).unwrap_err();
    assert_eq!(raw, CiphertextError::Unreadable);
}

#[test]
fn a_list_whose_tag_was_changed_is_refused() {
    let list: CompressedCiphertextList = read(&small().encryptor.encrypt_compressed(&samples()).unwrap());
    let (inner, _, metadata) = list.into_raw_parts();
    let own = CompressedCiphertextList::from_raw_parts(inner.clone(), tag(), metadata.clone());
    assert!(small().element(&write(&own), LIST, 0, FheType::Bool).is_ok());
    let mut other = tfhe::Tag::default();
    for bytes in [&[][..], &[7], &[7, 0, 0, 0, 0, 0, 0, 0, 0], &[0; 1000]] {
        other.set_data(bytes);
        let list = CompressedCiphertextList::from_raw_parts(inner.clone(), other.clone(), metadata.clone());
        let error = small().element(&write(&list), LIST, 0, FheType::Bool).unwrap_err();
        assert_eq!(error, CiphertextError::WrongTag);
    }
}
