//! Calls that yield no answer: each with its status and reason, and nothing recorded.

use kms_asc_api::{EpochId, FheType, RequestBody, RequestId};
use kms_core_proto::v1::{Answer, Failure, GetResultRequest, InfoRequest};
use tonic::{Code, Status, codegen::http::uri::PathAndQuery};
use tonic_types::StatusExt;

use crate::{
    bodies::{body, crs_gen, key_gen, public_decrypt, reference, stored},
    seed::Seed,
    stack::{CHAIN_ID, CONTRACT, Running, Stack, execute_call, reason, success},
};

fn refused(result: Result<Answer, Status>) -> (Code, String) {
    let status = result.unwrap_err();
    (status.code(), reason(&status))
}

fn is(code: Code, reason: &str) -> (Code, String) {
    (code, reason.to_owned())
}

/// The field that a `malformed_argument` names.
fn field(result: Result<Answer, Status>) -> String {
    let status = result.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "malformed_argument"));
    status.get_details_error_info().unwrap().metadata["field"].clone()
}

async fn start() -> Running {
    Stack::with_key().await.start().await
}

async fn one() -> (RequestBody, Vec<Vec<u8>>) {
    let bytes = Seed::get().await.encrypt(FheType::Uint8, "5");
    (body(200, public_decrypt(vec![reference(&bytes, FheType::Uint8)])), vec![bytes])
}

#[tokio::test]
async fn bytes_that_are_no_body_are_refused() {
    let stack = start().await;
    let whole = stored(&body(200, crs_gen()));
    let text = String::from_utf8(whole.clone()).unwrap();
    let bodies = [
        Vec::new(),
        b"{}".to_vec(),
        vec![0xFF; 100],
        whole[..whole.len() - 1].to_vec(),
        text.replace("\"v\":1", "\"v\":2").into_bytes(),
        text.replace("\"height\":9", "\"height\":-9").into_bytes(),
        text.replace("\"height\":9", "\"height\":9,\"depth\":9").into_bytes(),
        text.replace("crs_gen", "crs_generate").into_bytes(),
        text.replace("\"id\":200", "\"id\":0").into_bytes(),
        [whole.as_slice(), b"{}"].concat(),
        "[".repeat(100_000).into_bytes(),
    ];
    for bytes in bodies {
        let result = stack.call(execute_call(&bytes, vec![], None)).await;
        assert_eq!(refused(result), is(Code::InvalidArgument, "malformed_body"), "{}", bytes.len());
    }
}

#[tokio::test]
async fn a_call_for_another_chain_or_contract_is_refused() {
    let stack = start().await;
    let (request, blobs) = one().await;
    let call = stack.execute_call(&request, blobs);
    for (chain_id, contract) in [("kms-test-2", CONTRACT), (CHAIN_ID, "wasm1other"), ("", "")] {
        let call = kms_core_proto::v1::ExecuteRequest {
            chain_id: chain_id.into(),
            contract: contract.into(),
            ..call.clone()
        };
        assert_eq!(refused(stack.call(call).await), is(Code::FailedPrecondition, "wrong_contract"));
        let call = GetResultRequest {
            chain_id: chain_id.into(),
            contract: contract.into(),
            request_id: 1,
            request_hash: vec![0; 32],
        };
        let result = stack.client().get_result(call).await.map(tonic::Response::into_inner);
        assert_eq!(refused(result), is(Code::FailedPrecondition, "wrong_contract"));
    }
}

#[tokio::test]
async fn a_request_of_another_epoch_or_of_none_is_refused() {
    let stack = start().await;
    let (request, blobs) = one().await;
    for epoch in [Some(EpochId(2)), Some(EpochId(0)), None] {
        let request = RequestBody { epoch, ..request.clone() };
        let wrong = is(Code::FailedPrecondition, "wrong_epoch");
        assert_eq!(refused(stack.execute(&request, blobs.clone()).await), wrong);
        assert_eq!(refused(stack.decline(&request, 1, 0).await), wrong);
    }
}

