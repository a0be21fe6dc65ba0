//! Puts a request on the chain for exactly its price, and follows it to its end.

use clap::Args;
use kms_asc_api::{ExecuteMsg, NewRequest, Operation, RequestId, SubmitRequestData, SubmitRequestsData};
use kms_chain::{Coin, TxHash, TxOptions};
use serde::de::DeserializeOwned;

use crate::{
    context::Context,
    error::{Error, Result},
    ledger::Ledger,
    life::{self, ending},
    report::RequestReport,
    wait::{Patience, until_finished},
};

/// How to submit.
#[derive(Clone, Copy, Debug, Args)]
pub struct SubmitArgs {
    /// Seconds that the operators have to answer [default: the contract's]
    #[arg(long, value_name = "SECONDS")]
    ttl: Option<u64>,
    /// Print the request's id once it is on the chain, and do not wait for the answer
    #[arg(long)]
    no_wait: bool,
}

/// A request that is on the chain.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// The request.
    pub id: RequestId,
    tx: TxHash,
}

/// What came of a submission.
pub enum Submitted {
    /// On the chain; nobody waited.
    Sent(RequestReport),
    /// Fulfilled, and everything about it verified.
    Fulfilled(RequestReport),
}

/// Submits a request and, unless told otherwise, waits until it is fulfilled and verified.
///
/// A request that ends otherwise is shown on stdout before the error is returned.
pub async fn submit(context: &Context, operation: Operation, args: SubmitArgs) -> Result<Submitted> {
    let ledger = context.ledger().await?;
    let sent = send(context, &ledger, &operation, args.ttl).await?;
    follow(context, &ledger, &operation, sent, args).await
}

/// Submits requests in one message. What comes of each is for [`follow`] to tell.
pub async fn submit_together(
    context: &Context,
    ledger: &Ledger,
    operations: &[Operation],
    args: SubmitArgs,
) -> Result<Vec<Sent>> {
    let mut price = 0_u128;
    for operation in operations {
        let quote = ledger.quote(operation).await?.price.u128();
        let too_much = || Error::Usage("the prices together are more than there is".to_owned());
        price = price.checked_add(quote).ok_or_else(too_much)?;
    }
    let request =
        |operation: &Operation| NewRequest { operation: operation.clone(), ttl: args.ttl, callback: None };
    let message = ExecuteMsg::SubmitRequests { requests: operations.iter().map(request).collect() };
    let what = format!("{} requests", operations.len());
    let (data, tx): (SubmitRequestsData, _) = execute(context, ledger, &message, &what, price).await?;
    Ok(data.requests.into_iter().map(|request| Sent { id: request.request_id, tx }).collect())
}

/// Waits, unless told otherwise, until a request is fulfilled and verified.
///
/// A request that ends otherwise is shown on stdout before the error is returned.
pub async fn follow(
    context: &Context,
    ledger: &Ledger,
    operation: &Operation,
    sent: Sent,
    args: SubmitArgs,
) -> Result<Submitted> {
    let (view, report) = life::submitted(ledger, sent.id, sent.tx).await?;
    if args.no_wait && !view.state.is_terminal() {
        return Ok(Submitted::Sent(report));
    }
    finish(context, ledger, sent.id, operation).await.map(Submitted::Fulfilled)
}

/// Waits until a request is fulfilled and verified, and is the one that was meant.
///
/// A request that ends otherwise is shown on stdout before the error is returned.
pub async fn finish(
    context: &Context,
    ledger: &Ledger,
    id: RequestId,
    operation: &Operation,
) -> Result<RequestReport> {
    let step = context.progress.begin(format_args!("waiting for request {id}"));
    let view = until_finished(id, Patience::default(), &step, || ledger.request(id)).await?;
    step.update("checking the answer");
    let life = life::read(ledger, &view).await?;
    drop(step);
    let asked = (view.body.operation == *operation).then_some(());
    let asked = asked.ok_or_else(|| Error::Unverified(format!("request {id} is not what was asked for")));
    match life.verdict.and(asked).and_then(|()| ending(&life.report)) {
        Ok(()) => Ok(life.report),
        Err(error) => {
            context.show(&life.report)?;
            Err(error)
        }
    }
}

/// As [`submit`], and shows what came of it.
pub async fn submit_and_show(context: &Context, operation: Operation, args: SubmitArgs) -> Result<()> {
    match submit(context, operation, args).await? {
        Submitted::Sent(report) | Submitted::Fulfilled(report) => context.show(&report),
    }
}

/// Asks for the price and sends the request with it.
async fn send(context: &Context, ledger: &Ledger, operation: &Operation, ttl: Option<u64>) -> Result<Sent> {
    let price = ledger.quote(operation).await?.price.u128();
    let message = ExecuteMsg::SubmitRequest { operation: Box::new(operation.clone()), ttl, callback: None };
    let what = format!("a {}", operation.kind());
    let (data, tx): (SubmitRequestData, _) = execute(context, ledger, &message, &what, price).await?;
    let (id, charged, denom) = (data.request_id, data.charged, ledger.denom());
    context.progress.note(format_args!("request {id}: {charged}{denom} charged"));
    Ok(Sent { id, tx })
}

/// Sends a submission, and reads what the contract says of it.
async fn execute<T: DeserializeOwned>(
    context: &Context,
    ledger: &Ledger,
    message: &ExecuteMsg,
    what: &str,
    price: u128,
) -> Result<(T, TxHash)> {
    let account = context.account(ledger)?;
    let price = Coin::new(price, ledger.denom());
    let step = context.progress.begin(format_args!("submitting {what} for {price}"));
    let outcome = account.execute(ledger.contract(), message, &[price], &TxOptions::default()).await?;
    drop(step);
    let data = serde_json::from_slice(&outcome.execute_data(0)?).map_err(|error| {
        Error::Internal(format!("the contract's answer to a submission cannot be read: {error}"))
    })?;
    context.progress.note(format_args!("submitted in block {}", outcome.height));
    Ok((data, outcome.hash))
}
