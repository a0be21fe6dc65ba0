//! Proven lists: what is an input, what is not, and what an input decrypts to.

use std::sync::OnceLock;

use kms_core_engine::{
    CiphertextError, CiphertextFormat, EncryptError, FheType, InputError, InputVerifier, MAX_ELEMENTS,
    ParameterSet, Plaintext, Prover, ReferenceString, crs_digest, generate_crs,
};
use serde::{Deserialize, Serialize};
use tfhe::{
    CompactPublicKey, ProvenCompactCiphertextList, Tag, integer,
    prelude::Tagged,
    shortint::ciphertext::ProvenCompactCiphertextList as Proofs,
    zk::{CompactPkeCrs, ZkComputeLoad},
};

use crate::fixture::{
    Random, long_crs, other_id, read, real, same_id, samples, small, small_crs, tag, tiny_crs, write,
};

const LIST: CiphertextFormat = CiphertextFormat::Compact;
const METADATA: &[u8] = b"contract, user, acl, chain";

fn types(values: &[Plaintext]) -> Vec<FheType> {
    values.iter().map(Plaintext::fhe_type).collect()
}

fn values(texts: &[(FheType, &str)]) -> Vec<Plaintext> {
    texts.iter().map(|(fhe_type, text)| Plaintext::parse(*fhe_type, text).unwrap()).collect()
}

/// A bool between integers, so that every element begins in the middle of a ciphertext.
fn some() -> Vec<Plaintext> {
    values(&[
        (FheType::Bool, "true"),
        (FheType::Uint8, "201"),
        (FheType::Bool, "false"),
        (FheType::Uint64, "77"),
    ])
}

fn proven() -> &'static [u8] {
    static LIST: OnceLock<Vec<u8>> = OnceLock::new();
    LIST.get_or_init(|| small().prover(&small_crs().string).encrypt_proven(&some(), METADATA).unwrap())
}

fn verified(list: &[u8], metadata: &[u8]) -> Result<Vec<FheType>, InputError> {
    small().verifier(&small_crs().string).verify(list, metadata)
}

#[test]
fn every_type_is_proven_verified_and_decrypted_under_the_parameters_of_real_use() {
    let crs = generate_crs(ParameterSet::Default, 2048).unwrap();
    let string = ReferenceString::load(ParameterSet::Default, &crs).unwrap();
    assert_eq!(string.max_bits(), 2048);
    let (prover, verifier) = (real().prover(&string), real().verifier(&string));
    let (widest, others) = (samples()[11], &samples()[..10]);
    for values in [&[widest], others] {
        let list = prover.encrypt_proven(values, METADATA).unwrap();
        assert_eq!(verifier.verify(&list, METADATA), Ok(types(values)));
        let found: Vec<_> =
            real().list(&list, LIST, &types(values)).into_iter().map(Result::unwrap).collect();
        assert_eq!(found, values);
    }
    let error = ReferenceString::load(ParameterSet::Test, &crs).unwrap_err();
    assert_eq!(error.to_string(), "bytes are not a reference string for parameter set test");
    let error = InputVerifier::load(small().public(), &string).unwrap_err();
    assert_eq!(error.to_string(), "public key is not valid for parameter set default");
    assert_eq!(Prover::load(small().public(), &string).unwrap_err(), error);
}

#[test]
fn elements_of_an_input_come_back_in_any_order() {
    let list = proven();
    assert_eq!(verified(list, METADATA), Ok(types(&some())));
    for (index, value) in (0..4).zip(some()).rev() {
        assert_eq!(small().element(list, LIST, index, value.fhe_type()), Ok(value));
    }
    let error = small().element(list, LIST, 4, FheType::Bool).unwrap_err();
    assert_eq!(error, CiphertextError::NoSuchElement { index: 4, count: 4 });
    let error = small().element(list, LIST, 0, FheType::Uint8).unwrap_err();
    assert_eq!(error.code(), "wrong_type");
}

