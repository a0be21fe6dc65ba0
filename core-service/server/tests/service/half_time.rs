//! What waiting may mend is a failure only when half of the request's time is over; before, the call can be repeated.

use std::{fs, sync::atomic::Ordering};

use kms_asc_api::{FheType, RequestBody};
use tonic::Code;

use crate::{
    bodies::{body, in_second_half, public_decrypt, reference},
    seed::Seed,
    stack::{Running, Stack, failure, reason, success},
};

const NONE: u32 = 65535;

async fn request(id: u64) -> (RequestBody, Vec<Vec<u8>>) {
    let bytes = Seed::get().await.encrypt(FheType::Uint8, "5");
    (body(id, public_decrypt(vec![reference(&bytes, FheType::Uint8)])), vec![bytes])
}

/// The name of the error, which must be one that is worth a retry, and nothing recorded.
async fn not_yet(stack: &Running, request: &RequestBody, blobs: &[Vec<u8>]) -> String {
    let status = stack.execute(request, blobs.to_vec()).await.unwrap_err();
    assert!([Code::Unavailable, Code::Internal].contains(&status.code()), "{status:?}");
    assert!(kms_core_proto::reason::is_retryable(&reason(&status)), "{status:?}");
    assert_eq!(reason(&stack.get_result(request).await.unwrap_err()), "unknown_request");
    reason(&status)
}

#[tokio::test]
async fn a_key_that_is_restored_in_the_first_half_answers_as_if_it_had_never_been_away() {
    let stack = Stack::with_key().await;
    let file = stack.vault().join(&Seed::get().await.vault_file.0);
    let secret = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let stack = stack.start().await;
    let (asked, blobs) = request(500).await;
    assert_eq!(not_yet(&stack, &asked, &blobs).await, "key_unavailable");

    let stack = stack.stop().await;
    stack.write_secret(file, &secret);
    let stack = stack.start().await;
    assert_eq!(success(&stack.execute(&asked, blobs).await.unwrap()).payload[31], 5);
}

#[tokio::test]
async fn a_key_that_is_away_in_the_second_half_is_code_5() {
    let stack = Stack::empty().start().await;
    let (asked, blobs) = request(501).await;
    assert_eq!(stack.failure(&in_second_half(asked), blobs).await, (5, NONE));
}

#[tokio::test]
async fn a_fault_of_the_core_can_be_tried_again_in_the_first_half_and_is_code_11_in_the_second() {
    let stack = Stack::with_key().await.start().await;
    let controls = stack.engine.controls.clone();
    let breaks = || controls.panic_at_next_decryption.store(true, Ordering::SeqCst);
    let (asked, blobs) = request(502).await;
    breaks();
    assert_eq!(not_yet(&stack, &asked, &blobs).await, "internal");
    assert_eq!(success(&stack.execute(&asked, blobs.clone()).await.unwrap()).payload[31], 5);

    let (asked, blobs) = request(503).await;
    let asked = in_second_half(asked);
    breaks();
    assert_eq!(stack.failure(&asked, blobs.clone()).await, (11, NONE));
    // The receipt is final.
    assert_eq!(stack.failure(&asked, blobs).await, (11, NONE));
}

#[tokio::test]
async fn a_ciphertext_that_the_caller_has_not_got_is_code_1_in_the_second_half_only() {
    let stack = Stack::with_key().await.start().await;
    for (id, index) in [(504, 0), (505, NONE)] {
        let (asked, blobs) = request(id).await;
        let status = stack.decline(&asked, 1, index).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "too_early"));
        assert_eq!(success(&stack.execute(&asked, blobs).await.unwrap()).payload[31], 5);

        let (asked, _) = request(id + 2).await;
        let asked = in_second_half(asked);
        let answer = stack.decline(&asked, 1, index).await.unwrap();
        stack.check_receipt(&asked, &answer);
        assert_eq!((failure(&answer).code, failure(&answer).index), (1, index));
    }
}

#[tokio::test]
async fn what_waiting_cannot_mend_is_a_failure_at_once() {
    let stack = Stack::with_key().await.start().await;
    let (asked, mut blobs) = request(508).await;
    blobs[0].pop();
    assert_eq!(stack.failure(&asked, blobs).await, (2, 0));
}
