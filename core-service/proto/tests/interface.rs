//! The interface keeps its names and numbers, and documents its errors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use kms_core_proto::{
    FILE_DESCRIPTOR_SET, reason,
    v1::{Answer, ExecuteRequest, StateEntry, Success, answer::Outcome},
};
use prost::Message;
use prost_types::FileDescriptorSet;

const PROTO: &str = include_str!("../proto/kms/v1/kms.proto");

#[test]
fn the_descriptor_set_names_the_service_and_its_methods() {
    let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
    let file = set.file.iter().find(|f| f.package() == "kms.v1").unwrap();
    let service = &file.service[0];
    let methods: Vec<_> = service.method.iter().map(|m| m.name()).collect();
    assert_eq!(service.name(), "Kms");
    assert_eq!(
        methods,
        ["Execute", "GetResult", "SubmitHeader", "DestroyKey", "Decline", "ListKeys", "Info"]
    );
}

#[test]
fn every_reason_is_documented_in_the_proto_file() {
    for reason in reason::ALL {
        assert!(PROTO.contains(&format!(" {reason} ")), "{reason} is missing in kms.proto");
    }
}

#[test]
fn an_answer_survives_the_wire_with_its_field_numbers() {
    let answer = Answer {
        request_id: 7,
        request_hash: vec![0xAA; 32],
        epoch: 1,
        party: 1,
        outcome: Some(Outcome::Success(Success { payload: vec![1], external_signature: vec![2] })),
        receipt: vec![3],
    };
    let bytes = answer.encode_to_vec();
    assert_eq!(Answer::decode(bytes.as_slice()).unwrap(), answer);

    let mut expected = vec![0x08, 7, 0x12, 32];
    expected.extend([0xAA; 32]);
    expected.extend([0x18, 1, 0x20, 1, 0x2A, 6, 0x0A, 1, 1, 0x12, 1, 2, 0x3A, 1, 3]);
    assert_eq!(bytes, expected);
}

#[test]
fn the_proof_has_its_number_in_every_call_that_needs_one() {
    let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
    let file = set.file.iter().find(|f| f.package() == "kms.v1").unwrap();
    for name in ["ExecuteRequest", "DeclineRequest", "DestroyKeyRequest"] {
        let message = file.message_type.iter().find(|m| m.name() == name).unwrap();
        let proof = message.field.iter().find(|f| f.name() == "proof").unwrap();
        assert_eq!((proof.number(), proof.type_name()), (4, ".kms.v1.Proof"), "{name}");
    }
    let request = ExecuteRequest { ciphertexts: vec![vec![1, 2].into()], ..Default::default() };
    assert_eq!(request.encode_to_vec(), [0x2A, 2, 1, 2]);
}

#[test]
fn an_absent_value_is_not_an_empty_one() {
    let absent = StateEntry { key: vec![1], value: None, proof: vec![2] };
    assert_eq!(absent.encode_to_vec(), [0x0A, 1, 1, 0x1A, 1, 2]);
    let empty = StateEntry { value: Some(vec![]), ..absent };
    assert_eq!(empty.encode_to_vec(), [0x0A, 1, 1, 0x12, 0, 0x1A, 1, 2]);
}

#[test]
fn reasons_are_distinct_and_few_are_worth_a_retry() {
    let distinct: std::collections::BTreeSet<_> = reason::ALL.into_iter().collect();
    assert_eq!(distinct.len(), reason::ALL.len());
    let retryable: Vec<_> = reason::ALL.into_iter().filter(|reason| reason::is_retryable(reason)).collect();
    assert_eq!(retryable, ["key_unavailable", "too_early", "busy", "shutting_down", "internal"]);
}
