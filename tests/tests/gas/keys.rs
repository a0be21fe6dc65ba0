//! Making keys.

use anyhow::Result;
use kms_asc_api::ItemOutcome;
use kms_e2e::Bench;

use crate::scene::{Notes, Stage, key_gen};

/// A key, from the request to the last answer, each in a transaction of its own.
pub async fn made(stage: &Stage, notes: &mut Notes) -> Result<()> {
    let bench = &stage.bench;
    let stored = bench.state_bytes().await?;
    let (id, sent) = bench.submit(&bench.owner, key_gen(), None).await?;
    notes.note("submit_request: key_gen", sent.gas);
    let payload = Bench::key_payload(id);
    let mut gas = Vec::new();
    for party in bench.parties() {
        let answer = bench.answer(id, party, &payload).await?;
        let expected =
            if party.get() <= bench.majority() { ItemOutcome::Recorded } else { ItemOutcome::Late };
        gas.push(bench.respond(vec![answer], expected).await?.gas);
    }
    let stored = bench.state_bytes().await? - stored;
    notes.note("bytes stored: key_gen", u64::try_from(stored)?);
    let deciding = usize::try_from(bench.majority())? - 1;
    if deciding > 0 {
        notes.note("submit_responses: key_gen, first answer", gas[0]);
    }
    notes.note("submit_responses: key_gen, deciding answer", gas[deciding]);
    Ok(())
}
