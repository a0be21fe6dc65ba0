use kms_asc_api::{
    Ciphertext, CiphertextFormat, CrsId, CrsRecord, Digest, EvmAddress, FailureCode, KeyId, Operation,
    Provenance, RequestId, VerifyInput, eip712,
    payload::{InputBinding, InputVerdict},
};
use kms_core_engine::{FheType, ParameterSet, Plaintext, Prover};

use super::scene::*;
use crate::{
    Error,
    operation::{
        Finding,
        ready::{StringParts, VerifierParts},
    },
    request::Request,
};

struct Input {
    scene: Scene,
    crs: CrsRecord,
    list: Vec<u8>,
    asked: VerifyInput,
}

impl Input {
    async fn of(values: &[Plaintext]) -> Self {
        let scene = Scene::new().await;
        let crs = scene.crs().await;
        let prover = Prover::load(&scene.published[1], reference_string()).unwrap();
        let address = |byte| EvmAddress::new([byte; 20]);
        let binding =
            InputBinding { contract: address(1), user: address(2), acl: address(3), chain_id: EVM_CHAIN };
        let list = prover.encrypt_proven(values, &binding.metadata()).unwrap();
        let asked = VerifyInput {
            key_id: KeyId(KEY_ID),
            crs_id: CrsId(3),
            digest: Digest::sha256(&list),
            size: list.len().try_into().unwrap(),
            user: binding.user,
            contract: binding.contract,
            acl: binding.acl,
            chain_id: binding.chain_id,
            domain: None,
            extra_data: b"extra".into(),
        };
        Self { scene, crs, list, asked }
    }

    fn request(&self, asked: VerifyInput) -> Request {
        let (key, crs) = (self.scene.key.clone(), self.crs.clone());
        request(20, Operation::VerifyInput(asked), Some(key), Some(crs))
    }

    /// With the reference string checked already, as by an earlier request: that takes seconds.
    async fn with_string_ready(values: &[Plaintext]) -> Self {
        let input = Self::of(values).await;
        input.scene.shop.strings.keep(input.string(), reference_string().clone());
        input
    }

    fn string(&self) -> StringParts {
        StringParts { params: ParameterSet::Test, crs: self.crs.digest }
    }

    async fn verify(&self, asked: VerifyInput, list: &[u8]) -> Finding {
        perform(&self.scene.shop, &self.request(asked), vec![list.to_vec()]).await
    }
}

fn refused(finding: Finding) -> bool {
    matches!(finding, Finding::Answer { payload, statement: None } if payload == [0])
}

#[tokio::test]
async fn a_proven_input_gets_handles_which_are_signed_and_its_elements_decrypt() {
    let values = [value(FheType::Uint8, "200"), value(FheType::Bool, "true")];
    let input = Input::with_string_ready(&values).await;
    let Finding::Answer { payload, statement } = input.verify(input.asked.clone(), &input.list).await else {
        panic!("no answer")
    };
    let InputVerdict::Accepted(handles) = InputVerdict::decode(&payload, EVM_CHAIN).unwrap() else {
        panic!("refused")
    };
    let expected = [(0, FheType::Uint8), (1, FheType::Bool)].map(|(index, fhe_type)| {
        kms_core_engine::Handle::derive(&input.list, index, [3; 20], EVM_CHAIN, fhe_type).to_bytes()
    });
    assert_eq!(handles.iter().map(|handle| *handle.as_bytes()).collect::<Vec<_>>(), expected);
    let signed = eip712::verify_input_hash(&input.scene.key.domain, &input.asked, &handles);
    assert_eq!(statement, Some(signed));

    let verified = |index: u16, fhe_type| Ciphertext {
        handle: handles[usize::from(index)],
        provenance: Provenance::Verified { request_id: RequestId(20) },
        ..element(&input.list, CiphertextFormat::Compact, index, fhe_type)
    };
    let asked = vec![verified(1, FheType::Bool), verified(0, FheType::Uint8)];
    let payload = payload_of(input.scene.decrypt(asked, vec![input.list.clone(); 2]).await);
    assert_eq!(payload, [values[1].words(), values[0].words()].concat());
}