#[test]
fn the_longest_inputs_fill_the_reference_string() {
    let (prover, verifier) = (small().prover(&long_crs().string), small().verifier(&long_crs().string));
    let mut random = Random(13);
    for (fhe_type, count) in [(FheType::Uint8, MAX_ELEMENTS), (FheType::Uint2048, 1)] {
        let values: Vec<_> = (0..count).map(|_| random.value(fhe_type)).collect();
        let list = prover.encrypt_proven(&values, METADATA).unwrap();
        assert_eq!(verifier.verify(&list, METADATA), Ok(types(&values)));
        let found: Vec<_> =
            small().list(&list, LIST, &types(&values)).into_iter().map(Result::unwrap).collect();
        assert_eq!(found, values);
    }
}

#[test]
fn what_does_not_fit_is_refused_by_its_maker() {
    let prover = small().prover(&small_crs().string);
    let many = vec![some()[0]; MAX_ELEMENTS + 1];
    let error = |values| prover.encrypt_proven(values, METADATA).unwrap_err();
    assert_eq!(error(&many), EncryptError::ValueCount { count: 257, max: 256 });
    assert_eq!(error(&[]), EncryptError::ValueCount { count: 0, max: 256 });
    let wide = [samples()[6], samples()[0]];
    assert_eq!(error(&wide), EncryptError::LargerThanCrs { bits: 130, max: 128 });
}

#[test]
fn other_metadata_another_reference_string_or_another_key_make_the_proof_invalid() {
    let list = proven();
    for metadata in [&b""[..], b"contract, user, acl, chaim", b"contract, user, acl, chain "] {
        assert_eq!(verified(list, metadata), Err(InputError::ProofInvalid));
    }
    assert_ne!(crs_digest(&long_crs().bytes), crs_digest(&small_crs().bytes));
    assert_eq!(small().verifier(&long_crs().string).verify(list, METADATA), Err(InputError::ProofInvalid));
    let same_id = same_id().verifier(&small_crs().string).verify(list, METADATA);
    assert_eq!(same_id, Err(InputError::ProofInvalid));
    let other_id = other_id().verifier(&small_crs().string).verify(list, METADATA);
    assert_eq!(other_id, Err(InputError::WrongTag));
}

#[test]
fn a_list_of_another_key_is_not_decrypted() {
    let list = other_id().prover(&small_crs().string).encrypt_proven(&some(), METADATA).unwrap();
    assert_eq!(small().element(&list, LIST, 0, FheType::Bool), Err(CiphertextError::WrongTag));
    let list = same_id().prover(&small_crs().string).encrypt_proven(&some(), METADATA).unwrap();
    let result = small().element(&list, LIST, 3, FheType::Uint64);
    assert!(matches!(result, Err(CiphertextError::NotAMessage { .. })), "{result:?}");
}

#[test]
fn bytes_that_are_no_list_are_no_input() {
    let list = proven();
    let error = |bytes: &[u8]| verified(bytes, METADATA).unwrap_err();
    for length in [0, 1, 60, list.len() / 2, list.len() - 1] {
        assert_eq!(error(&list[..length]), InputError::Unreadable);
    }
    assert_eq!(error(&[list, &[0]].concat()), InputError::TrailingBytes { count: 1 });
    assert_eq!(error(&small().encrypt(FheType::Bool, "true")), InputError::Unreadable);
    assert_eq!(error(&vec![0; 1 << 20]).code(), "input_too_large");
}

/// A list made with the library itself, as clients do.
fn made(crs: &[u8], fill: impl FnOnce(&mut tfhe::CompactCiphertextListBuilder)) -> Vec<u8> {
    let public: CompactPublicKey = read(small().public());
    let mut builder = ProvenCompactCiphertextList::builder(&public);
    fill(&mut builder);
    let crs: CompactPkeCrs = read(crs);
    write(&builder.build_with_proof_packed(&crs, METADATA, ZkComputeLoad::Proof).unwrap())
}

