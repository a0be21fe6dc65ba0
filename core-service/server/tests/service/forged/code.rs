//! The contract's code and who may change it, as the chain shows them.

use kms_asc_api::{Digest, FheType};
use kms_proofs::store_key;

use super::{Scene, missing, without};
use crate::{
    bodies::{body, public_decrypt, reference},
    seed::Seed,
    stack::{CONTRACT, Stack},
    world::{CODE_HASH, CODE_ID},
};

#[tokio::test]
async fn code_that_is_not_pinned_is_refused_also_after_it_is_gone() {
    let scene = Scene::new().await;
    let migrated = scene.shown(|chain| chain.install(2, [0xBA; 32]));
    assert_eq!(scene.refused(migrated).await, "code_not_allowed");
    let back = scene.shown(|chain| chain.install(CODE_ID, CODE_HASH));
    assert_eq!(scene.refused(back).await, "code_not_allowed");

    // The history cannot be cut short: the end of it must be proven to be one.
    let address = *scene.stack.chain().contract().bytes();
    let (second, code) = (store_key::code_history(&address, 2), store_key::code_info(2));
    for hidden in [second, code] {
        let cut = without(scene.shown(|_| {}), &hidden);
        assert_eq!(scene.refused(cut.clone()).await, "proof_incomplete");
        assert_eq!(missing(scene.ask(cut).await), hex::encode(&hidden));
    }
    let honest = Scene::new().await;
    honest.is_answered_when_honest().await;
}

#[tokio::test]
async fn a_history_without_its_proven_end_is_refused() {
    let scene = Scene::new().await;
    let end = store_key::code_history(scene.stack.chain().contract().bytes(), 2);
    let endless = without(scene.shown(|_| {}), &end);
    assert_eq!(scene.refused(endless.clone()).await, "proof_incomplete");
    assert_eq!(missing(scene.ask(endless).await), hex::encode(&end));
    scene.is_answered_when_honest().await;
}

#[tokio::test]
async fn a_migration_to_another_pinned_code_is_accepted() {
    let mut stack = Stack::with_key().await;
    stack.settings.trust.allowed_code.insert(Digest::new([0xBA; 32]));
    let stack = stack.start().await;
    stack.chain().install(2, [0xBA; 32]);
    let bytes = Seed::get().await.encrypt(FheType::Uint8, "5");
    let request = body(600, public_decrypt(vec![reference(&bytes, FheType::Uint8)]));
    assert!(stack.execute(&request, vec![bytes]).await.is_ok());
}

#[tokio::test]
async fn another_wasm_admin_than_the_contract_is_refused() {
    let scene = Scene::new().await;
    for admin in ["wasm1admin", ""] {
        let proof = scene.shown(|chain| chain.set_contract_info(CODE_ID, admin));
        assert_eq!(scene.refused(proof).await, "wasm_admin", "{admin:?}");
    }
    scene.stack.chain().set_contract_info(CODE_ID, CONTRACT);
    scene.is_answered_when_honest().await;
}
