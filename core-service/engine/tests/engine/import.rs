//! Key material that somebody else made.

use kms_core_engine::{KeyError, KeyType, ParameterSet, PublishedPart, SecretKey, check_material, generate};

use tfhe::CompressedServerKey;

use crate::fixture::{KEY_ID, other_id, read, real, same_id, small, write};

fn parts(server: &PublishedPart, public: &PublishedPart) -> Vec<PublishedPart> {
    vec![server.clone(), public.clone()]
}

#[test]
fn material_that_belongs_together_is_accepted_with_its_tag() {
    for key in [small(), real()] {
        let tag = check_material(key.params, &key.material.secret, &key.material.published);
        assert_eq!(tag, Ok(KEY_ID.to_le_bytes().to_vec()));
    }
}

#[test]
fn parts_of_another_key_with_the_same_id_are_found_out() {
    let (own, other) = (&small().material, &same_id().material);
    let check = |published: &[PublishedPart]| check_material(ParameterSet::Test, &own.secret, published);
    assert_eq!(check(&other.published), Err(KeyError::Foreign));
    assert_eq!(check(&parts(&own.published[0], &other.published[1])), Err(KeyError::Foreign));
    assert_eq!(check(&parts(&other.published[0], &own.published[1])), Err(KeyError::Foreign));
}

#[test]
fn parts_with_another_tag_are_found_out() {
    let (own, other) = (&small().material, &other_id().material);
    let check = |published: &[PublishedPart]| check_material(ParameterSet::Test, &own.secret, published);
    assert_eq!(check(&other.published), Err(KeyError::Foreign));
    assert_eq!(check(&parts(&own.published[0], &other.published[1])), Err(KeyError::PartsDiffer));
}

#[test]
fn parts_that_are_not_the_two_that_are_published_are_refused() {
    let own = &small().material;
    let check = |published: &[PublishedPart]| check_material(ParameterSet::Test, &own.secret, published);
    let [server, public] = own.published.as_slice() else { panic!("two parts are published") };
    for published in [vec![], vec![server.clone()], parts(public, server), parts(server, server)] {
        assert_eq!(check(&published), Err(KeyError::WrongParts));
    }
    let swapped = PublishedPart { key_type: KeyType::Public, bytes: server.bytes.clone() };
    assert_eq!(check(&parts(server, &swapped)).unwrap_err().code(), "key_invalid");
}

#[test]
fn material_of_other_parameters_and_damaged_secrets_are_refused() {
    let own = &small().material;
    let error = check_material(ParameterSet::Default, &own.secret, &own.published).unwrap_err();
    assert_eq!(error.code(), "key_invalid");
    let bytes = own.secret.as_bytes();
    let cut = SecretKey::from_bytes(bytes[..bytes.len() - 1].to_vec());
    let error = check_material(ParameterSet::Test, &cut, &own.published).unwrap_err();
    assert_eq!(error.to_string(), "secret key is not valid for parameter set test");
}

/// The compression key is the last of the private parts that a decryption of compressed lists needs: a server key that
/// compresses under another one gives lists that nobody can read.
#[test]
fn a_server_key_that_compresses_under_another_key_is_found_out() {
    let other = generate(ParameterSet::Test, KEY_ID).unwrap();
    let own = &small().material;
    let mixed = mixed_compression(&own.published[0].bytes, &other.published[0].bytes);
    let published = parts(&PublishedPart { key_type: KeyType::Server, bytes: mixed }, &own.published[1]);
    let result = check_material(ParameterSet::Test, &own.secret, &published);
    assert_eq!(result, Err(KeyError::Foreign));
}

/// The server key `own` with the compression keys of `other`.
fn mixed_compression(own: &[u8], other: &[u8]) -> Vec<u8> {
    let own = read::<CompressedServerKey>(own).into_raw_parts();
    let other = read::<CompressedServerKey>(other).into_raw_parts();
    write(&CompressedServerKey::from_raw_parts(
        own.0, own.1, other.2, other.3, own.4, own.5, own.6, own.7, own.8, own.9,
    ))
}
