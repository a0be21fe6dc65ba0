//! States of keys, as the chain shows them: what they forbid, and what destroys.

use kms_asc_api::{CrsId, CrsRecord, Digest, EpochId, EvmAddress, KeyId, KeyState, Operation, VerifyInput};
use kms_core_proto::v1::{DestroyKeyRequest, KeyDestruction};
use kms_proofs::StateProof;
use tonic::Status;

use super::Scene;
use crate::{
    bodies::body,
    seed::KEY_ID,
    stack::{CHAIN_ID, CONTRACT, Running, reason},
    world::{key, wire},
};

#[tokio::test]
async fn a_key_that_is_suspended_or_destroyed_is_not_used() {
    let scene = Scene::new().await;
    for state in [KeyState::Suspended, KeyState::Destroyed] {
        let proof = scene.shown(|chain| drop(chain.put_key(&key(state))));
        assert_eq!(scene.refused(proof).await, "key_state", "{state:?}");
    }
    // A deactivated key still decrypts.
    scene.stack.chain().put_key(&key(KeyState::Deactivated));
    scene.is_answered_when_honest().await;
}

#[tokio::test]
async fn inputs_are_verified_under_an_active_key_only() {
    let scene = Scene::new().await;
    let address = EvmAddress::new([1; 20]);
    let list = vec![7; 100];
    let asked = Operation::VerifyInput(VerifyInput {
        key_id: KeyId(KEY_ID),
        crs_id: CrsId(8),
        digest: Digest::sha256(&list),
        size: 100,
        user: address,
        contract: address,
        acl: address,
        chain_id: 1,
        domain: None,
        extra_data: Vec::new().into(),
    });
    let request = body(601, asked);
    let ask = |proof| scene.stack.execute_with(&request, vec![list.clone()], proof);
    let proof = scene.stack.prove(&request);
    assert_eq!(reason(&ask(proof).await.unwrap_err()), "not_recorded");
    scene.stack.chain().put_crs(&CrsRecord {
        id: CrsId(8),
        epoch: EpochId(1),
        owner: "wasm1owner".into(),
        max_bits: 64,
        imported: false,
        digest: Digest::new([9; 32]),
        height: 2,
        time: 100,
    });
    for state in [KeyState::Suspended, KeyState::Deactivated, KeyState::Destroyed] {
        scene.stack.chain().put_key(&key(state));
        let proof = scene.stack.prove(&request);
        assert_eq!(reason(&ask(proof).await.unwrap_err()), "key_state", "{state:?}");
    }
    // With an active key it gets past the judge, to work that lacks its reference string.
    scene.stack.chain().put_key(&key(KeyState::Active));
    let proof = scene.stack.prove(&request);
    let judged = ask(proof).await;
    assert!(!judged.is_err_and(|status| ["key_state", "not_recorded"].contains(&reason(&status).as_str())));
}

async fn destroy(stack: &Running, key_id: u64, proof: StateProof) -> Result<KeyDestruction, Status> {
    let call = DestroyKeyRequest {
        chain_id: CHAIN_ID.into(),
        contract: CONTRACT.into(),
        key_id,
        proof: Some(wire(proof)),
    };
    Ok(stack.client().destroy_key(call).await?.into_inner())
}

#[tokio::test]
async fn a_key_is_destroyed_on_proof_of_its_state_alone() {
    let scene = Scene::new().await;
    let shown = |state| {
        let mut chain = scene.stack.chain();
        let record = chain.put_key(&key(state));
        let height = chain.commit();
        (record, chain.destruction_proof(height, &key(state)))
    };
    for state in [KeyState::Active, KeyState::Suspended, KeyState::Deactivated] {
        let (_, proof) = shown(state);
        let status = destroy(&scene.stack, KEY_ID, proof).await.unwrap_err();
        assert_eq!(reason(&status), "key_not_destroyed", "{state:?}");
    }
    let (record, proof) = shown(KeyState::Destroyed);
    let mut other = proof.clone();
    for entry in other.entries.iter_mut().filter(|entry| entry.value.as_deref() == Some(record.as_slice())) {
        entry.value = Some(serde_json::to_vec(&key(KeyState::Active)).unwrap());
    }
    assert_eq!(reason(&destroy(&scene.stack, KEY_ID, other).await.unwrap_err()), "proof_invalid");
    assert_eq!(
        reason(&destroy(&scene.stack, KEY_ID + 1, proof.clone()).await.unwrap_err()),
        "proof_incomplete"
    );
    let keys = scene.stack.client().list_keys(kms_core_proto::v1::ListKeysRequest {}).await.unwrap();
    assert_eq!(keys.into_inner().keys.len(), 1, "the key is still there");

    let attestation = destroy(&scene.stack, KEY_ID, proof.clone()).await.unwrap();
    assert!(attestation.held);
    assert_eq!(attestation.record_hash, Digest::sha256(&record).as_bytes());
    assert_eq!((attestation.key_id, attestation.epoch, attestation.party), (KEY_ID, 1, 1));
    assert_eq!(destroy(&scene.stack, KEY_ID, proof).await.unwrap(), attestation);
}
