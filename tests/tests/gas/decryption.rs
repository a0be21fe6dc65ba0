//! Public decryptions, from the request to the last answer.

use anyhow::Result;
use kms_asc_api::{
    ExecuteMsg, ItemOutcome, NewRequest, PartyId, RequestId, SubmitRequestData, SubmitRequestsData,
};

use crate::scene::{Notes, Stage, counted, public_decrypt, words};

/// Request and answers, each in a transaction of its own. Every party answers; those after the decision are
/// late.
async fn cycle(stage: &Stage, notes: &mut Notes, ciphertexts: u8) -> Result<()> {
    let Stage { bench, key } = stage;
    let of = counted(ciphertexts);
    let payload = words(ciphertexts);
    // The first request leaves what later ones find: a credit, a treasury.
    let (first, _) = bench.submit(&bench.owner, public_decrypt(*key, ciphertexts), None).await?;
    answer_all(stage, first, &payload).await?;

    let stored = bench.state_bytes().await?;
    let (id, sent) = bench.submit(&bench.owner, public_decrypt(*key, ciphertexts), None).await?;
    notes.note(format!("submit_request: public_decrypt, {of}"), sent.gas);
    let answers = answer_all(stage, id, &payload).await?;
    let stored = bench.state_bytes().await? - stored;
    notes.note(format!("bytes stored: public_decrypt, {of}"), u64::try_from(stored)?);

    let deciding = usize::try_from(bench.majority())? - 1;
    if deciding > 0 {
        notes.note(format!("submit_responses: public_decrypt, {of}, first answer"), answers[0]);
    }
    notes.note(format!("submit_responses: public_decrypt, {of}, deciding answer"), answers[deciding]);
    if let Some(late) = answers.get(deciding + 1) {
        notes.note(format!("submit_responses: public_decrypt, {of}, late answer"), *late);
    }
    let until_decided: u64 = answers[..=deciding].iter().sum();
    notes.note(format!("cycle: public_decrypt, {of}, until decided"), sent.gas + until_decided);
    notes.note(format!("cycle: public_decrypt, {of}, all answers"), sent.gas + answers.iter().sum::<u64>());
    Ok(())
}

async fn answer_all(stage: &Stage, id: RequestId, payload: &[u8]) -> Result<Vec<u64>> {
    let bench = &stage.bench;
    let mut gas = Vec::new();
    for party in bench.parties() {
        let answer = bench.answer(id, party, payload).await?;
        let expected =
            if party.get() <= bench.majority() { ItemOutcome::Recorded } else { ItemOutcome::Late };
        gas.push(bench.respond(vec![answer], expected).await?.gas);
    }
    Ok(gas)
}

/// One value.
pub async fn of_one_value(stage: &Stage, notes: &mut Notes) -> Result<()> {
    cycle(stage, notes, 1).await
}

/// Ten values.
pub async fn of_ten_values(stage: &Stage, notes: &mut Notes) -> Result<()> {
    cycle(stage, notes, 10).await
}

/// How many requests a batch has.
const BATCH: u32 = 10;

/// Ten requests in one transaction, as ten messages and as one; then each party's ten answers in one call. A tenth of it
/// all is the price of one.
pub async fn in_batches(stage: &Stage, notes: &mut Notes) -> Result<()> {
    let Stage { bench, key } = stage;
    let operation = public_decrypt(*key, 1);
    let price = bench.price(&operation).await?;
    let alone =
        ExecuteMsg::SubmitRequest { operation: Box::new(operation.clone()), ttl: None, callback: None };
    let messages = (0..BATCH).map(|_| bench.message(&bench.owner, &alone, price));
    let sent = bench.send(&bench.owner, &messages.collect::<Result<Vec<_>>>()?).await?;
    notes.note(
        "submit_request: public_decrypt, 1 ciphertext, one of ten in a transaction",
        sent.gas / u64::from(BATCH),
    );
    let ids = (0..usize::try_from(BATCH)?).map(|at| Ok(sent.data::<SubmitRequestData>(at)?.request_id));
    let answers = answer_in_calls(stage, ids.collect::<Result<_>>()?).await?;
    let apart = sent.gas + answers.iter().sum::<u64>();
    notes.note("cycle: public_decrypt, 1 ciphertext, ten messages at once", apart / u64::from(BATCH));

    let request = NewRequest { operation, ttl: None, callback: None };
    let requests = vec![request; usize::try_from(BATCH)?];
    let together = ExecuteMsg::SubmitRequests { requests };
    let message = bench.message(&bench.owner, &together, price * u128::from(BATCH))?;
    let sent = bench.send(&bench.owner, &[message]).await?;
    notes.note("submit_requests: public_decrypt, 1 ciphertext, one of ten", sent.gas / u64::from(BATCH));
    let data = sent.data::<SubmitRequestsData>(0)?;
    let ids = data.requests.iter().map(|submitted| submitted.request_id).collect();
    let answers = answer_in_calls(stage, ids).await?;
    let deciding = answers[usize::try_from(bench.majority())? - 1];
    notes.note(
        "submit_responses: public_decrypt, 1 ciphertext, one of ten deciding answers in a call",
        deciding / u64::from(BATCH),
    );
    let gas = sent.gas + answers.iter().sum::<u64>();
    notes.note("cycle: public_decrypt, 1 ciphertext, ten at once", gas / u64::from(BATCH));
    Ok(())
}

/// Every party answers all of these in one call. What each call uses.
async fn answer_in_calls(stage: &Stage, ids: Vec<RequestId>) -> Result<Vec<u64>> {
    let bench = &stage.bench;
    let mut gas = Vec::new();
    for party in bench.parties() {
        let mut answers = Vec::new();
        for id in &ids {
            answers.push(bench.answer(*id, party, &words(1)).await?);
        }
        let expected =
            if party.get() <= bench.majority() { ItemOutcome::Recorded } else { ItemOutcome::Late };
        gas.push(bench.respond(answers, expected).await?.gas);
    }
    Ok(gas)
}

/// An answer that is known already, and one that contradicts it.
pub async fn said_again(stage: &Stage, notes: &mut Notes) -> Result<()> {
    let Stage { bench, key } = stage;
    let (id, _) = bench.submit(&bench.owner, public_decrypt(*key, 1), None).await?;
    let party = PartyId(1);
    let answer = bench.answer(id, party, &words(1)).await?;
    bench.respond(vec![answer.clone()], ItemOutcome::Recorded).await?;
    let sent = bench.respond(vec![answer], ItemOutcome::Duplicate).await?;
    notes.note("submit_responses: duplicate", sent.gas);
    let other = bench.answer(id, party, &[0; 32]).await?;
    let sent = bench.respond(vec![other], ItemOutcome::Equivocation).await?;
    notes.note("submit_responses: equivocation", sent.gas);
    Ok(())
}