#[tokio::test]
async fn nothing_is_decrypted_after_the_deadline_but_an_answer_given_before_stands() {
    let stack = start().await;
    let (request, blobs) = one().await;
    let late = RequestBody { deadline: Some(1_000_000_000), ..request.clone() };
    let passed = is(Code::FailedPrecondition, "deadline_passed");
    assert_eq!(refused(stack.execute(&late, blobs.clone()).await), passed);
    assert_eq!(refused(stack.decline(&late, 1, 0).await), passed);
    assert_eq!(refused(stack.get_result(&late).await), is(Code::NotFound, "unknown_request"));
    // Nothing was recorded, so the id is still free for the body that is in time.
    assert_eq!(success(&stack.execute(&request, blobs).await.unwrap()).payload[31], 5);
}

#[tokio::test]
async fn another_number_of_ciphertexts_than_the_body_names_is_refused() {
    let stack = start().await;
    let (request, blobs) = one().await;
    let wrong = is(Code::InvalidArgument, "wrong_ciphertext_count");
    assert_eq!(refused(stack.execute(&request, vec![]).await), wrong);
    let twice = [blobs.clone(), blobs.clone()].concat();
    assert_eq!(refused(stack.execute(&request, twice).await), wrong);
    assert_eq!(refused(stack.execute(&body(201, key_gen()), blobs.clone()).await), wrong);
    assert!(stack.execute(&request, blobs).await.is_ok());
}

#[tokio::test]
async fn a_decline_that_the_core_must_not_sign_is_refused() {
    let stack = start().await;
    let (request, blobs) = one().await;
    for code in [0, 2, 5, 11, 13, 257] {
        assert_eq!(field(stack.decline(&request, code, 0).await), "code");
    }
    for index in [1, 65534, 65536, u32::MAX] {
        assert_eq!(field(stack.decline(&request, 1, index).await), "index");
    }
    assert_eq!(field(stack.decline(&body(201, key_gen()), 1, 65535).await), "code");
    assert!(stack.execute(&request, blobs).await.is_ok());
}

#[tokio::test]
async fn a_result_is_asked_for_by_a_whole_name() {
    let stack = start().await;
    let ask = async |request_id, request_hash| {
        let call = GetResultRequest {
            chain_id: CHAIN_ID.into(),
            contract: CONTRACT.into(),
            request_id,
            request_hash,
        };
        stack.client().get_result(call).await.map(tonic::Response::into_inner)
    };
    assert_eq!(field(ask(0, vec![0; 32]).await), "request_id");
    for length in [0, 31, 33] {
        assert_eq!(field(ask(1, vec![0; length]).await), "request_hash");
    }
    assert_eq!(refused(ask(1, vec![0; 32]).await), is(Code::NotFound, "unknown_request"));
}

#[tokio::test]
async fn a_message_over_the_limit_is_refused_and_the_core_lives_on() {
    let mut stack = Stack::with_key().await;
    stack.settings.limits.max_message_bytes = 1 << 20;
    let stack = stack.start().await;
    let (request, blobs) = one().await;
    let status = stack.execute(&request, vec![vec![0; 2 << 20]]).await.unwrap_err();
    assert!([Code::OutOfRange, Code::ResourceExhausted].contains(&status.code()), "{status:?}");
    assert!(stack.execute(&request, blobs).await.is_ok());
}

#[tokio::test]
async fn a_message_that_does_not_decode_is_refused_and_the_core_lives_on() {
    let stack = start().await;
    let mut raw = tonic::client::Grpc::new(stack.channel.clone());
    raw.ready().await.unwrap();
    // Field 1 is a string in `ExecuteRequest` and a number here.
    let call = tonic::Request::new(Failure { code: 5, index: 6 });
    let codec = tonic_prost::ProstCodec::<Failure, Answer>::default();
    let path = PathAndQuery::from_static("/kms.v1.Kms/Execute");
    let status = raw.unary(call, path, codec).await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    assert!(stack.client().info(InfoRequest {}).await.is_ok());

    raw.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<Failure, Answer>::default();
    let path = PathAndQuery::from_static("/kms.v1.Kms/Exfiltrate");
    let status = raw.unary(tonic::Request::new(Failure::default()), path, codec).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
}

#[tokio::test]
async fn a_refused_body_leaves_its_id_free() {
    let stack = start().await;
    let (request, blobs) = one().await;
    assert!(stack.execute(&request, vec![]).await.is_err());
    let other = RequestBody { id: RequestId(200), time: 5, ..request };
    assert!(stack.execute(&other, blobs).await.is_ok());
}
