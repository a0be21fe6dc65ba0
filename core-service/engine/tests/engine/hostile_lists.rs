//! Compressed lists that the library reads and that would abort the process if they were used.

use std::sync::OnceLock;

use kms_core_engine::{CiphertextError, CiphertextFormat, FheType, Plaintext};
use serde::{Deserialize, Serialize};
use tfhe::{
    CompressedCiphertextList,
    core_crypto::prelude::{CiphertextModulus, CiphertextModulusLog, LweCiphertextCount},
    integer,
    shortint::{
        AtomicPatternKind,
        parameters::{CarryModulus, MessageModulus, PBSOrder},
    },
};

use crate::fixture::{Random, read, samples, small, tag, write};

const LIST: CiphertextFormat = CiphertextFormat::Compressed;

/// The library's list with everything open.
#[derive(Clone, Serialize, Deserialize)]
struct Open {
    packed: Packed,
    info: Vec<Kind>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Packed {
    glwes: Vec<Glwe>,
    meta: Option<Meta>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Glwe {
    integers: Integers,
    glwe_dimension: usize,
    polynomial_size: usize,
    bodies: usize,
    modulus: CiphertextModulus<u64>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Integers {
    coefficients: Vec<u64>,
    log_modulus: CiphertextModulusLog,
    length: usize,
}

#[derive(Clone, Serialize, Deserialize)]
struct Meta {
    ciphertext_modulus: CiphertextModulus<u64>,
    message: MessageModulus,
    carry: CarryModulus,
    pattern: AtomicPatternKind,
    per_glwe: LweCiphertextCount,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum Kind {
    Unsigned(usize),
    Signed(usize),
    Boolean,
    String { n_chars: u32, padded: bool },
}

/// Three GLWE ciphertexts: two full ones and a rest.
fn honest() -> Open {
    static LIST: OnceLock<Open> = OnceLock::new();
    let make = || {
        let values = [(FheType::Uint8, "201"), (FheType::Uint1024, "5"), (FheType::Bool, "true")];
        let values = values.map(|(fhe_type, text)| Plaintext::parse(fhe_type, text).unwrap());
        let list: CompressedCiphertextList = read(&small().encryptor.encrypt_compressed(&values).unwrap());
        bincode::deserialize(&bincode::serialize(&list.into_raw_parts().0).unwrap()).unwrap()
    };
    LIST.get_or_init(make).clone()
}

fn stored(open: &Open) -> Vec<u8> {
    let bytes = bincode::serialize(open).unwrap();
    let inner: integer::ciphertext::CompressedCiphertextList = bincode::deserialize(&bytes).unwrap();
    let metadata = vec![Default::default(); open.info.len()];
    write(&CompressedCiphertextList::from_raw_parts(inner, tag(), metadata))
}

fn changed(change: impl FnOnce(&mut Open)) -> CiphertextError {
    let mut open = honest();
    change(&mut open);
    small().element(&stored(&open), LIST, 0, FheType::Uint8).unwrap_err()
}

fn refused(name: &str, change: impl FnOnce(&mut Open)) {
    let error = changed(change);
    assert!(matches!(error, CiphertextError::WrongList { .. }), "{name}: {error}");
    assert_eq!(error.failure_code(), 3);
}

#[test]
fn the_open_list_is_the_library_s_list() {
    assert_eq!(honest().packed.glwes.len(), 3);
    assert_eq!(small().element(&stored(&honest()), LIST, 0, FheType::Uint8).unwrap().to_string(), "201");
}

#[test]
fn elements_that_claim_other_blocks_than_there_are_are_refused() {
    for blocks in [1, 3, 5, 1000, 1 << 32, 1 << 60, usize::MAX] {
        refused("fewer or more", |list| list.info[0] = Kind::Unsigned(blocks));
        refused("signed", |list| list.info[1] = Kind::Signed(blocks));
    }
    refused("a sum that overflows", |list| list.info = vec![Kind::Unsigned(usize::MAX), Kind::Unsigned(518)]);
    refused("a long string", |list| list.info[0] = Kind::String { n_chars: u32::MAX, padded: true });
    refused("one more", |list| list.info.push(Kind::Boolean));
    refused("one less", |list| list.info.truncate(2));
    refused("none", |list| list.info.clear());
}

#[test]
fn the_same_blocks_under_other_names_are_of_other_types() {
    let code = |kind| changed(|list| list.info[0] = kind).code();
    assert_eq!(code(Kind::Signed(4)), "wrong_type");
    assert_eq!(code(Kind::String { n_chars: 1, padded: false }), "wrong_type");
    let split = changed(|list| drop(list.info.splice(0..1, [Kind::Boolean; 4])));
    assert_eq!(split.code(), "wrong_type");
}

#[test]
fn ciphertexts_of_another_shape_are_refused_before_they_are_used() {
    for value in [0, 1, 2, 255, 257, 1 << 20, 1 << 60, usize::MAX] {
        refused("glwe dimension", |list| {
            list.packed.glwes[1].glwe_dimension = if value == 1 { 3 } else { value };
        });
        refused("polynomial size", |list| list.packed.glwes[1].polynomial_size = value);
        refused("bodies", |list| list.packed.glwes[1].bodies = value);
        refused("bodies of the last", |list| {
            list.packed.glwes[2].bodies = if value == 5 { 6 } else { value };
        });
        refused("length", |list| list.packed.glwes[1].integers.length = value);
        refused("blocks for each", |list| {
            list.packed.meta.as_mut().unwrap().per_glwe = LweCiphertextCount(value);
        });
        refused("log modulus", |list| {
            list.packed.glwes[1].integers.log_modulus = CiphertextModulusLog(value);
        });
    }
    refused("fewer coefficients", |list| list.packed.glwes[0].integers.coefficients.truncate(1));
    refused("more coefficients", |list| list.packed.glwes[0].integers.coefficients.push(0));
    refused("no coefficients", |list| list.packed.glwes[0].integers.coefficients.clear());
    refused("a ciphertext less", |list| drop(list.packed.glwes.remove(0)));
    refused("no ciphertexts", |list| list.packed.glwes.clear());
    refused("no metadata", |list| list.packed.meta = None);
    for modulus in [1, 32, 63] {
        let modulus = CiphertextModulus::try_new_power_of_2(modulus).unwrap();
        refused("modulus", |list| list.packed.glwes[1].modulus = modulus);
        refused("modulus of all", |list| {
            list.packed.meta.as_mut().unwrap().ciphertext_modulus = modulus;
        });
    }
    for modulus in [0, 1, 2, 8, u64::MAX] {
        refused("message", |list| list.packed.meta.as_mut().unwrap().message = MessageModulus(modulus));
        refused("carry", |list| list.packed.meta.as_mut().unwrap().carry = CarryModulus(modulus));
    }
    for pattern in [AtomicPatternKind::Standard(PBSOrder::BootstrapKeyswitch), AtomicPatternKind::KeySwitch32]
    {
        refused("pattern", |list| list.packed.meta.as_mut().unwrap().pattern = pattern);
    }
}

/// Conformance allows every storage modulus if it is the same everywhere.
#[test]
fn a_list_stored_with_another_modulus_throughout_is_refused() {
    for log_modulus in [1, 2, 9, 11, 12, 63, 64] {
        refused("log modulus of all", |list| {
            for glwe in &mut list.packed.glwes {
                let bits = glwe.integers.length * log_modulus;
                glwe.integers.log_modulus = CiphertextModulusLog(log_modulus);
                glwe.integers.coefficients.clear();
                glwe.integers.coefficients.resize(bits.div_ceil(64), 0);
            }
        });
    }
}

#[test]
fn an_empty_list_has_no_elements() {
    let error = changed(|list| {
        list.packed.glwes.clear();
        list.info.clear();
    });
    assert_eq!(error, CiphertextError::NoSuchElement { index: 0, count: 0 });
}

#[test]
fn mutated_lists_give_values_of_their_types_or_errors_and_never_a_panic() {
    let types: Vec<_> = samples().iter().map(Plaintext::fhe_type).collect();
    let original = small().encryptor.encrypt_compressed(&samples()).unwrap();
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let (mut refused, mut accepted) = (0, 0);
    for _ in 0..6000 {
        let bytes = random.mutated(&original);
        for (result, declared) in small().list(&bytes, LIST, &types).into_iter().zip(&types) {
            match result {
                Ok(value) => {
                    assert_eq!(value.fhe_type(), *declared);
                    accepted += 1;
                }
                Err(CiphertextError::LibraryFailure) => panic!("the library panicked on a mutated list"),
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 10_000 && accepted > 1000, "{refused} refused, {accepted} accepted");
}

/// The same where structure lies thickest: the list's own encoding, without noise around it.
#[test]
fn lists_with_mutated_structure_are_refused_or_read_and_never_abort() {
    let original = bincode::serialize(&honest()).unwrap();
    let mut random = Random(11);
    let mut used = 0;
    for _ in 0..20_000 {
        let mut bytes = original.clone();
        for _ in 0..1 + random.below(2) {
            // Every length, size and modulus is a word with few bits: change one of them, not the noise between.
            let at = random.below(bytes.len());
            let near_zero = bytes[at.saturating_sub(7)..at].iter().filter(|byte| **byte == 0).count();
            if near_zero >= 3 {
                bytes[at] = if random.below(2) == 0 { random.byte() } else { 1 << random.below(8) };
            }
        }
        let mut rest = bytes.as_slice();
        let Ok(inner) =
            bincode::deserialize_from::<_, integer::ciphertext::CompressedCiphertextList>(&mut rest)
        else {
            continue;
        };
        used += 1;
        let list = CompressedCiphertextList::from_raw_parts(inner, tag(), Vec::new());
        for declared in [FheType::Uint8, FheType::Bool] {
            let result = small().element(&write(&list), LIST, 0, declared);
            assert_ne!(result, Err(CiphertextError::LibraryFailure));
        }
    }
    assert!(used > 2000, "{used} of 20000 were read by the library");
}