#[tokio::test]
async fn another_binding_is_answered_to_be_no_input_without_a_statement() {
    let input = Input::with_string_ready(&[value(FheType::Uint8, "1")]).await;
    let other = EvmAddress::new([9; 20]);
    let right = &input.asked;
    for wrong in [
        VerifyInput { user: other, ..right.clone() },
        VerifyInput { contract: other, ..right.clone() },
        VerifyInput { acl: other, ..right.clone() },
        VerifyInput { chain_id: EVM_CHAIN + 1, ..right.clone() },
    ] {
        assert!(refused(input.verify(wrong, &input.list).await));
    }
}

#[tokio::test]
async fn bytes_that_match_and_are_no_list_are_an_answer_and_bytes_that_do_not_match_a_failure() {
    let input = Input::with_string_ready(&[value(FheType::Uint8, "1")]).await;
    let named = |bytes: &[u8]| VerifyInput {
        digest: Digest::sha256(bytes),
        size: bytes.len().try_into().unwrap(),
        ..input.asked.clone()
    };
    let mut longer = input.list.clone();
    longer.push(0);
    let mut changed = input.list.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    for bytes in [b"no list".to_vec(), longer, changed] {
        assert!(refused(input.verify(named(&bytes), &bytes).await), "{} bytes", bytes.len());
    }
    let mismatch = (FailureCode::CiphertextMismatch, None);
    assert_eq!(failure_of(input.verify(input.asked.clone(), b"other").await), mismatch);
    let shorter = VerifyInput { size: input.asked.size - 1, ..input.asked.clone() };
    assert_eq!(failure_of(input.verify(shorter, &input.list).await), mismatch);
    let huge = VerifyInput { size: 1 << 40, ..input.asked.clone() };
    assert_eq!(failure_of(input.verify(huge, &input.list).await), (FailureCode::TooLarge, None));
}

#[tokio::test]
async fn a_verifier_is_made_once_and_from_what_is_on_record_only() {
    let input = Input::of(&[value(FheType::Uint8, "1")]).await;
    let public_key = public_digest(&input.scene.key);
    let string = input.string();
    let parts = VerifierParts { public_key, string };
    assert!(input.scene.shop.verifiers.get(&parts).is_none());
    input.verify(input.asked.clone(), &input.list).await;
    assert!(input.scene.shop.verifiers.get(&parts).is_some());
    assert!(
        input.scene.shop.strings.get(&string).is_some(),
        "the next key's verifier would have it checked again"
    );

    // Another string on record: the store does not have it.
    let mut elsewhere = Input::of(&[value(FheType::Uint8, "1")]).await;
    elsewhere.crs.digest = Digest::new([5; 32]);
    let finding = elsewhere.verify(elsewhere.asked.clone(), &elsewhere.list).await;
    assert_eq!(failure_of(finding), (FailureCode::KeyUnavailable, None));
}

#[tokio::test]
async fn a_damaged_string_in_the_store_is_not_used() {
    let input = Input::of(&[value(FheType::Uint8, "1")]).await;
    let name = input.crs.digest.to_hex();
    let file = input.scene.folder.path().join("store/public").join(name.trim_start_matches("0x"));
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let finding = input.verify(input.asked.clone(), &input.list).await;
    assert_eq!(failure_of(finding), (FailureCode::KeyUnavailable, None));
}

#[tokio::test]
async fn a_string_for_keys_of_other_parameters_is_code_10() {
    let mut input = Input::of(&[value(FheType::Uint8, "1")]).await;
    let digest = input.scene.shop.store.put_public(&b"no string"[..], kms_core_engine::crs_digest).await;
    input.crs.digest = Digest::new(digest.unwrap().to_bytes());
    let finding = input.verify(input.asked.clone(), &input.list).await;
    assert_eq!(failure_of(finding), (FailureCode::Unsupported, None));
}

#[tokio::test]
async fn without_a_proven_record_nothing_is_verified() {
    let input = Input::of(&[value(FheType::Uint8, "1")]).await;
    let signer = std::sync::Arc::new(crate::Signer::generate());
    let bare = request(20, Operation::VerifyInput(input.asked.clone()), None, None);
    let result = input.scene.shop.perform(&signer, &bare, vec![input.list.clone().into()]).await;
    assert!(matches!(result, Err(Error::Internal { .. })));
}
