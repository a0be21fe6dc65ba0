use kms_core_engine::{DecryptionKey, Encryptor, KeyType, ParameterSet, SecretKey};

use crate::fixture::{KEY_ID, other_id, real, same_id, small};

#[test]
fn published_parts_come_in_order_and_all_material_carries_the_key_id() {
    let key = small();
    let types: Vec<_> = key.material.published.iter().map(|part| part.key_type).collect();
    assert_eq!(types, [KeyType::Server, KeyType::Public]);
    assert_eq!(key.encryptor.tag(), KEY_ID.to_le_bytes());
    assert_eq!(key.decryption.tag(), KEY_ID.to_le_bytes());
    assert_ne!(key.material.published[0].digest(), key.material.published[1].digest());
}

#[test]
fn a_real_key_has_the_sizes_that_the_documentation_names() {
    let [server, public] = real().material.published.as_slice() else { panic!("two parts") };
    assert!((70_000_000..80_000_000).contains(&server.bytes.len()), "{}", server.bytes.len());
    assert!((30_000..40_000).contains(&public.bytes.len()), "{}", public.bytes.len());
    let secret = real().material.secret.as_bytes().len();
    assert!((40_000..60_000).contains(&secret), "{secret}");
}

#[test]
fn two_keys_are_never_alike() {
    assert_ne!(small().material.secret.as_bytes(), same_id().material.secret.as_bytes());
    assert_ne!(small().material.published[1].digest(), same_id().material.published[1].digest());
}

#[test]
fn a_stored_secret_that_is_damaged_is_refused() {
    let bytes = small().material.secret.as_bytes().to_vec();
    let code = |bytes: Vec<u8>, params| {
        DecryptionKey::load(params, &SecretKey::from_bytes(bytes)).unwrap_err().code()
    };
    assert_eq!(code(bytes[..bytes.len() - 1].to_vec(), ParameterSet::Test), "key_invalid");
    assert_eq!(code([bytes.as_slice(), &[0]].concat(), ParameterSet::Test), "key_invalid");
    assert_eq!(code(Vec::new(), ParameterSet::Test), "key_invalid");
    assert_eq!(code(bytes, ParameterSet::Default), "key_invalid");
}

#[test]
fn published_parts_that_are_damaged_or_of_other_parameters_are_refused() {
    let [server, public] = small().material.published.as_slice() else { panic!("two parts") };
    let code = |params, server: &[u8], public: &[u8]| {
        Encryptor::load(params, server, public).unwrap_err().to_string()
    };
    let cut = |bytes: &[u8]| bytes[..bytes.len() - 1].to_vec();
    let long = |bytes: &[u8]| [bytes, &[0]].concat();

    let server_refused = "server key is not valid for parameter set test";
    assert_eq!(code(ParameterSet::Test, &cut(&server.bytes), &public.bytes), server_refused);
    assert_eq!(code(ParameterSet::Test, &long(&server.bytes), &public.bytes), server_refused);
    let public_refused = "public key is not valid for parameter set test";
    assert_eq!(code(ParameterSet::Test, &server.bytes, &cut(&public.bytes)), public_refused);
    assert_eq!(code(ParameterSet::Test, &server.bytes, &long(&public.bytes)), public_refused);
    assert_eq!(code(ParameterSet::Test, &server.bytes, &server.bytes), public_refused);

    let real_public = &real().material.published[1].bytes;
    assert_eq!(code(ParameterSet::Test, &server.bytes, real_public), public_refused);
    let refused = code(ParameterSet::Default, &server.bytes, real_public);
    assert_eq!(refused, "server key is not valid for parameter set default");
}

#[test]
fn parts_of_keys_with_different_ids_are_refused() {
    let server = &small().material.published[0].bytes;
    let public = &other_id().material.published[1].bytes;
    let error = Encryptor::load(ParameterSet::Test, server, public).unwrap_err();
    assert_eq!(error.code(), "key_parts_differ");
}

#[test]
fn secrets_are_not_shown() {
    assert_eq!(format!("{:?}", small().material.secret), "SecretKey(..)");
    assert_eq!(format!("{:?}", small().decryption), "DecryptionKey(..)");
    assert!(format!("{:?}", small().material).len() < 200);
}

#[test]
fn the_version_that_is_told_to_others_is_the_one_pinned() {
    let manifest = include_str!("../../../../Cargo.toml");
    let pin = format!("tfhe = {{ version = \"={}\"", kms_core_engine::TFHE_VERSION);
    assert!(manifest.contains(&pin), "{pin} is not in the workspace's manifest");
}
