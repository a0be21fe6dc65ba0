//! A contract that asks, and is called back.

use cosmwasm_std::{Addr, CosmosMsg, Empty, WasmMsg, coins, to_json_binary};
use cw_multi_test::{ContractWrapper, Executor};
use kms_asc_api::{Callback, ExecuteMsg, KmsResult, Operation, RequestId, State};
use kms_test_receiver::{self as receiver, Manner};

use super::{DENOM, Done, Refusal, Suite, account};

/// The gas that callbacks are asked for with.
pub const CALLBACK_GAS: u64 = 200_000;

impl Suite {
    /// A contract with money that accepts what it is told.
    pub fn receiver(&mut self) -> Addr {
        let code = ContractWrapper::new(receiver::execute, receiver::instantiate, receiver::query);
        let code_id = self.app.store_code(Box::new(code));
        let money = coins(100_000, DENOM);
        self.app
            .instantiate_contract(code_id, account("creator"), &Empty {}, &money, "receiver", None)
            .unwrap()
    }

    fn tell(&self, receiver: &Addr, msg: &receiver::ExecuteMsg) -> CosmosMsg {
        let msg = to_json_binary(msg).unwrap();
        WasmMsg::Execute { contract_addr: receiver.to_string(), msg, funds: vec![] }.into()
    }

    /// How it behaves from now on.
    pub fn behave(&mut self, receiver: &Addr, manner: Manner) {
        let msg = self.tell(receiver, &receiver::ExecuteMsg::Behave(manner));
        self.execute_all(&account("passer-by"), vec![msg]).unwrap();
    }

    /// Has it send messages.
    pub fn send_as(&mut self, receiver: &Addr, messages: Vec<CosmosMsg>) -> Result<Done, Refusal> {
        let msg = self.tell(receiver, &receiver::ExecuteMsg::Send(messages));
        Ok(self.execute_all(&account("passer-by"), vec![msg])?.remove(0))
    }

    /// A request with a callback, and its price.
    pub fn submission_with(&self, operation: Operation, gas_limit: u64) -> CosmosMsg {
        let price = self.price_with(&operation, gas_limit);
        let callback = Some(Callback { gas_limit });
        let msg = ExecuteMsg::SubmitRequest { operation: Box::new(operation), ttl: None, callback };
        self.message(&msg, coins(price, DENOM))
    }

    /// Has it ask for something with a callback; the request is accepted.
    pub fn ask_as(&mut self, receiver: &Addr, operation: Operation) -> RequestId {
        let submission = self.submission_with(operation, CALLBACK_GAS);
        let done = self.send_as(receiver, vec![submission]).unwrap();
        let [kms_asc_api::event::Event::Request { request_id, state, .. }] = done.events[..] else {
            panic!("{:?}", done.events)
        };
        assert_eq!(state, State::Pending);
        request_id
    }

    /// What it was called back with.
    pub fn results(&self, receiver: &Addr) -> Vec<KmsResult> {
        self.app.wrap().query_wasm_smart(receiver, &receiver::QueryMsg::Results {}).unwrap()
    }
}
