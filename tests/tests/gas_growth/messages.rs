//! What messages cost with what is stored now.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use kms_asc_api::{
    CloseOutcome, ExecuteMsg, FailureCode, ItemOutcome, KeyId, OutcomesData, Page, PartyId, QueryMsg,
    RequestId, RequestView, State,
};
use kms_e2e::{Bench, eventually};

use crate::fill::decryption;

/// Gas by message. Leaves the number of open requests as it was.
pub async fn costs(bench: &Bench, key: KeyId) -> Result<BTreeMap<String, u64>> {
    let mut costs = BTreeMap::new();
    let (id, sent) = bench.submit(&bench.owner, decryption(key, 0, 1), None).await?;
    costs.insert("submit_request".to_owned(), sent.gas);
    let answer = bench.answer(id, PartyId(1), &[7; 32]).await?;
    let sent = bench.respond(vec![answer.clone()], ItemOutcome::Recorded).await?;
    costs.insert("submit_responses: deciding answer".to_owned(), sent.gas);
    let sent = bench.respond(vec![answer], ItemOutcome::Duplicate).await?;
    costs.insert("submit_responses: duplicate".to_owned(), sent.gas);

    let (_, sent) = bench.submit(&bench.stranger, decryption(key, 0, 1), None).await?;
    costs.insert("submit_request: denied".to_owned(), sent.gas);

    let (id, _) = bench.submit(&bench.owner, decryption(key, 0, 1), None).await?;
    let body = bench.body(id).await?;
    let failures = vec![bench.operators.failure(&body, PartyId(1), FailureCode::WrongType, 0)?];
    let sent = bench.execute(&bench.relayer, &ExecuteMsg::SubmitFailures { failures }, 0).await?;
    let outcomes = sent.data::<OutcomesData<ItemOutcome>>(0)?.outcomes;
    ensure!(outcomes == [ItemOutcome::Recorded], "{outcomes:?}");
    costs.insert("submit_failures: deciding failure".to_owned(), sent.gas);

    let (_, _) = bench.submit(&bench.owner, decryption(key, 0, 1), Some(5)).await?;
    costs.insert("close: one of the oldest".to_owned(), close_the_oldest(bench).await?);

    let operator = bench.payout(PartyId(1)).await?;
    let sent = bench.execute(&operator, &ExecuteMsg::Withdraw { to: None }, 0).await?;
    costs.insert("withdraw".to_owned(), sent.gas);
    Ok(costs)
}

async fn close_the_oldest(bench: &Bench) -> Result<u64> {
    let open: Page<RequestId, RequestId> =
        bench.query(&QueryMsg::Open { start_after: None, limit: Some(1) }).await?;
    let id = *open.items.first().context("no request is open")?;
    eventually("the deadline of the oldest request", || async {
        let view: RequestView = bench.query(&QueryMsg::Request { id }).await?;
        Ok(view.due.then_some(()))
    })
    .await?;
    let sent = bench.execute(&bench.stranger, &ExecuteMsg::Close { request_ids: vec![id] }, 0).await?;
    let outcomes = sent.data::<OutcomesData<CloseOutcome>>(0)?.outcomes;
    ensure!(outcomes == [CloseOutcome::Closed(State::Expired)], "{outcomes:?}");
    Ok(sent.gas)
}
