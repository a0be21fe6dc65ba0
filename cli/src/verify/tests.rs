use kms_asc_api::{
    CrsId, EpochId, FailureCode, KeyDomain, KeyParams, Party, PublicDecrypt, RequestBody, RequestId,
    payload::InputVerdict,
};

use super::*;
use crate::reference::tests::example;

const CHAIN: &str = "kms-1";
const CONTRACT: &str = "wasm1asc";

/// A request with three operators, two of whom decide, and the means to answer it.
pub struct Scene {
    pub stored: StoredBody,
    pub epoch: Epoch,
    pub domain: Eip712Domain,
}

/// An operator's signing key.
fn key(party: u32) -> signing_key::SigningKey {
    signing_key::key(party)
}

/// The signing library, reached through the functions of the vocabulary.
mod signing_key {
    pub use k256::ecdsa::SigningKey;

    pub fn key(party: u32) -> SigningKey {
        let mut secret = [1; 32];
        secret[28..].copy_from_slice(&party.to_be_bytes());
        SigningKey::from_slice(&secret).unwrap()
    }
}

impl Scene {
    pub fn new(operation: Operation) -> Self {
        let party = |number| Party {
            party: PartyId(number),
            name: format!("operator-{number}"),
            signer: signing::public_key(key(number).verifying_key()),
            payout: format!("wasm1payout{number}"),
        };
        let body = RequestBody {
            v: 1,
            id: RequestId(9),
            requester: "wasm1user".into(),
            operation,
            epoch: Some(EpochId(1)),
            price: 5_000u128.into(),
            deadline: Some(1_700_000_060),
            height: 120,
            time: 1_700_000_000,
            callback: None,
        };
        let epoch = Epoch {
            id: EpochId(1),
            mode: EpochMode::Threshold,
            faulty: 0,
            majority: 2,
            reconstruction: 2,
            parties: (1..=3).map(party).collect(),
            revoked_at: None,
        };
        let domain = KeyDomain { name: "KMSGeneration".into(), version: "1".into(), chain_id: 1 };
        let domain = domain.for_key(CHAIN, CONTRACT, body.statement_key()).unwrap();
        let bytes = serde_json::to_vec(&body).unwrap();
        Self { stored: StoredBody { bytes, body }, epoch, domain }
    }

    pub fn decryption() -> Self {
        let reference = example(7);
        Self::new(Operation::PublicDecrypt(PublicDecrypt {
            key_id: reference.key_id,
            ciphertexts: vec![reference.ciphertext],
            domain: None,
            extra_data: b"extra".into(),
        }))
    }

    pub fn judge(&self) -> Judge<'_> {
        Judge {
            chain_id: CHAIN,
            contract: CONTRACT,
            stored: &self.stored,
            epoch: &self.epoch,
            domain: &self.domain,
        }
    }

    fn receipt(&self, party: u32, outcome: Outcome, payload_digest: Digest) -> Signature {
        let receipt = eip712::Receipt {
            chain_id: CHAIN,
            contract: CONTRACT,
            request_id: self.stored.body.id,
            request_hash: request_hash(&self.stored.bytes),
            epoch: self.epoch.id,
            party: PartyId(party),
            outcome,
            payload_digest,
        };
        signing::sign(&key(party), &receipt.signing_hash()).unwrap()
    }

    pub fn answer(&self, party: u32, payload: &[u8]) -> ResponseView {
        let statement = self.judge().statement(PartyId(party), payload).unwrap();
        let payload_digest = Digest::sha256(payload);
        ResponseView {
            request_id: self.stored.body.id,
            party: PartyId(party),
            epoch: self.epoch.id,
            outcome: 0,
            late: false,
            receipt: self.receipt(party, Outcome::Answer, payload_digest),
            external_signature: statement.map(|hash| signing::sign(&key(party), &hash).unwrap()),
            payload: Some(payload.into()),
            payload_digest,
            index: None,
        }
    }

    pub fn failure(&self, party: u32, code: FailureCode, index: Option<u16>) -> ResponseView {
        let outcome = Outcome::Failure(code);
        let payload_digest = Digest::sha256(&index.unwrap_or(u16::MAX).to_be_bytes());
        ResponseView {
            outcome: outcome.number(),
            receipt: self.receipt(party, outcome, payload_digest),
            external_signature: None,
            payload: None,
            payload_digest,
            index,
            ..self.answer(party, &[0; 32])
        }
    }
}

fn word(value: u8) -> [u8; 32] {
    let mut word = [0; 32];
    word[31] = value;
    word
}

#[test]
fn an_answer_of_a_party_verifies() {
    let scene = Scene::decryption();
    assert_eq!(scene.judge().response(&scene.answer(2, &word(42))), Ok(()));
}

