//! Events as the chain gives them. They are hints: no proof covers them.

use tendermint::abci;

use crate::TxHash;

/// Attribute that the chain puts first into every event of a contract, and that no contract can
/// write itself (names with a leading underscore are refused by the chain).
const CONTRACT_ADDRESS: &str = "_contract_address";

/// Attribute that the chain puts last into every event of a message.
const MESSAGE_INDEX: &str = "msg_index";

/// Attribute that the chain puts last into every event of block execution.
const BLOCK_MODE: &str = "mode";

/// One event, unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Event type, for instance `wasm-transfer`.
    pub kind: String,
    /// Attributes in the chain's order.
    pub attributes: Vec<(String, String)>,
}

impl Event {
    /// The contract that emitted this event; `None` for an event of the chain's own modules and for
    /// `execute`, `instantiate` and the like, which only mention a contract.
    pub fn contract(&self) -> Option<&str> {
        if self.kind != "wasm" && !self.kind.starts_with("wasm-") {
            return None;
        }
        let (key, value) = self.attributes.first()?;
        (key == CONTRACT_ADDRESS).then_some(value.as_str())
    }

    /// Position of the message in its transaction; `None` for events of the fee and signature
    /// checks and of block execution.
    pub fn message_index(&self) -> Option<u32> {
        let (key, value) = self.attributes.last()?;
        (key == MESSAGE_INDEX).then(|| value.parse().ok())?
    }

    /// First value of an attribute.
    pub fn attribute(&self, key: &str) -> Option<&str> {
        self.attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

/// An event of a contract and where it stands. Order: that of execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContractEvent<'a> {
    /// Height of the block.
    pub height: u64,
    /// Position of the transaction in its block; `None` if block execution itself emitted it.
    pub tx_index: Option<u32>,
    /// Hash of the transaction, if the follower was told to fetch hashes.
    pub tx_hash: Option<TxHash>,
    /// Position of the message in its transaction.
    pub message_index: Option<u32>,
    /// The whole event.
    pub event: &'a Event,
}

impl<'a> ContractEvent<'a> {
    /// What the contract itself wrote: the attributes without the two that the chain adds.
    pub fn own_attributes(&self) -> &'a [(String, String)] {
        let all = &self.event.attributes[..];
        let all = match all.split_first() {
            Some(((key, _), rest)) if key == CONTRACT_ADDRESS => rest,
            _ => all,
        };
        let last = if self.tx_index.is_some() { MESSAGE_INDEX } else { BLOCK_MODE };
        match all.split_last() {
            Some(((key, _), rest)) if key == last => rest,
            _ => all,
        }
    }
}

/// Takes the RPC client's events over; an attribute that is no text (old nodes only) is left out.
pub(crate) fn from_rpc(events: Vec<abci::Event>) -> Vec<Event> {
    let pair = |attribute: &abci::EventAttribute| {
        Some((attribute.key_str().ok()?.to_owned(), attribute.value_str().ok()?.to_owned()))
    };
    let convert = |event: abci::Event| Event {
        attributes: event.attributes.iter().filter_map(pair).collect(),
        kind: event.kind,
    };
    events.into_iter().map(convert).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str, attributes: &[(&str, &str)]) -> Event {
        let attributes = attributes.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Event { kind: kind.to_owned(), attributes }
    }

    #[test]
    fn an_event_belongs_to_the_contract_that_the_chain_wrote_first() {
        let own = event("wasm-kms_request", &[("_contract_address", "wasm1a"), ("id", "7")]);
        assert_eq!(own.contract(), Some("wasm1a"));
        assert_eq!(event("wasm", &[("_contract_address", "wasm1a")]).contract(), Some("wasm1a"));
    }

    #[test]
    fn an_address_that_is_not_first_or_not_of_a_contract_event_proves_nothing() {
        let later = event("wasm-kms_request", &[("id", "7"), ("_contract_address", "wasm1a")]);
        assert_eq!(later.contract(), None);
        assert_eq!(event("execute", &[("_contract_address", "wasm1a")]).contract(), None);
        assert_eq!(event("wasmish", &[("_contract_address", "wasm1a")]).contract(), None);
        assert_eq!(event("wasm-empty", &[]).contract(), None);
    }

    #[test]
    fn own_attributes_are_those_between_the_two_of_the_chain() {
        let raw = event(
            "wasm-x",
            &[("_contract_address", "wasm1a"), ("msg_index", "mine"), ("n", "1"), ("msg_index", "3")],
        );
        let event = ContractEvent {
            height: 1,
            tx_index: Some(0),
            tx_hash: None,
            message_index: raw.message_index(),
            event: &raw,
        };
        assert_eq!(event.message_index, Some(3));
        let own: Vec<_> = event.own_attributes().iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(own, ["msg_index=mine", "n=1"]);
    }

    #[test]
    fn own_attributes_of_an_event_of_block_execution_leave_out_the_chains_mode() {
        let raw = event("wasm-x", &[("_contract_address", "wasm1a"), ("n", "1"), ("mode", "EndBlock")]);
        let event =
            ContractEvent { height: 1, tx_index: None, tx_hash: None, message_index: None, event: &raw };
        assert_eq!(event.own_attributes(), [("n".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn an_event_without_a_message_has_no_message_index() {
        assert_eq!(event("tx", &[("fee", "5ucosm")]).message_index(), None);
        assert_eq!(event("tx", &[("msg_index", "x")]).message_index(), None);
    }
}