#[test]
fn a_list_that_is_larger_than_the_reference_string_is_refused() {
    let list = made(&small_crs().bytes, |list| {
        list.push(7_u32).extend([7_u64; 2].into_iter());
    });
    let result = verified(&list, METADATA);
    assert_eq!(result, Err(InputError::LargerThanCrs { proofs: 2 }));
    let result = small().element(&list, LIST, 0, FheType::Uint32);
    assert_eq!(result.unwrap_err().code(), "ciphertext_malformed");
}

#[test]
fn more_elements_than_a_handle_can_name_are_refused() {
    let list = made(&long_crs().bytes, |list| {
        list.extend([true; MAX_ELEMENTS + 1].into_iter());
    });
    let error = small().verifier(&long_crs().string).verify(&list, METADATA).unwrap_err();
    assert_eq!(error, InputError::ElementCount { count: 257, max: 256 });
}

#[test]
fn signed_and_odd_integers_are_no_inputs() {
    let signed = made(&small_crs().bytes, |list| {
        list.push(true).push(-1_i8);
    });
    assert_eq!(verified(&signed, METADATA), Err(InputError::UnsupportedType { index: 1 }));
    let odd = made(&small_crs().bytes, |list| {
        list.push_with_num_bits(3_u8, 6).unwrap();
    });
    assert_eq!(verified(&odd, METADATA), Err(InputError::UnsupportedType { index: 0 }));
}

#[test]
fn a_proof_that_is_quick_to_make_and_one_message_in_each_ciphertext_are_as_good() {
    let crs: CompactPkeCrs = read(&small_crs().bytes);
    let (public, tag) = read::<CompactPublicKey>(small().public()).into_raw_parts();
    let mut builder = integer::ciphertext::CompactCiphertextList::builder(&public);
    builder.push(true).push(201_u8);
    let expected = [FheType::Bool, FheType::Uint8];
    for list in [
        builder.build_with_proof_packed(&crs, METADATA, ZkComputeLoad::Verify).unwrap(),
        builder.build_with_proof(&crs, METADATA, ZkComputeLoad::Proof).unwrap(),
    ] {
        let bytes = bincode::serialize(&(list, &tag)).unwrap();
        let list = write(&bincode::deserialize::<ProvenCompactCiphertextList>(&bytes).unwrap());
        assert_eq!(verified(&list, METADATA), Ok(expected.to_vec()));
        let found: Vec<_> = small()
            .list(&list, LIST, &expected)
            .into_iter()
            .map(|value| value.unwrap().to_string())
            .collect();
        assert_eq!(found, ["true", "201"]);
    }
}

