//! A core that was restored from a backup: it may have signed what it does not know of.

use std::sync::atomic::Ordering;

use kms_asc_api::{FheType, RequestBody};
use kms_core::Strongbox;
use tonic::Code;

use crate::{
    bodies::{body, in_second_half, public_decrypt, reference},
    seed::Seed,
    stack::{Stack, reason},
};

async fn request(id: u64) -> (RequestBody, Vec<Vec<u8>>) {
    let bytes = Seed::get().await.encrypt(FheType::Uint8, "5");
    let request = body(id, public_decrypt(vec![reference(&bytes, FheType::Uint8)]));
    (request, vec![bytes])
}

#[tokio::test]
async fn only_answers_that_are_recorded_are_given_to_requests_from_before_the_restore() {
    let stack = Stack::with_key().await.start().await;
    let (known, known_blobs) = request(90).await;
    let answer = stack.execute(&known, known_blobs.clone()).await.unwrap();
    let stack = stack.stop().await;
    Strongbox::open(&stack.settings.vault).unwrap().mark_restored().unwrap();

    let stack = stack.start().await;
    let worked = stack.engine.controls.decrypted.load(Ordering::SeqCst);
    assert_eq!(stack.execute(&known, known_blobs).await.unwrap(), answer);
    let (unknown, blobs) = request(91).await;
    let status = stack.execute(&unknown, blobs).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "before_restore"));
    let status = stack.decline(&in_second_half(unknown), 1, 0).await.unwrap_err();
    assert_eq!(reason(&status), "before_restore");
    assert_eq!(stack.engine.controls.decrypted.load(Ordering::SeqCst), worked, "work was done");
}
