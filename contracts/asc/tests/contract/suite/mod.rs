//! A chain with the contract and its operators. Every message goes through [`Suite::execute`], which checks
//! what must hold after each of them, whatever it was.

mod bank;
mod builder;
pub mod evidence;
mod governance;
pub mod invariants;
mod operator;
mod receiver;
mod requests;
mod snapshot;
pub mod terms;

use cosmwasm_std::{
    Addr, Binary, Coin, CosmosMsg, Event as CosmosEvent, StdError, Storage, WasmMsg, coins, from_json,
    to_json_binary,
};
use cw_multi_test::{App, AppResponse, MockApiBech32};
use kms_asc_api::event::Event;
use kms_asc_api::log::LogEntry;
use kms_asc_api::{
    CloseOutcome, Config, Credit, Epoch, ExecuteMsg, ItemOutcome, LogPage, OutcomesData, QueryMsg, RequestId,
    RequestView, SubmitRequestData,
};
use serde::de::DeserializeOwned;

use bank::{Blocked, BlockingBank};
pub use builder::{SuiteBuilder, WasmAdmin};
pub use operator::{other_forms, sign, signature};
pub use receiver::CALLBACK_GAS;
pub use requests::{
    ciphertext, crs_gen, import_crs, import_key, key_gen, key_gen_from, public_decrypt, typed_ciphertext,
    word,
};
pub use snapshot::Snapshot;
pub use terms::{DENOM, START, account, payout};

/// The chain.
pub type TestApp = App<BlockingBank, MockApiBech32>;

/// A chain, a contract and its operators.
pub struct Suite {
    pub app: TestApp,
    pub contract: Addr,
    pub config: Config,
    pub epoch: Epoch,
    pub code_id: u64,
    blocked: Blocked,
    /// Whether a test wrote into state, so that the log does not tell all of it.
    changed_by_hand: bool,
}

/// What a message that succeeded gave.
#[derive(Debug)]
pub struct Done {
    pub data: Option<Binary>,
    /// The contract's events, decoded as the daemon decodes them.
    pub events: Vec<Event>,
}

impl Done {
    /// The data that the message returned.
    pub fn data<T: DeserializeOwned>(&self) -> T {
        from_json(self.data.as_ref().expect("the message returns data")).unwrap()
    }
}

/// What a message that failed gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The stable code in brackets; empty if the chain refused before the contract did.
    pub code: String,
    pub text: String,
}

impl From<StdError> for Refusal {
    fn from(error: StdError) -> Self {
        let text = error.to_string();
        let cause = text.rsplit("error: ").next().unwrap_or_default();
        let code = cause.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(code, _)| code);
        let code = code.unwrap_or_default().to_owned();
        Self { code, text }
    }
}

impl Suite {
    /// A contract with one operator.
    pub fn new() -> Self {
        SuiteBuilder::centralized().build()
    }

    /// A contract with four operators, three of whom decide.
    pub fn threshold() -> Self {
        SuiteBuilder::threshold().build()
    }

    /// Who owns the keys, and has money.
    pub fn owner(&self) -> Addr {
        account("owner")
    }

    /// Who governs.
    pub fn admin(&self) -> Addr {
        account("admin")
    }

    /// A message that must succeed.
    pub fn done(&mut self, sender: &Addr, msg: &ExecuteMsg) -> Done {
        self.execute(sender, msg, &[]).unwrap_or_else(|refusal| panic!("{}: {}", msg.name(), refusal.text))
    }

    /// The code of the refusal that a message must get.
    pub fn refused(&mut self, sender: &Addr, msg: &ExecuteMsg) -> String {
        match self.execute(sender, msg, &[]) {
            Ok(_) => panic!("{} was accepted", msg.name()),
            Err(refusal) => refusal.code,
        }
    }

    /// Who has money and nothing else.
    pub fn stranger(&self) -> Addr {
        account("stranger")
    }

    /// Sends a message. If it fails, nothing at all may have changed.
    pub fn execute(&mut self, sender: &Addr, msg: &ExecuteMsg, funds: &[Coin]) -> Result<Done, Refusal> {
        self.execute_raw(sender, to_json_binary(msg).unwrap(), funds)
    }

    /// Sends bytes as a message.
    pub fn execute_raw(&mut self, sender: &Addr, msg: Binary, funds: &[Coin]) -> Result<Done, Refusal> {
        let contract_addr = self.contract.to_string();
        let msg = WasmMsg::Execute { contract_addr, msg, funds: funds.to_vec() };
        let mut responses = self.execute_all(sender, vec![msg.into()])?;
        Ok(responses.remove(0))
    }

    /// A message of a transaction.
    pub fn message(&self, msg: &ExecuteMsg, funds: Vec<Coin>) -> CosmosMsg {
        let contract_addr = self.contract.to_string();
        WasmMsg::Execute { contract_addr, msg: to_json_binary(msg).unwrap(), funds }.into()
    }

    /// Sends several messages in one transaction.
    pub fn execute_all(&mut self, sender: &Addr, msgs: Vec<CosmosMsg>) -> Result<Vec<Done>, Refusal> {
        let before = Snapshot::take(self);
        let money_before = self.balances(sender);
        match self.app.execute_multi(sender.clone(), msgs) {
            Ok(responses) => {
                self.check_step(&before);
                Ok(responses.into_iter().map(|response| self.what_was_done(response)).collect())
            }
            Err(error) => {
                assert_eq!(Snapshot::take(self).raw, before.raw, "a failed message changed state");
                assert_eq!(self.balances(sender), money_before, "a failed message moved money");
                Err(Refusal::from(error))
            }
        }
    }

