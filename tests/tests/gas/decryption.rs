//! Public decryptions, from the request to the last answer.

use anyhow::Result;
use kms_asc_api::{ExecuteMsg, ItemOutcome, PartyId, RequestId};

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

/// Ten requests in one transaction; each party's ten answers in one call. A tenth of it all is the price of one.
pub async fn in_batches(stage: &Stage, notes: &mut Notes) -> Result<()> {
    const REQUESTS: u32 = 10;
    let Stage { bench, key } = stage;
    let operation = public_decrypt(*key, 1);
    let price = bench.price(&operation).await?;
    let message = ExecuteMsg::SubmitRequest { operation: Box::new(operation), ttl: None, callback: None };
    let messages = (0..REQUESTS).map(|_| bench.message(&bench.owner, &message, price));
    let sent = bench.send(&bench.owner, &messages.collect::<Result<Vec<_>>>()?).await?;
    let mut gas = sent.gas;
    notes.note(
        "submit_request: public_decrypt, 1 ciphertext, one of ten in a transaction",
        gas / u64::from(REQUESTS),
    );
    for party in bench.parties() {
        let mut answers = Vec::new();
        for message in 0..usize::try_from(REQUESTS)? {
            let id = sent.data::<kms_asc_api::SubmitRequestData>(message)?.request_id;
            answers.push(bench.answer(id, party, &words(1)).await?);
        }
        let expected =
            if party.get() <= bench.majority() { ItemOutcome::Recorded } else { ItemOutcome::Late };
        let sent = bench.respond(answers, expected).await?;
        if party.get() == bench.majority() {
            let name =
                "submit_responses: public_decrypt, 1 ciphertext, one of ten deciding answers in a call";
            notes.note(name, sent.gas / u64::from(REQUESTS));
        }
        gas += sent.gas;
    }
    notes.note("cycle: public_decrypt, 1 ciphertext, ten at once", gas / u64::from(REQUESTS));
    Ok(())
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
