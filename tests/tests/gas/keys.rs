//! Making keys, and moving them.

use anyhow::Result;
use kms_asc_api::{
    Digest, Epoch, EpochId, ItemOutcome, KeyDigest, KeyGen, KeyParams, KeySource, KeyType, Operation,
    RequestId, payload::encode_key_digests,
};
use kms_e2e::{Bench, Operators};

use crate::scene::{Notes, Stage, key_gen};

/// A key, from the request to the last answer, each in a transaction of its own.
pub async fn made(stage: &Stage, notes: &mut Notes) -> Result<()> {
    let bench = &stage.bench;
    let stored = bench.state_bytes().await?;
    asked_and_answered(bench, &bench.operators, key_gen(), "key_gen", Bench::key_payload, notes).await?;
    let stored = bench.state_bytes().await? - stored;
    notes.note("bytes stored: key_gen", u64::try_from(stored)?);
    Ok(())
}

/// A key whose parts were made elsewhere.
pub async fn imported(stage: &Stage, notes: &mut Notes) -> Result<()> {
    let bench = &stage.bench;
    let part = |key_type, name: &[u8]| KeyDigest { key_type, digest: Digest::sha256(name) };
    let digests = vec![part(KeyType::Server, b"imported server"), part(KeyType::Public, b"imported public")];
    let payload = encode_key_digests(&digests);
    let operation = key_gen_from(KeySource::Import { digests });
    asked_and_answered(bench, &bench.operators, operation, "key_gen, import", |_| payload, notes).await
}

/// A key moves to the operators of the second epoch.
pub async fn taken_over(stage: &Stage, notes: &mut Notes) -> Result<()> {
    let Stage { bench, key } = stage;
    let epoch = Epoch { id: EpochId(2), ..bench.operators.epoch.clone() };
    let operators = Operators { epoch, ..bench.operators.clone() };
    let operation = key_gen_from(KeySource::Takeover { key_id: *key });
    let payload = Bench::key_payload(RequestId(key.get()));
    asked_and_answered(bench, &operators, operation, "key_gen, takeover", |_| payload, notes).await
}

fn key_gen_from(source: KeySource) -> Operation {
    Operation::KeyGen(KeyGen { params: KeyParams::Default, source })
}

async fn asked_and_answered(
    bench: &Bench,
    operators: &Operators,
    operation: Operation,
    name: &str,
    payload: impl FnOnce(RequestId) -> Vec<u8>,
    notes: &mut Notes,
) -> Result<()> {
    let (id, sent) = bench.submit(&bench.owner, operation, None).await?;
    notes.note(format!("submit_request: {name}"), sent.gas);
    let (body, payload) = (bench.body(id).await?, payload(id));
    let mut gas = Vec::new();
    for party in bench.parties() {
        let answer = operators.answer(&body, party, &payload)?;
        let expected =
            if party.get() <= bench.majority() { ItemOutcome::Recorded } else { ItemOutcome::Late };
        gas.push(bench.respond(vec![answer], expected).await?.gas);
    }
    let deciding = usize::try_from(bench.majority())? - 1;
    if deciding > 0 {
        notes.note(format!("submit_responses: {name}, first answer"), gas[0]);
    }
    notes.note(format!("submit_responses: {name}, deciding answer"), gas[deciding]);
    Ok(())
}