#[test]
fn a_generated_keys_answer_verifies_under_the_domain_of_its_own_id() {
    let scene =
        Scene::new(Operation::KeyGen(KeyGen { params: KeyParams::Default, source: KeySource::Generate }));
    assert_eq!(scene.stored.body.statement_key(), KeyId(9));
    let payload: Vec<u8> = [[0; 33], [1; 33]].concat();
    assert_eq!(scene.judge().response(&scene.answer(1, &payload)), Ok(()));
}

#[test]
fn anything_changed_in_an_answer_is_found() {
    let scene = Scene::decryption();
    let good = scene.answer(1, &word(42));
    let other = scene.answer(2, &word(42));
    let cases = [
        (Fault::Payload, ResponseView { payload: Some(word(43).into()), ..good.clone() }),
        (Fault::Payload, ResponseView { payload: None, ..good.clone() }),
        (Fault::Receipt, ResponseView { receipt: other.receipt, ..good.clone() }),
        (Fault::Receipt, ResponseView { party: PartyId(2), ..good.clone() }),
        (Fault::External, ResponseView { external_signature: other.external_signature, ..good.clone() }),
        (Fault::External, ResponseView { external_signature: None, ..good.clone() }),
        (Fault::UnknownParty { epoch: 1 }, ResponseView { party: PartyId(4), ..good.clone() }),
        (Fault::Binding, ResponseView { epoch: EpochId(2), ..good.clone() }),
        (Fault::Binding, ResponseView { request_id: RequestId(8), ..good.clone() }),
        (Fault::Outcome(99), ResponseView { outcome: 99, ..good }),
    ];
    for (fault, response) in cases {
        assert_eq!(scene.judge().response(&response), Err(fault));
    }
}

#[test]
fn an_answer_holds_for_its_request_domain_chain_and_contract_only() {
    let scene = Scene::decryption();
    let answer = scene.answer(1, &word(42));
    let mut changed = Scene::decryption();
    changed.stored.bytes.push(b' ');
    assert_eq!(changed.judge().response(&answer), Err(Fault::Receipt));
    let mut elsewhere = Scene::decryption();
    elsewhere.domain.chain_id = 2;
    assert_eq!(elsewhere.judge().response(&answer), Err(Fault::External));
    let judge = Judge { chain_id: "kms-2", ..scene.judge() };
    assert_eq!(judge.response(&answer), Err(Fault::Receipt));
    let judge = Judge { contract: "wasm1other", ..scene.judge() };
    assert_eq!(judge.response(&answer), Err(Fault::Receipt));
}

#[test]
fn a_failure_verifies_with_its_index_and_with_none() {
    let scene = Scene::decryption();
    for index in [Some(0), None] {
        let failure = scene.failure(3, FailureCode::WrongType, index);
        assert_eq!(scene.judge().response(&failure), Ok(()));
        let moved = ResponseView { index: Some(5), ..failure.clone() };
        assert_eq!(scene.judge().response(&moved), Err(Fault::Payload));
        let recoded = ResponseView { outcome: 3, ..failure };
        assert_eq!(scene.judge().response(&recoded), Err(Fault::Receipt));
    }
}

#[test]
fn of_a_late_answer_the_receipt_is_checked() {
    let scene = Scene::decryption();
    let answer = scene.answer(1, &word(42));
    let late = ResponseView { late: true, payload: None, external_signature: None, ..answer };
    assert_eq!(scene.judge().response(&late), Ok(()));
    let forged = ResponseView { payload_digest: Digest::sha256(b"other"), ..late };
    assert_eq!(scene.judge().response(&forged), Err(Fault::Receipt));
}

#[test]
fn only_equal_answers_of_enough_parties_that_verify_decide() {
    let scene = Scene::decryption();
    let judge = scene.judge();
    let answer = |party, value| scene.answer(party, &word(value));
    assert_eq!(judge.decided(&[answer(1, 42), answer(2, 42)]), Some(word(42).as_slice()));
    assert_eq!(judge.decided(&[answer(1, 42), answer(2, 43)]), None);
    assert_eq!(judge.decided(&[answer(1, 42), answer(1, 42)]), None, "one party twice");
    let late = ResponseView { late: true, ..answer(2, 42) };
    assert_eq!(judge.decided(&[answer(1, 42), late]), None);
    let unsigned = ResponseView { external_signature: None, ..answer(2, 42) };
    assert_eq!(judge.decided(&[answer(1, 42), unsigned.clone()]), None);
    assert!(judge.decided(&[answer(1, 42), unsigned, answer(3, 42)]).is_some());
}

