//! Which headers the core trusts, and what it does when it cannot trust any.

use std::{fs, time::Duration};

use kms_asc_api::{FheType, RequestBody};
use kms_core::Anchor;
use kms_core_proto::v1::InfoRequest;
use tonic_types::StatusExt;

use crate::{
    bodies::{body, public_decrypt, reference},
    seed::Seed,
    stack::{CHAIN_ID, Running, Stack, reason, success},
    world::{self, light_block},
};

async fn request(id: u64) -> (RequestBody, Vec<Vec<u8>>) {
    let bytes = Seed::get().await.encrypt(FheType::Uint8, "5");
    (body(id, public_decrypt(vec![reference(&bytes, FheType::Uint8)])), vec![bytes])
}

async fn trusted(stack: &Running) -> (u64, Vec<u8>) {
    let info = stack.client().info(InfoRequest {}).await.unwrap().into_inner();
    (info.trusted_height, info.trusted_hash)
}

/// What `kms-core trust` writes.
fn decide(stack: &Stack, height: u64) -> String {
    let hash = kms_asc_api::Digest::new(stack.chain().header_hash(height));
    let anchor = Anchor { height, hash }.to_string();
    fs::write(stack.settings.data_dir.join("trust-decision"), format!("{anchor}\n")).unwrap();
    anchor
}

#[tokio::test]
async fn the_newest_header_is_told_and_survives_a_restart() {
    let stack = Stack::empty().start().await;
    let first = stack.settings.trust.header;
    assert_eq!(trusted(&stack).await, (first.height, first.hash.as_bytes().to_vec()));
    stack.chain().advance_to(20);
    let answer = stack.submit(20).await.unwrap();
    let newest = (20, stack.chain().header_hash(20).to_vec());
    assert_eq!((answer.trusted_height, answer.trusted_hash), newest);
    let stack = stack.stop().await.start().await;
    assert_eq!(trusted(&stack).await, newest);
    // An older one is kept, and is not the newest.
    assert_eq!(stack.submit(15).await.unwrap().trusted_height, 20);
}

#[tokio::test]
async fn a_core_that_was_shown_nothing_yet_asks_for_the_header_that_it_is_to_begin_from() {
    let chain = world::chain(CHAIN_ID);
    let mut stack = Stack::with_key_following(chain).await;
    // What the stack leads its core to is another header than the configured one.
    let begin = stack.settings.trust.header;
    stack.chain().advance_to(begin.height + 5);
    let pins = world::trust(&stack.chain());
    stack.settings.trust = pins;
    let configured = stack.settings.trust.header;
    let (asked, blobs) = request(700).await;
    let running = {
        let hash = kms_asc_api::Digest::new([7; 32]);
        let mut unled = stack;
        unled.settings.trust.header = Anchor { hash, ..configured };
        unled.start().await
    };
    assert_eq!(trusted(&running).await, (configured.height, vec![7; 32]));
    let status = running.execute(&asked, blobs).await.unwrap_err();
    let info = status.get_details_error_info().unwrap();
    assert_eq!(
        (info.reason.as_str(), info.metadata["missing"].as_str()),
        ("proof_incomplete", "light_block")
    );
    assert_eq!(info.metadata["height"], configured.height.to_string());
    // The chain's header of that height has another hash than the one vouched for.
    assert_eq!(reason(&running.submit(configured.height).await.unwrap_err()), "header_invalid");
}

#[tokio::test]
async fn two_headers_of_one_height_stop_the_core_until_a_person_has_looked() {
    let stack = Stack::with_key().await.start().await;
    let (asked, blobs) = request(701).await;
    let mut fork = stack.chain().clone();
    fork.set(b"config", b"rewritten");
    fork.commit();
    let honest = stack.prove(&asked);
    let height = honest.height + 1;
    stack.execute_with(&asked, blobs.clone(), honest).await.unwrap();

    let call =
        kms_core_proto::v1::SubmitHeaderRequest { light_blocks: vec![light_block(fork.light_block(height))] };
    let status = stack.client().submit_header(call).await.unwrap_err();
    assert_eq!(reason(&status), "conflicting_headers");
    let evidence = stack.settings.data_dir.join(format!("conflicting-headers-{height}-1.json"));
    let evidence: serde_json::Value = serde_json::from_slice(&fs::read(evidence).unwrap()).unwrap();
    let seen: Vec<_> =
        evidence["light_blocks"].as_array().unwrap().iter().map(|b| b["header"].clone()).collect();
    let named = |hash: [u8; 32]| format!("{height}:{}", hex::encode(hash));
    assert_eq!(seen, [named(stack.chain().header_hash(height)), named(fork.header_hash(height))]);

    // Nothing is done any more, also after a restart; what was signed before is still given.
    let other = RequestBody { id: kms_asc_api::RequestId(702), ..asked.clone() };
    let refused = |status: tonic::Status| assert_eq!(reason(&status), "conflicting_headers");
    refused(stack.execute(&other, blobs.clone()).await.unwrap_err());
    let stack = stack.stop().await.start().await;
    refused(stack.execute(&other, blobs.clone()).await.unwrap_err());
    refused(stack.submit(height).await.unwrap_err());
    assert!(stack.get_result(&asked).await.is_ok());

    // A person looks, and vouches for one of them.
    let anchor = decide(&stack, height);
    let status = stack.execute(&other, blobs.clone()).await.unwrap_err();
    assert_eq!(status.get_details_error_info().unwrap().metadata["height"], height.to_string());
    stack.submit(height).await.unwrap();
    assert_eq!(success(&stack.execute(&other, blobs).await.unwrap()).payload[31], 5);
    assert!(!stack.settings.data_dir.join("trust-decision").exists());
    let log = fs::read_to_string(stack.settings.data_dir.join("trust.log")).unwrap();
    assert!(log.contains(&format!("two valid headers of height {height}")) && log.contains(&anchor), "{log}");
}

