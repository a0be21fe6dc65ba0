//! The service around the work: who it is, whether it is well, how it stops.

use std::{fs, sync::atomic::Ordering};

use kms_asc_api::FheType;
use kms_core_engine::TFHE_VERSION;
use kms_core_proto::v1::InfoRequest;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::{
    bodies::{body, public_decrypt, reference},
    seed::Seed,
    stack::{CHAIN_ID, CONTRACT, Running, Stack, reason, success},
};

#[tokio::test]
async fn info_says_who_the_core_is() {
    let stack = Stack::empty().start().await;
    let info = stack.client().info(InfoRequest {}).await.unwrap().into_inner();
    assert_eq!((info.chain_id.as_str(), info.contract.as_str()), (CHAIN_ID, CONTRACT));
    assert_eq!(info.signer, stack.signer.as_bytes());
    assert_eq!(info.signer_address.len(), 20);
    assert_eq!(info.tfhe_version, TFHE_VERSION);
    assert_eq!(info.version, env!("CARGO_PKG_VERSION"));
    assert_eq!(info.max_message_bytes, 64 << 20);
    let memberships: Vec<_> = info.memberships.iter().map(|m| (m.epoch, m.party)).collect();
    assert_eq!(memberships, [(1, 1)]);
}

async fn health(stack: &Running, service: &str) -> ServingStatus {
    let check = HealthCheckRequest { service: service.into() };
    HealthClient::new(stack.channel.clone()).check(check).await.unwrap().into_inner().status()
}

/// Waits until the core as a whole says so.
async fn await_health(stack: &Running, status: ServingStatus) {
    while health(stack, "kms.v1.Kms").await != status {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn health_says_serving() {
    let stack = Stack::empty().start().await;
    for service in ["", "kms.v1.Kms", "kms.v1.Kms/answers", "kms.v1.Kms/store"] {
        assert_eq!(health(&stack, service).await, ServingStatus::Serving, "{service}");
    }
}

#[tokio::test]
async fn health_names_what_a_core_lacks_while_it_lacks_it() {
    let stack = Stack::empty().start().await;
    let store = stack.settings.store_url.to_file_path().unwrap();
    fs::remove_dir_all(&store).unwrap();
    fs::write(&store, "in the way").unwrap();
    await_health(&stack, ServingStatus::NotServing).await;
    assert_eq!(health(&stack, "kms.v1.Kms/store").await, ServingStatus::NotServing);
    for well in ["", "kms.v1.Kms/answers"] {
        assert_eq!(health(&stack, well).await, ServingStatus::Serving, "{well}");
    }

    fs::remove_file(&store).unwrap();
    fs::create_dir(&store).unwrap();
    await_health(&stack, ServingStatus::Serving).await;
    assert_eq!(health(&stack, "kms.v1.Kms/store").await, ServingStatus::Serving);
}

#[tokio::test]
async fn reflection_names_the_services() {
    let stack = Stack::empty().start().await;
    let ask = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let (questions, received) = tokio::sync::mpsc::channel(1);
    questions.send(ask).await.unwrap();
    let mut responses = ServerReflectionClient::new(stack.channel.clone())
        .server_reflection_info(tokio_stream::wrappers::ReceiverStream::new(received))
        .await
        .unwrap()
        .into_inner();
    let response = responses.message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(list) = response else { panic!("{response:?}") };
    let names: Vec<_> = list.service.iter().map(|service| service.name.as_str()).collect();
    assert!(names.contains(&"kms.v1.Kms") && names.contains(&"grpc.health.v1.Health"), "{names:?}");
}

#[tokio::test]
async fn a_core_that_stops_finishes_its_work_and_takes_no_new() {
    let stack = Stack::with_key().await.start().await;
    let controls = stack.engine.controls.clone();
    let hold = controls.hold();
    let bytes = Seed::get().await.encrypt(FheType::Uint8, "5");
    let request = |id| body(id, public_decrypt(vec![reference(&bytes, FheType::Uint8)]));
    let (mut client, call) = (stack.client(), stack.execute_call(&request(300), vec![bytes.clone()]));
    let running = tokio::spawn(async move { client.execute(call).await });
    while controls.decrypted.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }

    stack.ask_to_stop();
    // Until the core has heard it, new requests are held as well.
    await_health(&stack, ServingStatus::NotServing).await;
    let status = stack.execute(&request(301), vec![bytes.clone()]).await.unwrap_err();
    assert_eq!(reason(&status), "shutting_down");

    drop(hold);
    let answer = running.await.unwrap().unwrap().into_inner();
    assert_eq!(success(&answer).payload[31], 5);
    let stack = stack.stop().await.start().await;
    assert_eq!(stack.get_result(&request(300)).await.unwrap(), answer);
}

#[tokio::test]
async fn a_core_whose_work_does_not_end_stops_all_the_same_and_forgets_it() {
    let mut stack = Stack::with_key().await;
    stack.settings.limits.stop_seconds = 0;
    let stack = stack.start().await;
    let controls = stack.engine.controls.clone();
    let hold = controls.hold();
    let bytes = Seed::get().await.encrypt(FheType::Uint8, "5");
    let request = body(302, public_decrypt(vec![reference(&bytes, FheType::Uint8)]));
    let (mut client, call) = (stack.client(), stack.execute_call(&request, vec![bytes.clone()]));
    let running = tokio::spawn(async move { client.execute(call).await });
    while controls.decrypted.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let stopped = stack.stop().await;
    assert_eq!(reason(&running.await.unwrap().unwrap_err()), "shutting_down");
    drop(hold);
    let stack = stopped.start().await;
    let answer = stack.execute(&request, vec![bytes]).await.unwrap();
    assert_eq!(success(&answer).payload[31], 5);
}
