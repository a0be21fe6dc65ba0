//! The interface keeps its names and numbers, and documents its errors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use kms_core_proto::{
    FILE_DESCRIPTOR_SET, reason,
    v1::{Answer, ExecuteRequest, Success, answer::Outcome},
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
    assert_eq!(methods, ["Execute", "GetResult", "Decline", "ListKeys", "Info"]);
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
fn the_number_kept_for_the_proof_is_used_by_nothing() {
    let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
    let file = set.file.iter().find(|f| f.package() == "kms.v1").unwrap();
    for name in ["ExecuteRequest", "DeclineRequest"] {
        let message = file.message_type.iter().find(|m| m.name() == name).unwrap();
        assert!(message.field.iter().all(|f| f.number() != 4), "{name} uses the reserved number 4");
        assert_eq!(message.reserved_range.len(), 1);
    }
    let request = ExecuteRequest { ciphertexts: vec![vec![1, 2].into()], ..Default::default() };
    assert_eq!(request.encode_to_vec(), [0x2A, 2, 1, 2]);
}
