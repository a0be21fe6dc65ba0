//! `kms operator`.

use std::collections::BTreeMap;

use clap::Args;
use kms_asc_api::{EpochId, PartyId, RequestId, log::LogBody};
use kms_audit::{Ledger as Replayed, OperatorRecord, Replay};
use serde::Serialize;

use crate::{
    context::Context,
    error::{Error, Result},
    ledger::Ledger,
    log_reading::VerifiedLog,
    output::{Report, table},
};

const EXAMPLES: &str = "\
The whole log is read, checked and told again: no index of the node and no word of an operator is needed. `late` is what
came when it did not count any more, `missed` what ended without a word of the operator.

Examples:
  kms operator
  kms operator --epoch 1
  kms operator --epoch 1 --party 2 --output json";

/// Show what each operator has done, epoch by epoch, as the log tells it
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Operator {
    /// Of this epoch alone
    #[arg(long, value_name = "ID")]
    epoch: Option<EpochId>,
    /// Of this party alone
    #[arg(long, value_name = "NUMBER")]
    party: Option<PartyId>,
}

impl Operator {
    pub async fn run(self, context: &Context) -> Result<()> {
        let told = replay(context, &context.ledger().await?).await?;
        let asked = |record: &OperatorRecord| {
            self.epoch.is_none_or(|epoch| epoch == record.epoch)
                && self.party.is_none_or(|party| party == record.party)
        };
        let operators: Vec<_> = told.operators().into_iter().filter(asked).collect();
        if operators.is_empty() {
            return Err(Error::NotFound("such operator".to_owned()));
        }
        context.show(&Operators { operators })
    }
}

/// Reads the log and tells it again; each entry must follow from what came before it.
async fn replay(context: &Context, ledger: &Ledger) -> Result<Replayed> {
    let step = context.progress.begin("reading the log");
    let mut entries = Vec::new();
    let head = VerifiedLog::new(ledger.clone())
        .advance(|read| {
            step.update(format_args!("reading the log: entry {}", read.entry.seq));
            entries.push(read);
            Ok(())
        })
        .await?;
    let mut told = Replay::new(ledger.chain_id(), ledger.contract());
    for read in &entries {
        step.update(format_args!("telling the log again: entry {}", read.entry.seq));
        let body = body_of(ledger, read.entry.request_id, &read.entry.body).await?;
        told.push(&read.bytes, &|id| body.get(&id).cloned())?;
    }
    Ok(told.finish(head)?)
}

/// The body of the request that an entry makes.
async fn body_of(
    ledger: &Ledger,
    id: Option<RequestId>,
    entry: &LogBody,
) -> Result<BTreeMap<RequestId, Vec<u8>>> {
    let (Some(id), LogBody::RequestSubmitted { .. } | LogBody::RequestDenied { .. }) = (id, entry) else {
        return Ok(BTreeMap::new());
    };
    Ok(BTreeMap::from([(id, ledger.stored_body(id).await?.bytes)]))
}

#[derive(Serialize)]
struct Operators {
    operators: Vec<OperatorRecord>,
}

impl Report for Operators {
    fn text(&self) -> String {
        let row = |record: &OperatorRecord| {
            [
                record.epoch.to_string(),
                format!("{} {}", record.party, record.name),
                record.answered.to_string(),
                record.late.to_string(),
                record.failed.to_string(),
                record.missed.to_string(),
                record.equivocated.to_string(),
                record.open.to_string(),
                record.earned.to_string(),
            ]
        };
        let rows: Vec<_> = self.operators.iter().map(row).collect();
        let headings =
            ["EPOCH", "OPERATOR", "ANSWERED", "LATE", "FAILED", "MISSED", "EQUIVOCATED", "OPEN", "EARNED"];
        table(headings, &rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_one_line_with_every_count() {
        let record = OperatorRecord {
            epoch: EpochId(2),
            party: PartyId(3),
            name: "north".to_owned(),
            answered: 10,
            failed: 11,
            late: 12,
            missed: 13,
            equivocated: 14,
            open: 15,
            earned: 16u128.into(),
        };
        let text = Operators { operators: vec![record] }.text();
        let words: Vec<_> = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
        assert_eq!(words[1], ["2", "3", "north", "10", "12", "11", "13", "14", "15", "16"]);
        assert_eq!(words[0].len(), words[1].len() - 1, "number and name of a party share a column");
    }
}