#[tokio::test]
async fn a_header_that_does_not_follow_the_trusted_one_is_a_conflict_too() {
    let stack = Stack::empty().start().await;
    let mut fork = stack.chain().clone();
    stack.chain().commit();
    fork.set(b"config", b"rewritten");
    fork.commit();
    fork.commit();
    let height = stack.chain().height();
    stack.submit(height).await.unwrap();
    let block = light_block(fork.light_block(height + 1));
    let call = kms_core_proto::v1::SubmitHeaderRequest { light_blocks: vec![block] };
    let status = stack.client().submit_header(call).await.unwrap_err();
    assert_eq!(reason(&status), "conflicting_headers");
}

#[tokio::test]
async fn a_header_that_is_not_valid_stops_nothing() {
    let stack = Stack::empty().start().await;
    let mut fork = stack.chain().clone();
    fork.usurp(kms_proofs::testing::Validators::made_of("usurpers", 4));
    fork.commit();
    stack.chain().commit();
    let height = stack.chain().height();
    stack.submit(height).await.unwrap();
    let block = light_block(fork.light_block(height));
    let call = kms_core_proto::v1::SubmitHeaderRequest { light_blocks: vec![block] };
    assert_eq!(reason(&stack.client().submit_header(call).await.unwrap_err()), "header_invalid");
    assert!(stack.submit(height).await.is_ok());
    let none = kms_core_proto::v1::SubmitHeaderRequest { light_blocks: vec![] };
    assert_eq!(reason(&stack.client().submit_header(none).await.unwrap_err()), "malformed_argument");
}

#[tokio::test]
async fn expired_trust_is_renewed_by_a_person() {
    let mut stack = Stack::with_key().await;
    // The chain's last header is half an hour old.
    stack.settings.trust.trusting_period = Duration::from_secs(1000);
    let stack = stack.start().await;
    assert_eq!(reason(&stack.submit(stack.settings.trust.header.height).await.unwrap_err()), "trust_expired");
    let (asked, blobs) = request(703).await;
    let proof = stack.prove(&asked);
    let refused = stack.execute_with(&asked, blobs.clone(), proof.clone()).await.unwrap_err();
    assert_eq!(reason(&refused), "proof_incomplete", "the header to begin from cannot be shown any more");

    decide(&stack, proof.height + 1);
    let answer = stack.execute_with(&asked, blobs, proof).await.unwrap();
    assert_eq!(success(&answer).payload[31], 5);
}

#[tokio::test]
async fn trust_that_expires_while_the_core_is_idle_is_renewed_by_a_person() {
    let mut stack = Stack::with_key().await.start().await.stop().await;
    stack.settings.trust.trusting_period = Duration::from_secs(1000);
    let stack = stack.start().await;
    let (asked, blobs) = request(704).await;
    let proof = stack.prove(&asked);
    let refused = stack.execute_with(&asked, blobs.clone(), proof.clone()).await.unwrap_err();
    assert_eq!(reason(&refused), "trust_expired");
    decide(&stack, proof.height + 1);
    assert!(stack.execute_with(&asked, blobs, proof).await.is_ok());
}

#[tokio::test]
async fn answers_are_forgotten_once_no_proof_can_show_their_request_pending() {
    let stack = Stack::with_key().await.start().await;
    let (asked, blobs) = request(705).await;
    stack.execute(&asked, blobs.clone()).await.unwrap();
    let finished = kms_asc_api::Status::new(kms_asc_api::State::Fulfilled, 0, 9, 100);
    let proof = {
        let mut chain = stack.chain();
        chain.put_request(&asked, &finished);
        let height = chain.commit();
        chain.request_proof(height, &asked)
    };
    // Any call's proof may show it: here that of another request.
    let (other, _) = request(706).await;
    let (shows, later) = {
        let mut chain = stack.chain();
        chain.put_request(&other, &world::pending());
        let height = chain.commit();
        let mut shows = chain.request_proof(height, &other);
        shows.entries.extend(proof.entries.iter().map(|entry| chain.entry(height, &entry.key)));
        chain.advance_to(height + 1 + 60);
        (shows, height + 1 + 60)
    };
    stack.execute_with(&other, blobs, shows).await.unwrap();
    assert!(stack.get_result(&asked).await.is_ok(), "an older proof could still show it pending");
    stack.submit(later).await.unwrap();
    // What is due is forgotten when the core looks after itself the next time.
    let forgotten = async {
        loop {
            match stack.get_result(&asked).await {
                Ok(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                Err(refused) => return reason(&refused).to_owned(),
            }
        }
    };
    let told = tokio::time::timeout(Duration::from_secs(60), forgotten).await;
    assert_eq!(told.as_deref(), Ok("unknown_request"));
}
