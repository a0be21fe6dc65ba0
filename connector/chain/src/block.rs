//! A block as a follower of contracts needs it.

use crate::{ContractEvent, Event, TxHash};

/// Time in a block's header. On arrival it is one block interval old: no measure of latency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlockTime {
    /// Whole seconds since 1970.
    pub seconds: u64,
    /// Nanoseconds within the second.
    pub nanos: u32,
}

/// One block: what its successful transactions and its execution emitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Height.
    pub height: u64,
    /// Time of the header.
    pub time: BlockTime,
    /// Successful transactions (code 0) only, in order.
    pub txs: Vec<TxEvents>,
    /// Events of block execution itself (about 21 in every block, and those of contracts that
    /// governance or another module calls).
    pub block_events: Vec<Event>,
}

/// The events of one successful transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxEvents {
    /// Position in the block, failed transactions counted.
    pub index: u32,
    /// Hash, if asked for.
    pub hash: Option<TxHash>,
    /// Events in order: first those of the fee and signature checks, then those of the messages.
    pub events: Vec<Event>,
}

impl Block {
    /// Events emitted by this contract, in order of execution.
    pub fn contract_events<'a>(&'a self, contract: &'a str) -> impl Iterator<Item = ContractEvent<'a>> {
        let of_txs = self.txs.iter().flat_map(|tx| {
            tx.events.iter().map(move |event| (Some(tx.index), tx.hash, event.message_index(), event))
        });
        let of_block = self.block_events.iter().map(|event| (None, None, None, event));
        of_txs.chain(of_block).filter(move |(.., event)| event.contract() == Some(contract)).map(
            |(tx_index, tx_hash, message_index, event)| ContractEvent {
                height: self.height,
                tx_index,
                tx_hash,
                message_index,
                event,
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(contract: &str, id: &str, message: &str) -> Event {
        let pairs = [("_contract_address", contract), ("id", id), ("msg_index", message)];
        let attributes = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Event { kind: "wasm-x".into(), attributes }
    }

    #[test]
    fn events_of_a_contract_come_in_order_with_their_place_and_without_those_of_others() {
        let tx = |index, events| TxEvents { index, hash: Some(TxHash([7; 32])), events };
        let block = Block {
            height: 9,
            time: BlockTime { seconds: 1, nanos: 0 },
            txs: vec![
                tx(1, vec![event("a", "1", "0"), event("b", "2", "0"), event("a", "3", "1")]),
                tx(4, vec![event("a", "4", "0")]),
            ],
            block_events: vec![event("a", "5", "0"), event("b", "6", "0")],
        };
        let found: Vec<_> = block
            .contract_events("a")
            .map(|e| (e.event.attribute("id").unwrap().to_owned(), e.tx_index, e.message_index))
            .collect();
        let expected =
            [("1", Some(1), Some(0)), ("3", Some(1), Some(1)), ("4", Some(4), Some(0)), ("5", None, None)];
        assert_eq!(found, expected.map(|(id, tx, message)| (id.to_owned(), tx, message)));
        assert!(block.contract_events("a").all(|e| e.height == 9));
    }
}
