//! Puts a request on the chain for exactly its price, and follows it to its end.

use clap::Args;
use kms_asc_api::{ExecuteMsg, Operation, RequestId, SubmitRequestData};
use kms_chain::{Coin, TxHash, TxOptions};

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
    let (id, tx) = send(context, &ledger, &operation, args.ttl).await?;
    let (view, report) = life::submitted(&ledger, id, tx).await?;
    if args.no_wait && !view.state.is_terminal() {
        return Ok(Submitted::Sent(report));
    }
    finish(context, &ledger, id, &operation).await.map(Submitted::Fulfilled)
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
async fn send(
    context: &Context,
    ledger: &Ledger,
    operation: &Operation,
    ttl: Option<u64>,
) -> Result<(RequestId, TxHash)> {
    let account = context.account(ledger)?;
    let quote = ledger.quote(operation).await?;
    let price = Coin::new(quote.price.u128(), quote.denom);
    let step = context.progress.begin(format_args!("submitting a {} for {price}", operation.kind()));
    let message = ExecuteMsg::SubmitRequest { operation: Box::new(operation.clone()), ttl, callback: None };
    let outcome = account.execute(ledger.contract(), &message, &[price], &TxOptions::default()).await?;
    drop(step);
    let data: SubmitRequestData = serde_json::from_slice(&outcome.execute_data(0)?).map_err(|error| {
        Error::Internal(format!("the contract's answer to a submission cannot be read: {error}"))
    })?;
    let (id, charged, denom) = (data.request_id, data.charged, ledger.denom());
    context.progress.note(format_args!("request {id} in block {}, {charged}{denom} charged", outcome.height));
    Ok((id, outcome.hash))
}
