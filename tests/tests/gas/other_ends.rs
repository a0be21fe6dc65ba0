//! Requests that end otherwise, or do not begin.

use anyhow::{Result, ensure};
use kms_asc_api::{
    CloseOutcome, ExecuteMsg, FailureCode, ItemOutcome, OutcomesData, PartyId, State, SubmitRequestData,
};
use kms_e2e::eventually;

use crate::scene::{Notes, Stage, public_decrypt};

/// So many parties find the requester's input wrong that the others cannot answer it any more.
pub async fn failed(stage: &Stage, notes: &mut Notes) -> Result<()> {
    let Stage { bench, key } = stage;
    let (id, _) = bench.submit(&bench.owner, public_decrypt(*key, 1), None).await?;
    let body = bench.body(id).await?;
    let mut gas = Vec::new();
    let enough = u32::try_from(bench.parties().count())? - bench.majority() + 1;
    for party in (1..=enough).map(PartyId) {
        let failures = vec![bench.operators.failure(&body, party, FailureCode::WrongType, 0)?];
        let sent = bench.execute(&bench.relayer, &ExecuteMsg::SubmitFailures { failures }, 0).await?;
        let outcomes = sent.data::<OutcomesData<ItemOutcome>>(0)?.outcomes;
        ensure!(outcomes == [ItemOutcome::Recorded], "{outcomes:?}");
        gas.push(sent.gas);
    }
    if let [first, .., last] = gas[..] {
        notes.note("submit_failures: first failure", first);
        notes.note("submit_failures: deciding failure", last);
    } else {
        notes.note("submit_failures: deciding failure", gas[0]);
    }
    Ok(())
}

/// Nobody answers.
pub async fn expired(stage: &Stage, notes: &mut Notes) -> Result<()> {
    const TTL: u64 = 5;
    let Stage { bench, key } = stage;
    let (id, _) = bench.submit(&bench.owner, public_decrypt(*key, 1), Some(TTL)).await?;
    eventually("the deadline", || async {
        let view: kms_asc_api::RequestView = bench.query(&kms_asc_api::QueryMsg::Request { id }).await?;
        Ok(view.due.then_some(()))
    })
    .await?;
    let close = ExecuteMsg::Close { request_ids: vec![id] };
    let sent = bench.execute(&bench.stranger, &close, 0).await?;
    let outcomes = sent.data::<OutcomesData<CloseOutcome>>(0)?.outcomes;
    ensure!(outcomes == [CloseOutcome::Closed(State::Expired)], "{outcomes:?}");
    notes.note("close: one request", sent.gas);
    Ok(())
}

/// Somebody asks who may not.
pub async fn denied(stage: &Stage, notes: &mut Notes) -> Result<()> {
    let Stage { bench, key } = stage;
    let (_, sent) = bench.submit(&bench.stranger, public_decrypt(*key, 1), None).await?;
    ensure!(sent.data::<SubmitRequestData>(0)?.state == State::Denied, "the stranger was not denied");
    notes.note("submit_request: denied", sent.gas);
    Ok(())
}

/// An operator takes its earnings.
pub async fn withdrawn(stage: &Stage, notes: &mut Notes) -> Result<()> {
    let bench = &stage.bench;
    let operator = bench.payout(PartyId(1)).await?;
    let sent = bench.execute(&operator, &ExecuteMsg::Withdraw { to: None }, 0).await?;
    notes.note("withdraw", sent.gas);
    Ok(())
}

/// Nothing at all: what every call costs.
pub async fn nothing(stage: &Stage, notes: &mut Notes) -> Result<()> {
    let Stage { bench, .. } = stage;
    let sent = bench.execute(&bench.stranger, &ExecuteMsg::Close { request_ids: vec![] }, 0).await?;
    notes.note("close: no request", sent.gas);
    Ok(())
}
