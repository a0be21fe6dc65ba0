//! What a block's events say. Hints for speed: state is the truth.

use kms_asc_api::{KeyId, KeyState, RequestId, State, event::Event, event::EventError};
use kms_chain::Block;

use crate::machine::Operator;

/// What a block holds for this daemon.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// New open requests for this operator's epoch, in order.
    pub requests: Vec<RequestId>,
    /// Keys that were destroyed, in order.
    pub destroyed: Vec<KeyId>,
    /// Events of the contract that could not be read.
    pub malformed: Vec<EventError>,
}

/// Reads the events that the contract emitted in a block. Those of other contracts are not looked at, whatever they
/// call themselves; a kind that is not known is passed over, and one that cannot be read stops nothing.
pub fn read(block: &Block, contract: &str, operator: Operator) -> Hints {
    let mut hints = Hints::default();
    for event in block.contract_events(contract) {
        if event.event.kind == "wasm" {
            continue; // attributes of the response itself, no typed event
        }
        match Event::parse(&event.event.kind, event.own_attributes()) {
            Ok(Event::Request { request_id, state: State::Pending, epoch, .. })
                if epoch == Some(operator.epoch) =>
            {
                hints.requests.push(request_id);
            }
            Ok(Event::Key { key_id, state: KeyState::Destroyed }) => hints.destroyed.push(key_id),
            // A kind that only a later version knows is none of the requests.
            Ok(_) | Err(EventError::UnknownType(_)) => {}
            Err(error) => hints.malformed.push(error),
        }
    }
    hints
}

#[cfg(test)]
mod tests {
    use cosmwasm_std::Event as CosmosEvent;
    use kms_asc_api::{EpochId, ItemOutcome, OperationKind, PartyId};
    use kms_chain::{BlockTime, Event as ChainEvent, TxEvents};

    use super::*;
    use crate::fixture::US;

    const ASC: &str = "wasm1asc";

    /// As the chain gives what a contract emitted: prefix, contract address first, message index last.
    fn emitted(contract: &str, event: &Event) -> ChainEvent {
        let event = CosmosEvent::from(event);
        let first = ("_contract_address".to_owned(), contract.to_owned());
        let own = event.attributes.into_iter().map(|attribute| (attribute.key, attribute.value));
        let last = ("msg_index".to_owned(), "0".to_owned());
        let attributes = std::iter::once(first).chain(own).chain([last]).collect();
        ChainEvent { kind: format!("wasm-{}", event.ty), attributes }
    }

    fn request(id: u64, state: State, epoch: Option<u32>) -> Event {
        let operation = OperationKind::PublicDecrypt;
        Event::Request { request_id: RequestId(id), operation, state, epoch: epoch.map(EpochId) }
    }

    fn open(id: u64) -> Event {
        request(id, State::Pending, Some(US.epoch.get()))
    }

    fn block(txs: Vec<Vec<ChainEvent>>) -> Block {
        let txs = (0..).zip(txs).map(|(index, events)| TxEvents { index, hash: None, events }).collect();
        Block { height: 5, time: BlockTime { seconds: 1, nanos: 0 }, txs, block_events: Vec::new() }
    }

    #[test]
    fn what_the_contract_emits_is_what_the_daemon_reads() {
        let finished = Event::Finished { request_id: RequestId(1), state: State::Fulfilled };
        let response =
            Event::Response { request_id: RequestId(1), party: PartyId(1), outcome: ItemOutcome::Recorded };
        let block = block(vec![
            vec![emitted(ASC, &open(4)), emitted(ASC, &open(5))],
            vec![emitted(ASC, &finished), emitted(ASC, &response)],
            vec![emitted(ASC, &open(6))],
        ]);
        let hints = read(&block, ASC, US);
        assert_eq!(hints, Hints { requests: [4, 5, 6].map(RequestId).to_vec(), ..Hints::default() });
    }

    #[test]
    fn requests_that_are_not_open_or_of_another_epoch_are_passed_over() {
        let others = [
            request(1, State::Denied, None),
            request(2, State::Pending, Some(US.epoch.get() + 1)),
            request(3, State::Denied, Some(US.epoch.get())),
        ];
        let block = block(vec![others.iter().map(|event| emitted(ASC, event)).collect()]);
        assert_eq!(read(&block, ASC, US), Hints::default());
    }

    #[test]
    fn another_contract_cannot_forge_a_request() {
        let mut nested = emitted("wasm1thief", &open(1));
        nested.attributes.insert(1, ("_contract_address".into(), ASC.into()));
        let block = block(vec![vec![emitted("wasm1thief", &open(2)), nested]]);
        assert_eq!(read(&block, ASC, US), Hints::default());
    }

    #[test]
    fn an_event_that_cannot_be_read_is_counted_and_hides_no_other() {
        let mut broken = emitted(ASC, &open(1));
        broken.attributes.retain(|(key, _)| key != "state");
        let mut senseless = emitted(ASC, &open(2));
        senseless.attributes[1].1 = "-7".into();
        let block = block(vec![vec![broken, senseless, emitted(ASC, &open(3))]]);
        let hints = read(&block, ASC, US);
        assert_eq!((hints.requests, hints.malformed.len()), (vec![RequestId(3)], 2));
    }

    #[test]
    fn kinds_that_only_a_later_contract_knows_are_passed_over() {
        let kinds = ["wasm", "wasm-kms_moon", "wasm-kms_", "wasm-kms_request2", "wasm-other"];
        let mut events: Vec<_> = kinds
            .iter()
            .map(|kind| ChainEvent {
                kind: (*kind).into(),
                attributes: vec![
                    ("_contract_address".into(), ASC.into()),
                    ("request_id".into(), "-7".into()),
                ],
            })
            .collect();
        events.push(emitted(ASC, &open(3)));
        let hints = read(&block(vec![events]), ASC, US);
        assert_eq!(hints, Hints { requests: vec![RequestId(3)], ..Hints::default() });
    }

    #[test]
    fn keys_that_were_destroyed_are_noted_and_other_changes_of_keys_are_not() {
        let key = |id, state| emitted(ASC, &Event::Key { key_id: KeyId(id), state });
        let states = [KeyState::Active, KeyState::Destroyed, KeyState::Suspended, KeyState::Deactivated];
        let events = (1..).zip(states).map(|(id, state)| key(id, state)).collect();
        assert_eq!(
            read(&block(vec![events]), ASC, US),
            Hints { destroyed: vec![KeyId(2)], ..Hints::default() }
        );
    }
}
