//! What the log and the blocks tell of a request: when, in which transaction, and who was paid.

use std::collections::BTreeMap;

use kms_asc_api::{
    PartyId, RequestId,
    event::Event,
    log::{LogBody, LogEntry},
};
use kms_chain::{Block, BlockSource, Fetched, TxHash};

use crate::{error::Result, ledger::Ledger};

/// Entries of the log made in blocks `from_height` to `to_height`. Heights never fall along the log, so the first one
/// is found by bisection; a log of a million entries costs twenty questions.
pub async fn log_between(ledger: &Ledger, from_height: u64, to_height: u64) -> Result<Vec<LogEntry>> {
    let count = ledger.log_head().await?.count;
    let (mut low, mut high) = (1, count.saturating_add(1));
    while low < high {
        let middle = low + (high - low) / 2;
        let entry = LogEntry::parse(&ledger.log_entry(middle).await?)?;
        if entry.height < from_height { low = middle + 1 } else { high = middle }
    }
    let mut entries = Vec::new();
    let mut next = Some(low).filter(|low| *low <= count);
    while let Some(from) = next {
        let page = ledger.log(from, None).await?;
        for bytes in &page.entries {
            let entry = LogEntry::parse(bytes)?;
            if entry.height > to_height {
                return Ok(entries);
            }
            entries.push(entry);
        }
        next = page.next;
    }
    Ok(entries)
}

/// Finds transactions by the events of the contract. Each block is read once.
#[derive(Debug)]
pub struct TxFinder<'a> {
    ledger: &'a Ledger,
    blocks: BTreeMap<u64, Option<Block>>,
}

impl<'a> TxFinder<'a> {
    /// Nothing is asked yet.
    pub fn new(ledger: &'a Ledger) -> Self {
        Self { ledger, blocks: BTreeMap::new() }
    }

    /// The transaction in the block of this height that emitted an event of the contract; `None` if there is none, or
    /// if the node no longer has the block.
    pub async fn find(&mut self, height: u64, wanted: impl Fn(&Event) -> bool) -> Option<TxHash> {
        if !self.blocks.contains_key(&height) {
            let block = match self.ledger.client().fetch(height, true).await {
                Ok(Fetched::Block(block)) => Some(block),
                _ => None,
            };
            self.blocks.insert(height, block);
        }
        let block = self.blocks.get(&height)?.as_ref()?;
        find_in(block, self.ledger.contract(), wanted)
    }
}

fn find_in(block: &Block, contract: &str, wanted: impl Fn(&Event) -> bool) -> Option<TxHash> {
    block
        .contract_events(contract)
        .find(|event| {
            Event::parse(&event.event.kind, event.own_attributes()).is_ok_and(|event| wanted(&event))
        })
        .and_then(|event| event.tx_hash)
}

/// Whether an event says that this request came to be.
pub fn is_submission(id: RequestId) -> impl Fn(&Event) -> bool {
    move |event| matches!(event, Event::Request { request_id, .. } if *request_id == id)
}

/// Whether an event says that this party answered this request, or failed to.
pub fn is_response(id: RequestId, of: PartyId) -> impl Fn(&Event) -> bool {
    move |event| match event {
        Event::Response { request_id, party, .. } | Event::Failure { request_id, party, .. } => {
            *request_id == id && *party == of
        }
        _ => false,
    }
}

/// Whether an event says that this request ended.
pub fn is_end(id: RequestId) -> impl Fn(&Event) -> bool {
    move |event| matches!(event, Event::Finished { request_id, .. } if *request_id == id)
}

/// The party whose answer or failure an entry records.
pub fn responder(body: &LogBody) -> Option<PartyId> {
    match body {
        LogBody::ResponseRecorded { party, .. }
        | LogBody::ResponseLate { party, .. }
        | LogBody::FailureRecorded { party, .. } => Some(*party),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use kms_asc_api::{ItemOutcome, OperationKind, State};
    use kms_chain::{BlockTime, Event as ChainEvent, TxEvents};

    use super::*;

    /// An event as the chain gives it, for a contract at this address.
    fn emitted(contract: &str, event: &Event) -> ChainEvent {
        let event = cosmwasm_event(event);
        let own = event.1;
        let first = ("_contract_address".to_owned(), contract.to_owned());
        let last = ("msg_index".to_owned(), "0".to_owned());
        ChainEvent { kind: format!("wasm-{}", event.0), attributes: [vec![first], own, vec![last]].concat() }
    }

    fn cosmwasm_event(event: &Event) -> (String, Vec<(String, String)>) {
        let event = cosmwasm_std::Event::from(event);
        (event.ty, event.attributes.into_iter().map(|a| (a.key, a.value)).collect())
    }

    #[test]
    fn a_transaction_is_found_by_what_the_contract_said_and_nobody_else() {
        let id = RequestId(7);
        let request = Event::Request {
            request_id: id,
            operation: OperationKind::PublicDecrypt,
            state: State::Pending,
            epoch: None,
        };
        let response = Event::Response { request_id: id, party: PartyId(2), outcome: ItemOutcome::Recorded };
        let finished = Event::Finished { request_id: id, state: State::Fulfilled };
        let tx =
            |index: u8, events| TxEvents { index: index.into(), hash: Some(TxHash([index; 32])), events };
        let block = Block {
            height: 5,
            time: BlockTime { seconds: 1, nanos: 0 },
            txs: vec![
                tx(0, vec![emitted("wasm1other", &request)]),
                tx(1, vec![emitted("wasm1asc", &request)]),
                tx(2, vec![emitted("wasm1asc", &response), emitted("wasm1asc", &finished)]),
            ],
            block_events: vec![],
        };
        let find = |wanted: &dyn Fn(&Event) -> bool| find_in(&block, "wasm1asc", wanted);
        assert_eq!(find(&is_submission(id)), Some(TxHash([1; 32])));
        assert_eq!(find(&is_response(id, PartyId(2))), Some(TxHash([2; 32])));
        assert_eq!(find(&is_end(id)), Some(TxHash([2; 32])));
        assert_eq!(find(&is_response(id, PartyId(1))), None);
        assert_eq!(find(&is_submission(RequestId(8))), None);
    }
}