/// The library's proven list with its elements' types open.
#[derive(Serialize, Deserialize)]
struct Open {
    proofs: Proofs,
    info: Vec<Kind>,
    tag: Tag,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[allow(dead_code)]
enum Kind {
    Unsigned(usize),
    Signed(usize),
    Boolean,
    String { n_chars: u32, padded: bool },
}

fn relabelled(change: impl FnOnce(&mut Open)) -> Vec<u8> {
    let list: ProvenCompactCiphertextList = read(proven());
    let mut open: Open = bincode::deserialize(&bincode::serialize(&list).unwrap()).unwrap();
    change(&mut open);
    let list: ProvenCompactCiphertextList =
        bincode::deserialize(&bincode::serialize(&open).unwrap()).unwrap();
    write(&list)
}

/// Not a promise but a fact to know: only handles bind the types.
#[test]
fn the_proof_does_not_bind_types_so_a_byte_can_become_four_bools() {
    let list = relabelled(|open| drop(open.info.splice(1..2, [Kind::Boolean; 4])));
    let mut types = vec![FheType::Bool; 6];
    types.push(FheType::Uint64);
    assert_eq!(verified(&list, METADATA), Ok(types.clone()));
    // 201 = 0b11_00_10_01: a bool is whether its block is not zero, as it is for everybody who computes on it.
    let found: Vec<_> =
        small().list(&list, LIST, &types).into_iter().map(|value| value.unwrap().to_string()).collect();
    assert_eq!(found, ["true", "true", "true", "false", "true", "false", "77"]);
}

#[test]
fn types_that_do_not_add_up_are_refused_before_the_proof_is_looked_at() {
    for info in [
        vec![Kind::Unsigned(usize::MAX)],
        vec![Kind::Unsigned(usize::MAX), Kind::Unsigned(usize::MAX)],
        vec![Kind::Unsigned(1 << 60)],
        vec![Kind::Unsigned(4)],
        vec![Kind::String { n_chars: u32::MAX, padded: true }],
    ] {
        let list = relabelled(|open| open.info = info);
        assert_eq!(verified(&list, METADATA), Err(InputError::NotConformant));
        let error = small().element(&list, LIST, 0, FheType::Uint8).unwrap_err();
        assert_eq!(error.code(), "ciphertext_malformed");
    }
    let none = relabelled(|open| open.info.clear());
    assert_eq!(verified(&none, METADATA).unwrap_err().code(), "input_element_count");
    assert_eq!(small().element(&none, LIST, 0, FheType::Uint8).unwrap_err().failure_code(), 3);
}

#[test]
fn a_list_whose_tag_was_changed_is_refused_although_the_proof_does_not_bind_it() {
    let own = relabelled(|open| open.tag = tag());
    assert!(verified(&own, METADATA).is_ok());
    let other = relabelled(|open| open.tag.set_data(b"another"));
    assert_eq!(read::<ProvenCompactCiphertextList>(&other).tag().data(), b"another");
    assert_eq!(verified(&other, METADATA), Err(InputError::WrongTag));
    assert_eq!(small().element(&other, LIST, 0, FheType::Bool), Err(CiphertextError::WrongTag));
}

#[test]
fn mutated_lists_are_no_inputs_and_nothing_panics() {
    let (original, verifier) = (proven(), small().verifier(&small_crs().string));
    let all = types(&some());
    let mut random = Random(17);
    let (mut invalid, mut refused) = (0, 0);
    for _ in 0..300 {
        let bytes = random.mutated(original);
        match verifier.verify(&bytes, METADATA) {
            // Only the types and how the bytes are written are not bound by the proof.
            Ok(found) => assert_eq!(found.len(), all.len()),
            Err(InputError::LibraryFailure) => panic!("the library panicked on a mutated input"),
            Err(InputError::ProofInvalid) => invalid += 1,
            Err(_) => refused += 1,
        }
        for result in small().list(&bytes, LIST, &all) {
            assert_ne!(result, Err(CiphertextError::LibraryFailure));
        }
    }
    assert!(invalid > 20 && refused > 50, "{invalid} invalid, {refused} refused");
}

#[test]
fn a_reference_string_is_made_for_1_to_2048_bits_and_says_for_how_many() {
    for bits in [0, 2049, u32::MAX] {
        let error = generate_crs(ParameterSet::Test, bits).unwrap_err();
        assert_eq!(error.code(), "crs_out_of_range");
        assert!(error.to_string().contains("2048"), "{error}");
    }
    // Two messages of two bits in each ciphertext.
    for (crs, rounded) in [(tiny_crs(), 16), (small_crs(), 128), (long_crs(), 2048)] {
        assert_eq!(crs.string.max_bits(), rounded);
    }
}

#[test]
fn a_damaged_reference_string_is_refused() {
    let error = |bytes: &[u8]| ReferenceString::load(ParameterSet::Test, bytes).unwrap_err().code();
    let crs = small_crs().bytes.as_slice();
    assert_eq!(error(&crs[..crs.len() - 1]), "crs_invalid");
    assert_eq!(error(&[crs, &[0]].concat()), "crs_invalid");
    assert_eq!(error(&[]), "crs_invalid");
    assert_eq!(error(small().public()), "crs_invalid");
    assert_eq!(ReferenceString::load(ParameterSet::Default, crs).unwrap_err().code(), "crs_invalid");
}
