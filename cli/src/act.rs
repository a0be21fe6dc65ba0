//! Tells the contract something that is no request, and shows what the log then says of it.

use kms_asc_api::{ExecuteMsg, RequestId};
use kms_chain::TxOptions;
use serde::Serialize;

use crate::{
    context::Context, error::Result, history::log_between, ledger::Ledger, log_entry_text::detail,
    output::Report,
};

/// What a message did, by the log.
#[derive(Serialize)]
struct Acted {
    tx: String,
    height: u64,
    entries: Vec<LoggedAct>,
}

#[derive(Serialize)]
struct LoggedAct {
    seq: u64,
    kind: &'static str,
    request_id: Option<RequestId>,
    detail: String,
}

impl Report for Acted {
    fn text(&self) -> String {
        let line = |entry: &LoggedAct| {
            let kind = entry.kind.replace('_', " ");
            let request = entry.request_id.map(|id| format!("request {id}: ")).unwrap_or_default();
            let detail = if entry.detail.is_empty() { String::new() } else { format!(": {}", entry.detail) };
            format!("{request}{kind}{detail} (log entry {})", entry.seq)
        };
        let mut lines: Vec<_> = self.entries.iter().map(line).collect();
        if lines.is_empty() {
            lines.push("nothing had to change".to_owned());
        }
        lines.push(format!("block {}, tx {}", self.height, self.tx));
        lines.join("\n")
    }
}

/// Sends a message with the wallet's account and shows the log's entries of that account in its block.
///
/// # Errors
/// What the chain or the contract says against it.
pub async fn act(context: &Context, ledger: &Ledger, doing: &str, message: &ExecuteMsg) -> Result<()> {
    let account = context.account(ledger)?;
    let step = context.progress.begin(doing);
    let outcome = account.execute(ledger.contract(), message, &[], &TxOptions::default()).await?;
    let entries = log_between(ledger, outcome.height, outcome.height).await?;
    drop(step);
    let own = entries.into_iter().filter(|entry| entry.actor == account.address());
    let entries = own.map(|entry| LoggedAct {
        seq: entry.seq,
        kind: entry.body.kind(),
        request_id: entry.request_id,
        detail: detail(&entry.body),
    });
    let entries = entries.collect();
    context.show(&Acted { tx: outcome.hash.to_string(), height: outcome.height, entries })
}
