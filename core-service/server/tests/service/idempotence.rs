//! One request, one answer: whoever asks, how often, and whatever happens meanwhile.

use std::{future::Future, sync::atomic::Ordering, time::Duration};

use kms_asc_api::{FheType, RequestBody};
use kms_core_proto::v1::Answer;
use tonic::{Code, Status};

use crate::{
    bodies::{body, in_second_half, public_decrypt, reference},
    engine::Controls,
    seed::Seed,
    stack::{Stack, failure, reason, success},
};

async fn request(id: u64, value: &str) -> (RequestBody, Vec<Vec<u8>>) {
    let bytes = Seed::get().await.encrypt(FheType::Uint8, value);
    let request = body(id, public_decrypt(vec![reference(&bytes, FheType::Uint8)]));
    (request, vec![bytes])
}

/// The same id with other bytes.
fn changed(request: &RequestBody) -> RequestBody {
    RequestBody { time: request.time + 1, ..request.clone() }
}

/// Waits until the engine has begun `count` decryptions.
async fn begun(controls: &Controls, count: usize) {
    while controls.decrypted.load(Ordering::SeqCst) < count {
        tokio::task::yield_now().await;
    }
}

fn spawn<F>(future: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future<Output = Result<Answer, Status>> + Send + 'static,
{
    tokio::spawn(future)
}

#[tokio::test]
async fn asked_again_by_any_call_the_answer_is_the_same_bytes_and_no_work_is_done() {
    let stack = Stack::with_key().await.start().await;
    let (request, blobs) = request(70, "5").await;
    let answer = stack.execute(&request, blobs.clone()).await.unwrap();
    assert_eq!(stack.execute(&request, blobs).await.unwrap(), answer);
    assert_eq!(stack.get_result(&request).await.unwrap(), answer);
    assert_eq!(stack.decline(&request, 1, 0).await.unwrap(), answer);
    assert_eq!(stack.engine.controls.decrypted.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_was_declined_stays_declined() {
    let stack = Stack::with_key().await.start().await;
    let (request, blobs) = request(71, "5").await;
    let request = in_second_half(request);
    let declined = stack.decline(&request, 1, 0).await.unwrap();
    assert_eq!(stack.execute(&request, blobs).await.unwrap(), declined);
    assert_eq!(stack.decline(&request, 1, 65535).await.unwrap(), declined);
    assert_eq!(failure(&declined).code, 1);
}

#[tokio::test]
async fn answers_survive_a_restart_byte_for_byte() {
    let stack = Stack::with_key().await.start().await;
    let (good, blobs) = request(72, "5").await;
    let (bad, _) = request(73, "6").await;
    let answered = stack.execute(&good, blobs.clone()).await.unwrap();
    let failed = stack.execute(&bad, blobs.clone()).await.unwrap();
    assert_eq!(failure(&failed).code, 2);

    let stack = stack.stop().await.start().await;
    assert_eq!(stack.execute(&good, blobs.clone()).await.unwrap(), answered);
    assert_eq!(stack.get_result(&bad).await.unwrap(), failed);
    assert_eq!(stack.engine.controls.decrypted.load(Ordering::SeqCst), 1);
    assert_eq!(reason(&stack.execute(&changed(&good), blobs).await.unwrap_err()), "request_conflict");
}

#[tokio::test]
async fn another_body_under_an_answered_id_is_a_conflict_for_every_call() {
    let stack = Stack::with_key().await.start().await;
    let (request, blobs) = request(74, "5").await;
    let answer = stack.execute(&request, blobs.clone()).await.unwrap();
    let other = changed(&request);
    for refused in [
        stack.execute(&other, blobs.clone()).await,
        stack.decline(&other, 1, 0).await,
        stack.get_result(&other).await,
    ] {
        let status = refused.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "request_conflict"));
    }
    assert_eq!(stack.execute(&request, blobs).await.unwrap(), answer);
}

#[tokio::test]
async fn who_asks_while_the_work_runs_waits_for_it() {
    let stack = Stack::with_key().await.start().await;
    let controls = stack.engine.controls.clone();
    let (request, blobs) = request(75, "5").await;
    let hold = controls.hold();
    let call = || {
        let (mut client, call) = (stack.client(), stack.execute_call(&request, blobs.clone()));
        spawn(async move { Ok(client.execute(call).await?.into_inner()) })
    };
    let first = call();
    begun(&controls, 1).await;
    let second = call();
    let conflict = stack.execute(&changed(&request), blobs.clone()).await.unwrap_err();
    assert_eq!(reason(&conflict), "request_conflict");

    let result = stack.get_result(&request);
    let (result, ()) = tokio::join!(result, async { drop(hold) });
    let answer = first.await.unwrap().unwrap();
    assert_eq!(second.await.unwrap().unwrap(), answer);
    assert_eq!(result.unwrap(), answer);
    assert_eq!(controls.decrypted.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_work_is_finished_when_its_caller_has_gone() {
    let stack = Stack::with_key().await.start().await;
    let controls = stack.engine.controls.clone();
    let (request, blobs) = request(76, "5").await;
    let hold = controls.hold();
    let (mut client, call) = (stack.client(), stack.execute_call(&request, blobs));
    let caller = tokio::spawn(async move { client.execute(call).await });
    begun(&controls, 1).await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    drop(hold);
    let answer = stack.get_result(&request).await.unwrap();
    assert_eq!(success(&answer).payload[31], 5);
}

#[tokio::test]
async fn the_callers_deadline_ends_his_wait_and_not_the_work() {
    let stack = Stack::with_key().await.start().await;
    let controls = stack.engine.controls.clone();
    let (request, blobs) = request(77, "5").await;
    let hold = controls.hold();
    let mut call = tonic::Request::new(stack.execute_call(&request, blobs));
    call.set_timeout(Duration::from_millis(300));
    let status = stack.client().execute(call).await.unwrap_err();
    assert!([Code::Cancelled, Code::DeadlineExceeded].contains(&status.code()), "{status:?}");
    drop(hold);
    begun(&controls, 1).await;
    assert_eq!(success(&stack.get_result(&request).await.unwrap()).payload[31], 5);
}

#[tokio::test]
async fn a_panic_hurts_its_own_request_only_and_leaves_nothing_behind() {
    let stack = Stack::with_key().await.start().await;
    let controls = stack.engine.controls.clone();
    let (broken, blobs) = request(78, "5").await;
    controls.panic_at_next_decryption.store(true, Ordering::SeqCst);
    let status = stack.execute(&broken, blobs.clone()).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Internal, "internal"));
    assert!(!format!("{status:?}").contains("on purpose"), "{status:?}");
    assert_eq!(reason(&stack.get_result(&broken).await.unwrap_err()), "unknown_request");

    let (other, others) = request(79, "6").await;
    assert_eq!(success(&stack.execute(&other, others).await.unwrap()).payload[31], 6);
    assert_eq!(success(&stack.execute(&broken, blobs).await.unwrap()).payload[31], 5);
}

#[tokio::test]
async fn fifty_requests_at_once_get_fifty_answers() {
    let stack = Stack::with_key().await.start().await;
    let mut calls = Vec::new();
    for value in 0..50u8 {
        let (request, blobs) = request(100 + u64::from(value), &value.to_string()).await;
        let (mut client, call) = (stack.client(), stack.execute_call(&request, blobs));
        calls.push((request, value, spawn(async move { Ok(client.execute(call).await?.into_inner()) })));
    }
    for (request, value, call) in calls {
        let answer = call.await.unwrap().unwrap();
        stack.check_receipt(&request, &answer);
        assert_eq!(success(&answer).payload[31], value);
    }
}

#[tokio::test]
async fn more_requests_than_the_limit_are_told_that_the_core_is_busy() {
    let mut stack = Stack::with_key().await;
    stack.settings.limits.max_requests = 1;
    let stack = stack.start().await;
    let controls = stack.engine.controls.clone();
    let hold = controls.hold();
    let (first, blobs) = request(80, "5").await;
    let (mut client, call) = (stack.client(), stack.execute_call(&first, blobs));
    let running = spawn(async move { Ok(client.execute(call).await?.into_inner()) });
    begun(&controls, 1).await;

    let (second, others) = request(81, "6").await;
    let status = stack.execute(&second, others.clone()).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "busy"));
    drop(hold);
    running.await.unwrap().unwrap();
    // Work leaves the desk just after its answer has left.
    let answer = loop {
        match stack.execute(&second, others.clone()).await {
            Err(status) if reason(&status) == "busy" => tokio::task::yield_now().await,
            other => break other.unwrap(),
        }
    };
    assert_eq!(success(&answer).payload[31], 6);
}
