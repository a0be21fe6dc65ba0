//! Reference strings, inputs, and decryptions for one user.

use anyhow::Result;
use kms_asc_api::{
    CrsGen, CrsId, CrsSource, Digest, ExecuteMsg, FheType, ItemOutcome, Operation, PartyId, RequestId,
    payload::InputVerdict,
};
use kms_e2e::{Bench, element, input, user_decrypt};

use crate::scene::{Notes, Stage, ciphertext_of, counted};

/// Elements of an input.
const ELEMENTS: u8 = 10;

/// The gas of every party's answer, in order; `payload` says what a party answers.
async fn answers(
    bench: &Bench,
    id: RequestId,
    payload: impl Fn(&[u8], PartyId) -> Result<Vec<u8>>,
) -> Result<Vec<u64>> {
    let body = bench.body(id).await?;
    let mut gas = Vec::new();
    for party in bench.parties() {
        let answer = bench.operators.answer(&body, party, &payload(&body, party)?)?;
        let late = party.get() > bench.majority();
        let expected = if late { ItemOutcome::Late } else { ItemOutcome::Recorded };
        gas.push(bench.respond(vec![answer], expected).await?.gas);
    }
    Ok(gas)
}

/// Notes what the first answer and the deciding one cost.
fn note_answers(bench: &Bench, notes: &mut Notes, of: &str, gas: &[u64]) -> Result<()> {
    let deciding = usize::try_from(bench.majority())? - 1;
    if deciding > 0 {
        notes.note(format!("submit_responses: {of}, first answer"), gas[0]);
    }
    notes.note(format!("submit_responses: {of}, deciding answer"), gas[deciding]);
    Ok(())
}

/// A reference string, and an input of ten elements that it proves.
pub async fn inputs(stage: &Stage, notes: &mut Notes) -> Result<()> {
    let Stage { bench, key } = stage;
    let operation = Operation::CrsGen(CrsGen { max_bits: 2048, source: CrsSource::Generate });
    let (id, sent) = bench.submit(&bench.owner, operation, None).await?;
    notes.note("submit_request: crs_gen", sent.gas);
    let digest = Digest::sha256(b"reference string");
    let gas = answers(bench, id, |_, _| Ok(digest.as_bytes().to_vec())).await?;
    note_answers(bench, notes, "crs_gen", &gas)?;

    let crs_id = CrsId::from(id);
    let allow = ExecuteMsg::SetCrs { key_id: *key, crs_ids: vec![crs_id] };
    notes.note("set_crs", bench.execute(&bench.owner, &allow, 0).await?.gas);

    let operation = Operation::VerifyInput(input(*key, crs_id)?);
    let (id, sent) = bench.submit(&bench.stranger, operation, None).await?;
    notes.note("submit_request: verify_input", sent.gas);
    let payload = InputVerdict::Accepted((0..ELEMENTS).map(element).collect()).encode();
    let gas = answers(bench, id, |_, _| Ok(payload.clone())).await?;
    note_answers(bench, notes, "verify_input, 10 elements", &gas)
}

/// A decryption for the user of values whose answers are of about 1,200 bytes each: one of 512 bits where the
/// answer is the value, one of 8 bits where it is a share.
async fn for_the_user(stage: &Stage, notes: &mut Notes, ciphertexts: u8) -> Result<()> {
    let Stage { bench, key } = stage;
    let of = format!("user_decrypt, {}", counted(ciphertexts));
    let fhe_type = if bench.majority() == 1 { FheType::Uint512 } else { FheType::Uint8 };
    let values = (0..ciphertexts).map(|number| ciphertext_of(number, fhe_type)).collect();
    let op = user_decrypt(bench, *key, values).await?;
    let (id, sent) = bench.submit(&bench.owner, Operation::UserDecrypt(op), None).await?;
    notes.note(format!("submit_request: {of}"), sent.gas);
    let payload = |body: &[u8], party| bench.operators.user_payload(body, party);
    let first = payload(&bench.body(id).await?, PartyId(1))?;
    notes.note(format!("bytes of an answer: {of}"), u64::try_from(first.len())?);
    let gas = answers(bench, id, payload).await?;
    note_answers(bench, notes, &of, &gas)
}

/// One value.
pub async fn for_the_user_one_value(stage: &Stage, notes: &mut Notes) -> Result<()> {
    for_the_user(stage, notes, 1).await
}

/// Ten values.
pub async fn for_the_user_ten_values(stage: &Stage, notes: &mut Notes) -> Result<()> {
    for_the_user(stage, notes, 10).await
}
