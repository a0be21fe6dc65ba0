//! `kms log`.

use std::time::Duration;

use clap::Args;
use kms_asc_api::log::{LogEntry, LogHead};
use serde_json::json;

use crate::{
    context::Context,
    error::Result,
    log_entry_text,
    log_reading::{ReadEntry, VerifiedLog},
    output::{Format, clock, print},
};

const POLL: Duration = Duration::from_millis(500);

const EXAMPLES: &str = "\
The log is always read from its first entry on, so that every number and hash leads to the head that the contract
has on record; exit status 6 if it does not. --from only leaves out what is printed. JSON: one object with entries,
head and verified; with --follow one entry per line, as it is hashed.

Examples:
  kms log
  kms log --from 20
  kms log --follow
  kms log --output json";

/// Show the audit log, and check its chain of hashes
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Log {
    /// Number of the first entry to print
    #[arg(long, value_name = "N", default_value_t = 1)]
    from: u64,
    /// Go on with new entries until interrupted
    #[arg(long)]
    follow: bool,
}

impl Log {
    pub async fn run(self, context: &Context) -> Result<()> {
        let mut log = VerifiedLog::new(context.ledger().await?);
        if self.follow {
            return self.follow(context, &mut log).await;
        }
        let step = context.progress.begin("reading the log");
        let mut entries = Vec::new();
        let head = log
            .advance(|read| {
                step.update(format_args!("reading the log: entry {}", read.entry.seq));
                if read.entry.seq >= self.from {
                    entries.push(read);
                }
                Ok(())
            })
            .await?;
        drop(step);
        match context.format {
            Format::Json => print(&whole_json(&entries, head)),
            Format::Text => {
                let lines: Vec<_> = entries.iter().map(|read| line(&read.entry)).collect();
                print(&lines.join("\n"))?;
                context.progress.note(verdict(head));
                Ok(())
            }
        }
    }

    async fn follow(&self, context: &Context, log: &mut VerifiedLog<crate::ledger::Ledger>) -> Result<()> {
        let mut told = None;
        loop {
            let head = log
                .advance(|read| match context.format {
                    _ if read.entry.seq < self.from => Ok(()),
                    Format::Json => print(&String::from_utf8_lossy(&read.bytes)),
                    Format::Text => print(&line(&read.entry)),
                })
                .await;
            match head {
                Ok(head) if told != Some(head) => {
                    context.progress.note(verdict(head));
                    told = Some(head);
                }
                Ok(_) => {}
                Err(crate::error::Error::Chain(error)) if error.is_retryable() => {
                    context.progress.note(format_args!("{error}; trying again"));
                }
                Err(error) => return Err(error),
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

fn verdict(head: LogHead) -> String {
    let LogHead { count, hash } = head;
    match count {
        0 => "the log is empty".to_owned(),
        1 => format!("verified: the entry leads to the contract's head {hash}"),
        _ => format!("verified: all {count} entries lead to the contract's head {hash}"),
    }
}

fn whole_json(entries: &[ReadEntry], head: LogHead) -> String {
    // The entries as they are hashed, not serialized anew.
    let entries: Vec<_> = entries.iter().map(|read| String::from_utf8_lossy(&read.bytes)).collect();
    let head = json!({"count": head.count, "hash": head.hash.to_hex()});
    format!("{{\"entries\":[{}],\"head\":{head},\"verified\":true}}", entries.join(","))
}

fn line(entry: &LogEntry) -> String {
    let request = entry.request_id.map(|id| format!("request {id}: ")).unwrap_or_default();
    let kind = entry.body.kind().replace('_', " ");
    let (seq, at, detail) = (entry.seq, clock(entry.time), log_entry_text::detail(&entry.body));
    let text = format!("{seq:>6}  {at}  block {:<7}  {request}{kind}", entry.height);
    if detail.is_empty() { text } else { format!("{text}: {detail}") }
}

#[cfg(test)]
mod tests {
    use kms_asc_api::log::{LogBody, PartyCredit};
    use kms_asc_api::{Digest, PartyId, RequestId};

    use super::*;

    fn entry() -> LogEntry {
        let credit = PartyCredit::new(PartyId(1), 4_000u128.into());
        LogEntry {
            seq: 12,
            height: 345,
            time: 1_700_000_000,
            actor: "wasm1op".into(),
            request_id: Some(RequestId(7)),
            body: LogBody::RequestFulfilled {
                payload_digest: Some(Digest::sha256(b"payload")),
                refund: 0u128.into(),
                credits: vec![credit],
                treasury: 1_000u128.into(),
            },
        }
    }

    #[test]
    fn a_line_tells_an_entry() {
        assert_eq!(
            line(&entry()),
            "    12  2023-11-14T22:13:20Z  block 345      request 7: request fulfilled: 4000 to party 1, \
             1000 to the treasury, 0 back"
        );
    }

    #[test]
    fn json_has_the_entries_as_they_are_hashed() {
        let bytes = entry().encode().unwrap();
        let head = LogHead { count: 12, hash: Digest::new([0xab; 32]) };
        let text = whole_json(&[ReadEntry { entry: entry(), bytes: bytes.clone() }], head);
        assert!(text.contains(std::str::from_utf8(&bytes).unwrap()));
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["entries"][0]["seq"], 12);
        assert_eq!(json["head"]["count"], 12);
        assert_eq!(json["head"]["hash"], format!("0x{}", "ab".repeat(32)));
        assert_eq!(json["verified"], true);
    }
}
