//! What INTERFACES names and this version does not act on is understood, and answered `unsupported`.

use cosmwasm_std::Binary;
use kms_asc_api::{
    Ciphertext, CiphertextFormat, CrsGen, CrsId, CrsSource, Digest, EvmAddress, KeyGen, KeyId, KeyParams,
    KeySource, Operation, Provenance, RequestId, Signature, UserDecrypt, VerifyInput,
};

use crate::suite::{Suite, ciphertext, public_decrypt};

const KEY: KeyId = KeyId(1);

fn other_key_gen(params: KeyParams, source: KeySource) -> Operation {
    Operation::KeyGen(KeyGen { params, source })
}

#[test]
fn every_other_operation_is_unsupported() {
    let mut suite = Suite::new();
    suite.key();
    let (digest, address) = (Digest::new([1; 32]), EvmAddress::new([1; 20]));
    let user_decrypt = UserDecrypt {
        key_id: KEY,
        ciphertexts: vec![ciphertext(1)],
        enc_key: Binary::from(vec![0; 869]),
        user: address,
        contracts: vec![address],
        valid_from: 0,
        valid_days: 1,
        user_signature: Signature::new([0; 65]),
        domain: None,
        extra_data: Binary::default(),
    };
    let verify_input = VerifyInput {
        key_id: KEY,
        crs_id: CrsId(1),
        digest,
        size: 1,
        user: address,
        contract: address,
        acl: address,
        chain_id: 1,
        domain: None,
        extra_data: Binary::default(),
    };
    let operations = [
        (other_key_gen(KeyParams::Test, KeySource::Generate), "params test"),
        (other_key_gen(KeyParams::Default, KeySource::Import { digests: vec![] }), "source import"),
        (other_key_gen(KeyParams::Default, KeySource::Takeover { key_id: KEY }), "source takeover"),
        (Operation::CrsGen(CrsGen { max_bits: 2048, source: CrsSource::Generate }), "crs_gen"),
        (Operation::CrsGen(CrsGen { max_bits: 2048, source: CrsSource::Import { digest } }), "crs_gen"),
        (Operation::UserDecrypt(user_decrypt), "user_decrypt"),
        (Operation::VerifyInput(verify_input), "verify_input"),
    ];
    for (operation, what) in operations {
        let refusal = suite.submit(&suite.owner(), operation, 10_000).unwrap_err();
        assert_eq!(refusal.code, "unsupported", "{what}: {}", refusal.text);
        assert!(refusal.text.ends_with(what), "{}", refusal.text);
    }
}

#[test]
fn every_other_field_of_a_request_is_unsupported() {
    let mut suite = Suite::new();
    suite.key();
    let with = |change: &dyn Fn(&mut Ciphertext)| {
        let mut ciphertext = ciphertext(1);
        change(&mut ciphertext);
        public_decrypt(KEY, vec![ciphertext])
    };
    let attested =
        Provenance::Attested { user: None, contract: None, valid_until: u64::MAX, signatures: vec![] };
    let verified = Provenance::Verified { request_id: RequestId(1) };
    let operations = [
        (with(&|c| c.provenance = verified.clone()), "provenance verified"),
        (with(&|c| c.provenance = attested.clone()), "provenance attested"),
        (with(&|c| c.format = CiphertextFormat::Compressed), "format compressed"),
        (with(&|c| c.format = CiphertextFormat::Compact), "format compact"),
    ];
    for (operation, what) in operations {
        let refusal = suite.submit(&suite.owner(), operation, 10_000).unwrap_err();
        assert_eq!(refusal.code, "unsupported", "{what}: {}", refusal.text);
        assert!(refusal.text.ends_with(what), "{}", refusal.text);
    }
}