#[test]
fn a_default_domain_names_its_key_on_this_chain() {
    let scene = Scene::decryption();
    assert!(is_domain_of(&scene.domain, CHAIN, CONTRACT, KeyId(7)));
    assert!(!is_domain_of(&scene.domain, CHAIN, CONTRACT, KeyId(8)));
    assert!(!is_domain_of(&scene.domain, "kms-2", CONTRACT, KeyId(7)));
}

#[test]
fn a_payload_that_is_no_answer_to_a_user_does_not_verify() {
    let decryption = Scene::decryption();
    let Operation::PublicDecrypt(public) = &decryption.stored.body.operation else { panic!() };
    let scene = Scene::new(Operation::UserDecrypt(kms_asc_api::UserDecrypt {
        key_id: public.key_id,
        ciphertexts: public.ciphertexts.clone(),
        enc_key: Default::default(),
        user: kms_asc_api::EvmAddress::new([1; 20]),
        contracts: vec![],
        valid_from: 0,
        valid_days: 1,
        user_signature: Signature::new([0; 65]),
        domain: None,
        extra_data: Default::default(),
    }));
    assert_eq!(scene.stored.body.statement_key(), public.key_id);
    let payload = word(42);
    let response = ResponseView {
        payload: Some(payload.into()),
        payload_digest: Digest::sha256(&payload),
        receipt: scene.receipt(1, Outcome::Answer, Digest::sha256(&payload)),
        ..decryption.answer(1, &payload)
    };
    assert_eq!(scene.judge().response(&response), Err(Fault::Payload));
    assert!(scene.judge().user_answers(&[response]).is_empty());
}

fn input() -> kms_asc_api::VerifyInput {
    kms_asc_api::VerifyInput {
        key_id: KeyId(7),
        crs_id: CrsId(2),
        digest: Digest::sha256(b"list"),
        size: 4,
        user: kms_asc_api::EvmAddress::new([1; 20]),
        contract: kms_asc_api::EvmAddress::new([2; 20]),
        acl: kms_asc_api::EvmAddress::ZERO,
        chain_id: 9000,
        domain: None,
        extra_data: Default::default(),
    }
}

#[test]
fn the_handles_of_an_input_are_signed_and_its_refusal_has_no_statement() {
    let scene = Scene::new(Operation::VerifyInput(input()));
    assert_eq!(scene.stored.body.statement_key(), KeyId(7));
    let mut handle = [0xaa; 32];
    handle[21] = 0;
    handle[22..30].copy_from_slice(&9000u64.to_be_bytes());
    handle[30..].copy_from_slice(&[5, 0]);
    let accepted = InputVerdict::Accepted(vec![kms_asc_api::Handle::new(handle)]).encode();
    let answer = scene.answer(1, &accepted);
    assert_eq!(scene.judge().response(&answer), Ok(()));
    let unsigned = ResponseView { external_signature: None, ..answer };
    assert_eq!(scene.judge().response(&unsigned), Err(Fault::External));

    let refusal = scene.answer(1, &InputVerdict::Refused.encode());
    assert_eq!((refusal.external_signature, scene.judge().response(&refusal)), (None, Ok(())));
    let signed = ResponseView { external_signature: Some(refusal.receipt), ..refusal };
    assert_eq!(scene.judge().response(&signed), Err(Fault::External));
}

#[test]
fn a_reference_strings_answer_verifies_under_the_domain_of_its_own_id() {
    let operation = |source| Operation::CrsGen(kms_asc_api::CrsGen { max_bits: 64, source });
    let scene = Scene::new(operation(CrsSource::Generate));
    assert_eq!(scene.stored.body.statement_key(), KeyId(9));
    assert_eq!(scene.judge().response(&scene.answer(1, &[5; 32])), Ok(()));

    let imported = Scene::new(operation(CrsSource::Import { digest: Digest::new([6; 32]) }));
    assert_eq!(imported.judge().response(&imported.answer(1, &[6; 32])), Ok(()));
    assert_eq!(
        imported.judge().statement(PartyId(1), &[5; 32]),
        Err(Fault::Payload),
        "another string than was asked for"
    );
}

#[test]
fn a_takeover_is_signed_for_the_key_that_is_taken_over() {
    let source = KeySource::Takeover { key_id: KeyId(4) };
    let scene = Scene::new(Operation::KeyGen(KeyGen { params: KeyParams::Default, source }));
    assert_eq!(scene.stored.body.statement_key(), KeyId(4));
    let payload: Vec<u8> = [[0; 33], [1; 33]].concat();
    let digests = payload::decode_key_digests(&payload).unwrap();
    let expected = eip712::key_gen_hash(&scene.domain, KeyId(4), &digests);
    assert_eq!(scene.judge().statement(PartyId(1), &payload), Ok(Some(expected)));
}
