//! The JSON is a promise to programs: it is compared as text.

use kms_asc_api::{Digest, FailureCode, OperationKind, PartyId, log::PartyCredit};

use super::*;
use crate::{output::Report, verify::tests::Scene};

fn view(scene: &Scene, state: State) -> RequestView {
    RequestView {
        request_hash: Digest::sha256(&scene.stored.bytes),
        body: scene.stored.body.clone(),
        state,
        due: false,
        code: None,
        reason: None,
        height: 125,
        time: 1_700_000_003,
        cancel_at: None,
        answered: vec![PartyId(1), PartyId(2)],
        failed: vec![],
        equivocated: vec![],
        winner: Some(PartyId(1)),
    }
}

impl RequestReport {
    /// Of a fulfilled request, before its answers are judged.
    pub fn fulfilled_for_test(scene: &Scene) -> Self {
        Self::new(&view(scene, State::Fulfilled), "ukms", None)
    }
}

fn word(value: u8) -> [u8; 32] {
    let mut word = [0; 32];
    word[31] = value;
    word
}

fn entry(seq: u64, height: u64, request: u64, body: LogBody) -> LogEntry {
    let time = 1_700_000_000 + height - 120;
    LogEntry { seq, height, time, actor: "wasm1op".into(), request_id: Some(RequestId(request)), body }
}

fn recorded(party: u32) -> LogBody {
    LogBody::ResponseRecorded {
        party: PartyId(party),
        epoch: kms_asc_api::EpochId(1),
        outcome: 0,
        response_hash: Digest::sha256(b"response"),
    }
}

fn entries() -> Vec<LogEntry> {
    let credit = |party: u32| PartyCredit::new(PartyId(party), 2_000u128.into());
    let submitted = LogBody::RequestSubmitted {
        operation: OperationKind::PublicDecrypt,
        key_id: None,
        price: 5_000u128.into(),
        deadline: 1,
        epoch: kms_asc_api::EpochId(1),
        request_hash: Digest::sha256(b"body"),
    };
    let fulfilled = LogBody::RequestFulfilled {
        payload_digest: Some(Digest::sha256(&word(42))),
        refund: 0u128.into(),
        credits: vec![credit(1), credit(2)],
        treasury: 1_000u128.into(),
    };
    vec![
        entry(1, 120, 9, submitted),
        entry(2, 121, 8, recorded(3)),
        entry(3, 122, 9, recorded(1)),
        entry(4, 123, 9, recorded(2)),
        entry(5, 123, 9, fulfilled),
    ]
}

fn fulfilled() -> RequestReport {
    let scene = Scene::decryption();
    let mut report = RequestReport::new(&view(&scene, State::Fulfilled), "ukms", Some(TxHash([0xab; 32])));
    report.judge(&scene.judge(), &[scene.answer(1, &word(42)), scene.answer(2, &word(42))]).unwrap();
    report.settle(&entries(), |party| Some((format!("operator-{party}"), format!("wasm1payout{party}"))));
    report
}

#[test]
fn the_json_of_a_request_has_its_fixed_form() {
    let json = serde_json::to_string_pretty(&fulfilled()).unwrap();
    let hash = fulfilled().settlement.request_hash;
    let expected = include_str!("request.json").replace("REQUEST_HASH", &hash);
    assert_eq!(json, expected.trim_end());
}

#[test]
fn the_text_of_a_request_says_all_of_it() {
    assert_eq!(fulfilled().text(), include_str!("request.txt").trim_end());
    assert_eq!(
        fulfilled().story(),
        "request 9 fulfilled in block 125 after 3 s, 2 of 2 answers verified, 5000ukms paid"
    );
}

#[test]
fn an_answer_that_does_not_verify_is_shown_and_reported() {
    let scene = Scene::decryption();
    let mut report = RequestReport::new(&view(&scene, State::Fulfilled), "ukms", None);
    let forged = ResponseView { external_signature: None, ..scene.answer(2, &word(42)) };
    let error = report.judge(&scene.judge(), &[scene.answer(1, &word(42)), forged]).unwrap_err();
    assert_eq!(error.exit().number(), 6);
    let verdicts: Vec<_> = report.responses.iter().map(|response| response.verified).collect();
    assert_eq!(verdicts, [true, false]);
    assert!(report.values.is_empty(), "a value without agreement was shown");
    assert!(report.text().contains("party 2: answer, SIGNATURES NOT VALID"), "{}", report.text());
}

#[test]
fn a_failure_is_told_by_its_name() {
    let scene = Scene::decryption();
    let failed = RequestView {
        code: Some(4),
        reason: Some("wrong_type".into()),
        winner: None,
        ..view(&scene, State::Failed)
    };
    let mut report = RequestReport::new(&failed, "ukms", None);
    report.judge(&scene.judge(), &[scene.failure(1, FailureCode::WrongType, Some(0))]).unwrap();
    assert_eq!(report.responses[0].outcome, "wrong_type");
    assert!(report.text().contains("failed: wrong_type"));
}

#[test]
fn a_request_past_its_end_says_what_to_do() {
    let scene = Scene::decryption();
    let due = RequestView { due: true, ..view(&scene, State::Expired) };
    let report = RequestReport::new(&due, "ukms", None);
    assert_eq!(report.finished, None);
    assert!(report.text().contains("kms request close 9"), "{}", report.text());
}

#[test]
fn values_are_shown_by_type_and_payloads_of_another_length_refused() {
    let scene = Scene::decryption();
    let shown = values(&scene.stored.body, &word(200)).unwrap();
    assert_eq!((shown[0].fhe_type.as_str(), shown[0].value.as_str()), ("uint64", "200"));
    assert!(values(&scene.stored.body, &[0; 31]).is_err());
    assert!(values(&scene.stored.body, &[0; 64]).is_err());
    assert!(values(&scene.stored.body, &[0xff; 32]).is_err(), "a value above 64 bits was shown");
}

#[test]
fn a_verified_input_is_shown_with_a_ref_for_each_element_that_cites_the_verification() {
    let claimed = crate::reference::tests::claimed(7);
    let scene = Scene::new(crate::command::verify_input::operation(&claimed).unwrap());
    let handle = |position: u8| {
        let mut bytes = [0xaa; 32];
        bytes[21] = position;
        bytes[22..30].copy_from_slice(&9000u64.to_be_bytes());
        bytes[30..].copy_from_slice(&[5, 0]);
        Handle::new(bytes)
    };
    let judged = |verdict: InputVerdict| {
        let mut report = RequestReport::new(&view(&scene, State::Fulfilled), "ukms", None);
        let payload = verdict.encode();
        report.judge(&scene.judge(), &[scene.answer(1, &payload), scene.answer(2, &payload)]).unwrap();
        report
    };
    let report = judged(InputVerdict::Accepted(vec![handle(0), handle(1)]));
    let input = report.settlement.input.clone().unwrap();
    assert!(input.valid && report.values.is_empty());
    let second: Reference = input.elements[1].reference.parse().unwrap();
    assert_eq!((second.claim, second.ciphertext.index), (None, 1));
    assert_eq!(second.ciphertext.handle, handle(1));
    assert_eq!(second.ciphertext.provenance, Provenance::Verified { request_id: RequestId(9) });
    assert_eq!(second.ciphertext.digest, claimed.ciphertext.digest);
    assert!(report.text().contains(&input.elements[0].reference), "{}", report.text());

    let refused = judged(InputVerdict::Refused);
    assert_eq!(refused.settlement.input, Some(InputReport { valid: false, elements: vec![] }));
    assert!(refused.text().contains("not valid"), "{}", refused.text());
}
