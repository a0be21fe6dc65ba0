//! `kms request`.

use clap::{Args, Subcommand};
use kms_asc_api::{CloseOutcome, ExecuteMsg, OutcomesData, RequestId, State};
use kms_chain::TxOptions;
use serde::Serialize;

use super::why::why;
use crate::{
    act::act,
    context::Context,
    error::{Error, Result},
    life,
    output::{Report, table},
    report::RequestSummary,
    report_text::summaries,
};

const EXAMPLES: &str = "\
Examples:
  kms request list --mine
  kms request show 2
  kms request why 2
  kms request cancel 2
  kms request close 2";

/// Show requests, take them back, and close those that nobody answered in time
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Request {
    #[command(subcommand)]
    command: RequestCommand,
}

#[derive(Debug, Subcommand)]
enum RequestCommand {
    /// List requests, oldest first
    #[command(after_help = "Examples:\n  kms request list\n  kms request list --state pending --mine\n  \
        kms request list --after 100 --limit 20")]
    List(List),
    /// Show a request's whole life, and check every signature in it
    #[command(after_help = "Exit status 6 if an answer on record is not what its operator signed.\n\n\
        Example:\n  kms request show 2 --output json")]
    Show {
        /// The request
        #[arg(value_name = "ID", value_parser = parse_id)]
        id: RequestId,
    },
    /// Show what each operator has said to a request, and how long they have
    #[command(after_help = "Example:\n  kms request why 2")]
    Why {
        /// The request
        #[arg(value_name = "ID", value_parser = parse_id)]
        id: RequestId,
    },
    /// Take a request of yours back, unless an operator speaks before that takes effect
    #[command(after_help = "`kms request close` then refunds the price.\n\nExample:\n  kms request cancel 2")]
    Cancel {
        /// The request
        #[arg(value_name = "ID", value_parser = parse_id)]
        id: RequestId,
    },
    /// End requests that are past their deadline, which refunds their price. Anybody may do so
    #[command(after_help = "Example:\n  kms request close 2 3")]
    Close {
        /// The requests
        #[arg(value_name = "ID", required = true, value_parser = parse_id)]
        ids: Vec<RequestId>,
    },
}

#[derive(Debug, Args)]
struct List {
    /// Only in this state: pending, fulfilled, failed, expired, cancelled, denied
    #[arg(long)]
    state: Option<State>,
    /// Only of this address
    #[arg(long, value_name = "ADDRESS", conflicts_with = "mine")]
    requester: Option<String>,
    /// Only of the wallet's address
    #[arg(long)]
    mine: bool,
    /// Behind this request
    #[arg(long, value_name = "ID")]
    after: Option<RequestId>,
    /// At most so many
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: usize,
}

impl Request {
    pub async fn run(self, context: &Context) -> Result<()> {
        match self.command {
            RequestCommand::List(args) => list(context, args).await,
            RequestCommand::Show { id } => show(context, id).await,
            RequestCommand::Why { id } => why(context, id).await,
            RequestCommand::Cancel { id } => {
                let message = ExecuteMsg::Cancel { request_id: id };
                act(context, &context.ledger().await?, "cancelling", &message).await
            }
            RequestCommand::Close { ids } => close(context, ids).await,
        }
    }
}

fn parse_id(text: &str) -> Result<RequestId, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a request's id is a number from 1 on".to_owned()),
        Ok(id) => Ok(RequestId(id)),
    }
}

