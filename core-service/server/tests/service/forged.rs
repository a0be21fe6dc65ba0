//! Requests that nobody recorded, or that must not be worked on: each is refused for its own reason, nothing is signed, and
//! the same call is accepted when it is honest.

mod code;
mod keys;

use kms_asc_api::{FheType, PublicKey, RequestBody, State, Status as RequestStatus, state_key};
use kms_core_proto::v1::Answer;
use kms_proofs::{
    StateEntry, StateProof, keys_of_request, store_key,
    testing::{FakeChain, Validators, now, renamed},
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::{
    bodies::{body, public_decrypt, reference, stored},
    seed::Seed,
    stack::{CHAIN_ID, CONTRACT, Running, Stack, execute_call, reason, success},
    world::{self, CODE_HASH, CODE_ID, ago, epoch, pending, wire},
};

/// A core with its chain, and a request that is recorded there in every honest case.
struct Scene {
    stack: Running,
    request: RequestBody,
    blobs: Vec<Vec<u8>>,
}

impl Scene {
    async fn new() -> Self {
        let bytes = Seed::get().await.encrypt(FheType::Uint8, "5");
        Self {
            stack: Stack::with_key().await.start().await,
            request: body(600, public_decrypt(vec![reference(&bytes, FheType::Uint8)])),
            blobs: vec![bytes],
        }
    }

    async fn ask(&self, proof: StateProof) -> Result<Answer, Status> {
        self.stack.execute_with(&self.request, self.blobs.clone(), proof).await
    }

    /// The reason of the refusal, by each call that works on a request; nothing may be recorded.
    async fn refused(&self, proof: StateProof) -> String {
        let status = self.ask(proof.clone()).await.unwrap_err();
        let call = kms_core_proto::v1::DeclineRequest {
            chain_id: CHAIN_ID.into(),
            contract: CONTRACT.into(),
            body: stored(&self.request),
            proof: Some(wire(proof)),
            code: 1,
            index: 0,
        };
        let declined = self.stack.client().decline(call).await.unwrap_err();
        assert_eq!(reason(&declined), reason(&status));
        let unknown = self.stack.get_result(&self.request).await.unwrap_err();
        assert_eq!((unknown.code(), reason(&unknown).as_str()), (Code::NotFound, "unknown_request"));
        reason(&status)
    }

    /// What the chain shows of the request now, after a change.
    fn shown(&self, change: impl FnOnce(&mut FakeChain)) -> StateProof {
        let mut chain = self.stack.chain();
        chain.put_request(&self.request, &pending());
        change(&mut chain);
        let height = chain.commit();
        chain.request_proof(height, &self.request)
    }

    /// The counter-test: recorded and pending, it is answered.
    async fn is_answered_when_honest(&self) {
        let answer = self.ask(self.stack.prove(&self.request)).await.unwrap();
        self.stack.check_receipt(&self.request, &answer);
        assert_eq!(success(&answer).payload[31], 5);
    }
}

#[tokio::test]
async fn a_request_that_was_never_recorded_is_refused() {
    let scene = Scene::new().await;
    let proof = {
        let mut chain = scene.stack.chain();
        let height = chain.commit();
        chain.request_proof(height, &scene.request)
    };
    assert_eq!(scene.refused(proof.clone()).await, "not_recorded");
    // Nor can its absence be kept silent about.
    let request = &keys_of_request(scene.stack.chain().contract(), &scene.request)[0];
    let silent = without(proof, request);
    assert_eq!(scene.refused(silent.clone()).await, "proof_incomplete");
    assert_eq!(missing(scene.ask(silent).await), hex::encode(request));
    scene.is_answered_when_honest().await;
}

fn without(proof: StateProof, key: &[u8]) -> StateProof {
    let entries = proof.entries.into_iter().filter(|entry| entry.key != key).collect();
    StateProof { entries, ..proof }
}

fn missing(result: Result<Answer, Status>) -> String {
    result.unwrap_err().get_details_error_info().unwrap().metadata["missing"].clone()
}

#[tokio::test]
async fn another_contract_with_identical_state_is_refused() {
    let scene = Scene::new().await;
    let other = [0xC1; 32];
    let proof = {
        let mut chain = scene.stack.chain();
        chain.put_request(&scene.request, &pending());
        chain.copy_contract(other);
        chain.remove(&state_key::REQUEST.key(600));
        chain.remove(&state_key::STATUS.key(600));
        let height = chain.commit();
        let own = *chain.contract().bytes();
        let honest = chain.request_proof(height, &scene.request);
        let keys: Vec<_> = honest.entries.iter().map(|entry| renamed(&entry.key, &own, &other)).collect();
        let proof = chain.proof(height, keys);
        assert!(proof.entries.iter().filter(|entry| entry.value.is_none()).count() == 1, "all but n + 1");
        proof
    };
    assert_eq!(scene.refused(proof).await, "wrong_contract");
    scene.is_answered_when_honest().await;
}

#[tokio::test]
async fn the_same_ids_on_another_chain_are_refused() {
    let scene = Scene::new().await;
    let mut other = world::chain("kms-test-2");
    let proof = world::prove(&mut other, &scene.request);
    assert_eq!(scene.refused(proof).await, "header_invalid");
    scene.is_answered_when_honest().await;
}

#[tokio::test]
async fn a_header_signed_by_the_wrong_validators_is_refused() {
    let scene = Scene::new().await;
    for (name, count, silent) in [("usurpers", 4, 0), ("validators", 4, 2)] {
        let mut fork = scene.stack.chain().clone();
        fork.usurp(Validators::made_of(name, count).with_silent(silent));
        let proof = world::prove(&mut fork, &scene.request);
        assert_eq!(scene.refused(proof).await, "header_invalid", "{name}, {silent} silent");
    }
    // A whole chain of that name, whose past nobody vouches for.
    let mut invented = FakeChain::new(CHAIN_ID);
    invented.usurp(Validators::made_of("usurpers", 4));
    invented.install(CODE_ID, CODE_HASH);
    invented.advance_to(5);
    let proof = world::prove(&mut invented, &scene.request);
    assert_eq!(scene.refused(proof).await, "header_invalid");
    scene.is_answered_when_honest().await;
}

#[tokio::test]
async fn a_finished_request_is_refused() {
    let scene = Scene::new().await;
    for state in State::ALL.into_iter().filter(|state| *state != State::Pending) {
        let status = RequestStatus::new(state, 1, 10, 110);
        let proof = scene.shown(|chain| drop(chain.put_request(&scene.request, &status)));
        assert_eq!(scene.refused(proof).await, "not_pending", "{state}");
    }
    scene.is_answered_when_honest().await;
}

#[tokio::test]
async fn a_replay_from_a_header_that_lies_far_behind_is_refused() {
    let scene = Scene::new().await;
    let old = scene.shown(|_| {});
    let (near, far) = {
        let mut chain = scene.stack.chain();
        let near = old.height + 1 + 50;
        chain.advance_to(near + 1);
        (near, near + 1)
    };
    // The request was pending then; what it is now, an old header does not say.
    scene.stack.submit(near).await.unwrap();
    let within = StateProof { entries: old.entries[1..].to_vec(), ..old.clone() };
    assert_eq!(scene.refused(within).await, "proof_incomplete");
    scene.stack.submit(far).await.unwrap();
    assert_eq!(scene.refused(old).await, "header_stale");
    scene.is_answered_when_honest().await;
}

#[tokio::test]
async fn a_replay_from_a_header_that_is_too_old_is_refused() {
    let scene = Scene::new().await;
    let at = |seconds| {
        let mut chain = scene.stack.chain();
        chain.put_request(&scene.request, &pending());
        let height = chain.commit_at(ago(seconds));
        chain.request_proof(height, &scene.request)
    };
    assert_eq!(scene.refused(at(32)).await, "header_stale");
    assert!(scene.ask(at(20)).await.is_ok());
}

#[tokio::test]
async fn a_replaced_epoch_record_is_refused() {
    let scene = Scene::new().await;
    let mut replaced = epoch();
    replaced.parties[0].signer = PublicKey::new([3; 33]);
    let proof = scene.shown(|chain| {
        let _ = chain.put_epoch(&replaced);
    });
    assert_eq!(scene.refused(proof).await, "epoch_not_pinned");
    replaced.revoked_at = Some(500);
    let proof = scene.shown(|chain| {
        let _ = chain.put_epoch(&replaced);
    });
    assert_eq!(scene.refused(proof).await, "epoch_not_pinned");
    scene.stack.chain().put_epoch(&epoch());
    scene.is_answered_when_honest().await;
}

#[tokio::test]
async fn a_revoked_epoch_is_refused() {
    let scene = Scene::new().await;
    let mut revoked = epoch();
    revoked.revoked_at = Some(500);
    let proof = scene.shown(|chain| {
        let _ = chain.put_epoch(&revoked);
    });
    assert_eq!(scene.refused(proof).await, "epoch_revoked");
    scene.stack.chain().put_epoch(&epoch());
    scene.is_answered_when_honest().await;
}

#[tokio::test]
async fn a_body_changed_by_a_byte_is_refused() {
    let scene = Scene::new().await;
    let proof = scene.shown(|_| {});
    let whole = String::from_utf8(stored(&scene.request)).unwrap();
    for changed in [
        whole.replace("wasm1user", "wasm1usor"),
        whole.replace("\"price\":\"100\"", "\"price\":\"101\""),
        whole.replace("\"time\":100", "\"time\":101"),
        format!("{whole} "),
    ] {
        assert_ne!(changed, whole);
        let call = execute_call(changed.as_bytes(), scene.blobs.clone(), Some(wire(proof.clone())));
        assert_eq!(reason(&scene.stack.call(call).await.unwrap_err()), "body_mismatch", "{changed}");
    }
    // Another id is another request.
    let other = whole.replace("\"id\":600", "\"id\":601");
    let call = execute_call(other.as_bytes(), scene.blobs.clone(), Some(wire(proof)));
    assert_eq!(reason(&scene.stack.call(call).await.unwrap_err()), "proof_incomplete");
    scene.is_answered_when_honest().await;
}

#[tokio::test]
async fn an_entry_of_another_height_is_refused() {
    let scene = Scene::new().await;
    let before = scene.shown(|_| {});
    let fulfilled = RequestStatus::new(State::Fulfilled, 0, 10, 110);
    let after = scene.shown(|chain| drop(chain.put_request(&scene.request, &fulfilled)));
    let status =
        store_key::contract_state(scene.stack.chain().contract().bytes(), &state_key::STATUS.key(600));
    let stale = before.entries.iter().find(|entry| entry.key == status).unwrap().clone();
    let mut mixed = without(after.clone(), &status);
    mixed.entries.push(stale);
    assert_eq!(scene.refused(mixed).await, "proof_invalid");
    // Nor does the old store lead to the new header.
    let mixed = StateProof { store_proof: before.store_proof, ..after };
    assert_eq!(scene.refused(mixed).await, "proof_invalid");
    scene.is_answered_when_honest().await;
}

#[tokio::test]
async fn a_value_that_is_not_the_proven_one_is_refused() {
    let scene = Scene::new().await;
    let honest = scene.shown(|_| {});
    for index in 0..honest.entries.len() {
        let mut proof = honest.clone();
        let StateEntry { value, .. } = &mut proof.entries[index];
        *value = match value.take() {
            Some(value) => Some([value.as_slice(), b" "].concat()),
            None => Some(b"x".to_vec()),
        };
        let refused = scene.refused(proof).await;
        assert!(["proof_invalid", "malformed_proof"].contains(&refused.as_str()), "{index}: {refused}");
    }
    assert!(scene.ask(honest).await.is_ok());
}

#[tokio::test]
async fn nothing_is_begun_shortly_before_the_requests_end() {
    let scene = Scene::new().await;
    let now = now().seconds;
    for (deadline, cancel_at) in [(now + 1, 0), (now + 600, now + 1), (now - 1, 0)] {
        let request = RequestBody { deadline: Some(deadline), ..scene.request.clone() };
        let proof = {
            let mut chain = scene.stack.chain();
            chain.put_request(&request, &RequestStatus { cancel_at, ..pending() });
            let height = chain.commit();
            chain.request_proof(height, &request)
        };
        let status = scene.stack.execute_with(&request, scene.blobs.clone(), proof).await.unwrap_err();
        assert_eq!(reason(&status), "deadline_passed", "{deadline} {cancel_at}");
    }
    let cancelled_later = RequestStatus { cancel_at: now + 600, ..pending() };
    let proof = scene.shown(|chain| drop(chain.put_request(&scene.request, &cancelled_later)));
    assert!(scene.ask(proof).await.is_ok());
}

#[tokio::test]
async fn a_call_without_a_proof_or_with_one_of_no_form_is_refused() {
    let scene = Scene::new().await;
    let refused = async |proof| {
        let call = execute_call(&stored(&scene.request), scene.blobs.clone(), proof);
        reason(&scene.stack.call(call).await.unwrap_err())
    };
    assert_eq!(refused(None).await, "malformed_proof");
    assert_eq!(refused(Some(kms_core_proto::v1::Proof::default())).await, "malformed_proof");
    let honest = wire(scene.shown(|_| {}));
    let mut garbage = honest.clone();
    garbage.light_blocks[0].signed_header = vec![7; 500];
    assert_eq!(refused(Some(garbage)).await, "malformed_proof");
    let mut garbage = honest.clone();
    garbage.store_proof = vec![7; 500];
    assert_eq!(refused(Some(garbage)).await, "malformed_proof");
    let mut garbage = honest.clone();
    garbage.entries[0].proof = vec![7; 500];
    assert_eq!(refused(Some(garbage)).await, "malformed_proof");
    let mut many = honest.clone();
    many.entries = vec![many.entries[0].clone(); 1025];
    assert_eq!(refused(Some(many)).await, "malformed_proof");
    let mut many = honest;
    many.light_blocks = vec![many.light_blocks[0].clone(); 65];
    assert_eq!(refused(Some(many)).await, "malformed_proof");
    scene.is_answered_when_honest().await;
}

#[tokio::test]
async fn what_several_requests_need_is_sent_once() {
    let scene = Scene::new().await;
    let (second, height) = {
        let second = RequestBody { id: kms_asc_api::RequestId(601), ..scene.request.clone() };
        let mut chain = scene.stack.chain();
        chain.put_request(&scene.request, &pending());
        chain.put_request(&second, &pending());
        (second, chain.commit())
    };
    let whole = scene.stack.chain().request_proof(height, &scene.request);
    scene.ask(whole).await.unwrap();
    let own = |id: u64| {
        let chain = scene.stack.chain();
        let keys = [state_key::REQUEST.key(id), state_key::STATUS.key(id)];
        let keys = keys.map(|key| store_key::contract_state(chain.contract().bytes(), &key));
        StateProof { light_blocks: vec![], store_proof: vec![], ..chain.proof(height, keys) }
    };
    let answer = scene.stack.execute_with(&second, scene.blobs.clone(), own(601)).await.unwrap();
    assert_eq!(success(&answer).payload[31], 5);
    // A request's own entries are shown by itself alone.
    let third = RequestBody { id: kms_asc_api::RequestId(602), ..second.clone() };
    let status = scene.stack.execute_with(&third, scene.blobs.clone(), own(601)).await.unwrap_err();
    assert_eq!(reason(&status), "proof_incomplete");

    // A core that was started anew has the header, and asks for the rest.
    let Scene { stack, blobs, .. } = scene;
    let stack = stack.stop().await.start().await;
    let third = {
        let mut chain = stack.chain();
        chain.put_request(&third, &pending());
        let height = chain.commit();
        chain.request_proof(height, &third)
    };
    let bare = StateProof { light_blocks: vec![], ..third.clone() };
    let ask = |proof| stack.execute_with(&second, blobs.clone(), proof);
    assert!(ask(bare.clone()).await.is_ok(), "its answer is recorded");
    let fourth = RequestBody { id: kms_asc_api::RequestId(602), ..second.clone() };
    let ask = |proof| stack.execute_with(&fourth, blobs.clone(), proof);
    let status = ask(bare).await.unwrap_err();
    let info = status.get_details_error_info().unwrap();
    assert_eq!(
        (info.metadata["missing"].as_str(), info.metadata["height"].clone()),
        ("light_block", (third.height + 1).to_string())
    );
    let rootless = StateProof { store_proof: vec![], ..third.clone() };
    assert_eq!(missing(ask(rootless).await), "store_proof");
    assert!(ask(third).await.is_ok());
}