    fn what_was_done(&self, response: AppResponse) -> Done {
        let data = response.data.and_then(|data| message_data(data.as_slice()));
        Done { data, events: self.own_events(&response.events) }
    }

    /// The contract's events among all: its address in `_contract_address`, its prefix in the type.
    fn own_events(&self, events: &[CosmosEvent]) -> Vec<Event> {
        let own = events.iter().filter(|event| {
            event.ty.starts_with("wasm-")
                && event
                    .attributes
                    .iter()
                    .any(|a| a.key == "_contract_address" && a.value == self.contract.as_str())
        });
        own.map(|event| {
            let pairs: Vec<_> = event.attributes.iter().map(|a| (a.key.clone(), a.value.clone())).collect();
            Event::parse(&event.ty, &pairs).unwrap()
        })
        .collect()
    }

    /// Asks the contract.
    pub fn query<T: DeserializeOwned>(&self, msg: &QueryMsg) -> Result<T, Refusal> {
        self.app.wrap().query_wasm_smart(&self.contract, msg).map_err(Refusal::from)
    }

    pub fn view(&self, id: RequestId) -> RequestView {
        self.query(&QueryMsg::Request { id }).unwrap()
    }

    /// The contract's raw storage.
    pub fn storage(&self) -> Box<dyn Storage + '_> {
        self.app.contract_storage(&self.contract)
    }

    /// Changes state by hand: for what no message of this version brings about, though later ones do, and state
    /// is what counts.
    pub fn change_state(&mut self, change: impl FnOnce(&mut dyn Storage)) {
        self.changed_by_hand = true;
        change(&mut *self.app.contract_storage_mut(&self.contract));
    }

    /// All of the log, decoded.
    pub fn log(&self) -> Vec<LogEntry> {
        let mut entries = Vec::new();
        let mut from = Some(1);
        while let Some(first) = from {
            let page: LogPage = self.query(&QueryMsg::Log { from: first, limit: Some(30) }).unwrap();
            entries.extend(page.entries.iter().map(|bytes| LogEntry::parse(bytes.as_slice()).unwrap()));
            from = page.next;
        }
        entries
    }

    /// Kinds of the newest entries, in order.
    pub fn newest_kinds(&self, count: usize) -> Vec<&'static str> {
        let log = self.log();
        log[log.len() - count..].iter().map(|entry| entry.body.kind()).collect()
    }

    /// Goes to a block at this time.
    pub fn at(&mut self, seconds: u64) {
        self.app.update_block(|block| {
            block.height += 1;
            block.time = cosmwasm_std::Timestamp::from_seconds(seconds);
        });
    }

    pub fn balance(&self, address: &Addr) -> u128 {
        let amount = self.app.wrap().query_balance(address, DENOM).unwrap().amount;
        amount.to_string().parse().unwrap()
    }

    fn balances(&self, sender: &Addr) -> (u128, u128) {
        (self.balance(sender), self.balance(&self.contract))
    }

    /// What an address can withdraw.
    pub fn credit(&self, address: &Addr) -> u128 {
        let credit: Credit = self.query(&QueryMsg::Credit { address: address.to_string() }).unwrap();
        assert_eq!(credit.denom, DENOM);
        credit.amount.u128()
    }

    /// From now on, `address` receives nothing.
    pub fn block_address(&self, address: &Addr) {
        self.blocked.borrow_mut().insert(address.to_string());
    }

    pub fn unblock_address(&self, address: &Addr) {
        self.blocked.borrow_mut().remove(address.as_str());
    }

    /// `submit_request` with this much money.
    pub fn submit(
        &mut self,
        sender: &Addr,
        operation: kms_asc_api::Operation,
        amount: u128,
    ) -> Result<SubmitRequestData, Refusal> {
        let msg = ExecuteMsg::SubmitRequest { operation: Box::new(operation), ttl: None, callback: None };
        let funds = if amount == 0 { vec![] } else { coins(amount, DENOM) };
        Ok(self.execute(sender, &msg, &funds)?.data())
    }

    /// `close`, by a stranger.
    pub fn close(&mut self, ids: &[RequestId]) -> Vec<CloseOutcome> {
        let msg = ExecuteMsg::Close { request_ids: ids.to_vec() };
        let done = self.execute(&account("passer-by"), &msg, &[]).unwrap();
        done.data::<OutcomesData<CloseOutcome>>().outcomes
    }

    /// `submit_responses`, by a stranger.
    pub fn respond(&mut self, responses: Vec<kms_asc_api::Answer>) -> Vec<ItemOutcome> {
        let done =
            self.execute(&account("relayer"), &ExecuteMsg::SubmitResponses { responses }, &[]).unwrap();
        done.data::<OutcomesData<ItemOutcome>>().outcomes
    }

    /// `submit_failures`, by a stranger.
    pub fn report(&mut self, failures: Vec<kms_asc_api::Failure>) -> Vec<ItemOutcome> {
        let done = self.execute(&account("relayer"), &ExecuteMsg::SubmitFailures { failures }, &[]).unwrap();
        done.data::<OutcomesData<ItemOutcome>>().outcomes
    }

    pub fn withdraw(&mut self, sender: &Addr, to: Option<&Addr>) -> Result<Done, Refusal> {
        self.execute(sender, &ExecuteMsg::Withdraw { to: to.map(Addr::to_string) }, &[])
    }
}

/// The data within `MsgExecuteContractResponse`: protobuf field 1, bytes.
fn message_data(response: &[u8]) -> Option<Binary> {
    let rest = response.strip_prefix(&[0x0a])?;
    let length_bytes = rest.iter().position(|byte| byte & 0x80 == 0)? + 1;
    Some(Binary::from(&rest[length_bytes..]))
}