async fn list(context: &Context, args: List) -> Result<()> {
    let ledger = context.ledger().await?;
    let requester = if args.mine { Some(context.wallet()?.address().to_owned()) } else { args.requester };
    let mut requests = Vec::new();
    let mut after = args.after;
    // A page may be short, or empty, and yet not be the last.
    while requests.len() < args.limit {
        let page = ledger.requests(args.state, requester.clone(), after).await?;
        requests.extend(page.items.iter().map(RequestSummary::from));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    if requests.len() > args.limit {
        requests.truncate(args.limit);
        after = requests.last().map(|request| request.id);
    }
    if let Some(after) = after {
        context.progress.note(format_args!("there may be more: --after {after}"));
    }
    context.show(&Requests { requests, next: after, denom: ledger.denom().to_owned() })
}

#[derive(Serialize)]
struct Requests {
    requests: Vec<RequestSummary>,
    /// `--after` of the next page; none on the last.
    next: Option<RequestId>,
    denom: String,
}

impl Report for Requests {
    fn text(&self) -> String {
        summaries(&self.requests, &self.denom)
    }
}

async fn show(context: &Context, id: RequestId) -> Result<()> {
    let ledger = context.ledger().await?;
    let step = context.progress.begin(format_args!("reading request {id}"));
    let life = life::read(&ledger, &ledger.request(id).await?).await?;
    drop(step);
    context.show(&life.report)?;
    life.verdict
}

async fn close(context: &Context, ids: Vec<RequestId>) -> Result<()> {
    let ledger = context.ledger().await?;
    let account = context.account(&ledger)?;
    let step = context.progress.begin("closing");
    let message = ExecuteMsg::Close { request_ids: ids.clone() };
    let outcome = account.execute(ledger.contract(), &message, &[], &TxOptions::default()).await?;
    drop(step);
    let data: OutcomesData<CloseOutcome> = serde_json::from_slice(&outcome.execute_data(0)?)
        .map_err(|error| Error::Internal(format!("the contract's answer cannot be read: {error}")))?;
    let requests = ids.iter().zip(data.outcomes).map(|(id, outcome)| ClosedRequest { id: *id, outcome });
    let closed =
        Closed { tx: outcome.hash.to_string(), height: outcome.height, requests: requests.collect() };
    context.show(&closed)?;
    closed.verdict()
}

#[derive(Serialize)]
struct Closed {
    tx: String,
    height: u64,
    requests: Vec<ClosedRequest>,
}

#[derive(Serialize)]
struct ClosedRequest {
    id: RequestId,
    outcome: CloseOutcome,
}

impl Closed {
    /// An error if a request does not exist or is not due.
    fn verdict(&self) -> Result<()> {
        let with = |outcome| {
            let ids = self.requests.iter().filter(|request| request.outcome == outcome);
            ids.map(|request| request.id.to_string()).collect::<Vec<_>>().join(", ")
        };
        let (unknown, not_due) = (with(CloseOutcome::UnknownRequest), with(CloseOutcome::NotDue));
        match (unknown.is_empty(), not_due.is_empty()) {
            (false, _) => Err(Error::NotFound(format!("request {unknown}"))),
            (_, false) => Err(Error::NotDue { ids: not_due }),
            _ => Ok(()),
        }
    }
}

impl Report for Closed {
    fn text(&self) -> String {
        let outcome = |outcome: &CloseOutcome| match outcome {
            CloseOutcome::Closed(state) => format!("closed: {state}"),
            CloseOutcome::Already(state) => format!("was {state} already"),
            CloseOutcome::NotDue => "not due yet".to_owned(),
            CloseOutcome::UnknownRequest => "no such request".to_owned(),
        };
        let row = |request: &ClosedRequest| [request.id.to_string(), outcome(&request.outcome)];
        let rows: Vec<_> = self.requests.iter().map(row).collect();
        table(["ID", "OUTCOME"], &rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed(outcomes: &[CloseOutcome]) -> Closed {
        let request =
            |(id, outcome): (u64, &CloseOutcome)| ClosedRequest { id: RequestId(id), outcome: *outcome };
        Closed { tx: "AB".into(), height: 1, requests: (1..).zip(outcomes).map(request).collect() }
    }

    #[test]
    fn what_was_not_closed_decides_the_exit_status() {
        let exit = |outcomes: &[CloseOutcome]| closed(outcomes).verdict().map_err(|e| e.exit().number());
        assert_eq!(
            exit(&[CloseOutcome::Closed(State::Expired), CloseOutcome::Already(State::Failed)]),
            Ok(())
        );
        assert_eq!(exit(&[CloseOutcome::Closed(State::Expired), CloseOutcome::NotDue]), Err(4));
        assert_eq!(exit(&[CloseOutcome::UnknownRequest, CloseOutcome::NotDue]), Err(3));
    }

    #[test]
    fn the_outcomes_are_told_one_by_one() {
        let text = closed(&[CloseOutcome::Closed(State::Expired), CloseOutcome::NotDue]).text();
        assert_eq!(text, "ID  OUTCOME\n1   closed: expired\n2   not due yet");
    }
}
