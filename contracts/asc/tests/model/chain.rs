//! The contract on a simulated chain, driven by the same steps as the model.

use std::collections::BTreeMap;

use cosmwasm_std::{
    Addr, Api, BankMsg, Binary, BlockInfo, Coin, CosmosMsg, Empty, StdError, Timestamp, WasmMsg, coin,
    from_json, instantiate2_address, to_json_binary,
};
use cw_multi_test::{
    App, AppBuilder, AppResponse, BankKeeper, Contract, ContractWrapper, Executor, MockApiBech32,
};
use kms_asc_api::eip712::Receipt;
use kms_asc_api::log::LogHead;
use kms_asc_api::{
    Answer, CloseOutcome, CrsId, Digest, EpochId, ExecuteMsg, Failure, InstantiateMsg, ItemOutcome, KeyId,
    NewRequest, OutcomesData, PartyId, RequestId, SubmitRequestData, SubmitRequestsData, request_hash,
};
use serde::de::DeserializeOwned;

use crate::app::{self, AppMsg};
use crate::bank::{Blocked, BlockingBank};
use crate::model::{Faults, ItemExpected, Model, Outcome};
use crate::operations::digest;
use crate::step::{Funds, Item, Msg, Said, Sig, Step};
use crate::world::{
    self, ADMIN, APP, CHAIN_ID, CONTRACT, DENOM, MONEY, OTHER, PLACES, RELAYER, START, Who, address, sign,
    wallet,
};

pub type TestApp = App<BlockingBank, MockApiBech32>;
/// The contract's code, or that of a mutant.
pub type Code = fn() -> Box<dyn Contract<Empty>>;

/// The contract as it is.
pub fn contract() -> Box<dyn Contract<Empty>> {
    use kms_asc::contract::{execute, instantiate, migrate, query, reply};
    Box::new(ContractWrapper::new(execute, instantiate, query).with_reply(reply).with_migrate(migrate))
}

/// The contract with bugs planted in it, one of which is switched on.
pub fn mutants() -> Box<dyn Contract<Empty>> {
    use kms_asc_mutants::contract::{execute, instantiate, migrate, query, reply};
    Box::new(ContractWrapper::new(execute, instantiate, query).with_reply(reply).with_migrate(migrate))
}

pub struct Chain {
    pub app: TestApp,
    pub blocked: Blocked,
    pub code_id: u64,
    pub log: LogHead,
    pub raw: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// Data of a message, or the code with which it was refused.
type Done = Result<Option<Binary>, String>;

impl Chain {
    pub fn new(code: Code, shape: usize) -> Self {
        let blocked = Blocked::default();
        let bank = BlockingBank { keeper: BankKeeper::new(), blocked: blocked.clone() };
        let block =
            BlockInfo { height: 100, time: Timestamp::from_seconds(START), chain_id: CHAIN_ID.to_owned() };
        let builder =
            AppBuilder::new().with_api(MockApiBech32::new("wasm")).with_bank(bank).with_block(block);
        let mut chain: TestApp = builder.build(|router, _, storage| {
            for who in 0..APP {
                let money = vec![coin(MONEY, DENOM), coin(MONEY, OTHER)];
                router.bank.keeper.init_balance(storage, &Addr::unchecked(address(who)), money).unwrap();
            }
        });
        let creator = Addr::unchecked(address(RELAYER));
        let app_code =
            chain.store_code(Box::new(ContractWrapper::new(app::execute, app::instantiate, app::query)));
        let app = chain.instantiate_contract(app_code, creator.clone(), &Empty {}, &[], "app", None).unwrap();
        chain.init_modules(|router, _, storage| {
            let money = vec![coin(MONEY, DENOM), coin(MONEY, OTHER)];
            router.bank.keeper.init_balance(storage, &app, money).unwrap();
        });
        let code_id = chain.store_code(code());
        let predicted = predict(&chain, code_id, &creator);
        PLACES.get_or_init(|| (predicted.to_string(), app.to_string()));
        let msg =
            InstantiateMsg { admin: address(ADMIN), config: world::config(), epoch: world::epoch(1, shape) };
        let admin = Some(predicted.to_string());
        chain.instantiate2_contract(code_id, creator, &msg, &[], "asc", admin, b"asc".to_vec()).unwrap();
        let mut chain = Self { app: chain, blocked, code_id, log: LogHead::EMPTY, raw: BTreeMap::new() };
        chain.read_state().unwrap();
        chain
    }

    /// Takes a step as the model did; says what is not as the model expects.
    pub fn step(&mut self, before: &Model, step: &Step, after: &Model) -> Result<(), String> {
        match step {
            Step::Wait(seconds) => self.app.update_block(|block| {
                block.height += 1;
                block.time = block.time.plus_seconds(*seconds);
            }),
            Step::Block { who, blocked: true } => drop(self.blocked.borrow_mut().insert(address(*who))),
            Step::Block { who, blocked: false } => drop(self.blocked.borrow_mut().remove(&address(*who))),
            Step::AppFails(fails) => {
                let (sender, app) = (Addr::unchecked(address(RELAYER)), Addr::unchecked(address(APP)));
                self.app.execute_contract(sender, app, &AppMsg::Fail(*fails), &[]).unwrap();
            }
            Step::Gift { from, amount, other } => {
                let amount = vec![coin(*amount, if *other { OTHER } else { DENOM })];
                let send = BankMsg::Send { to_address: address(CONTRACT), amount };
                let done = self.app.execute(Addr::unchecked(address(*from)), send.into());
                let refused = matches!(after.expected.outcome, Outcome::Refused(_));
                if done.is_err() != refused {
                    return Err(format!("a gift: {done:?}"));
                }
            }
            Step::Send { sender, stray, msg } => {
                let (message, funds) = self.message(before, msg, after, *stray);
                let done = self.execute(*sender, &message, funds);
                compare_outcome(&after.expected.outcome, done)?;
            }
        }
        Ok(())
    }

    fn execute(&mut self, sender: Who, msg: &ExecuteMsg, funds: Vec<Coin>) -> Done {
        let (contract_addr, msg) = (address(CONTRACT), to_json_binary(msg).unwrap());
        let (from, message): (Who, CosmosMsg) = if sender == APP {
            let pass = to_json_binary(&AppMsg::Pass { to: contract_addr, msg, funds }).unwrap();
            (RELAYER, WasmMsg::Execute { contract_addr: address(APP), msg: pass, funds: vec![] }.into())
        } else {
            (sender, WasmMsg::Execute { contract_addr, msg, funds }.into())
        };
        match self.app.execute(Addr::unchecked(address(from)), message) {
            // The requesting contract gives no data.
            Ok(_) if sender == APP => Ok(None),
            Ok(response) => Ok(data(&response)),
            Err(error) => Err(code(&error)),
        }
    }

    /// The message that a step means, as it was before it.
    fn message(&self, before: &Model, msg: &Msg, after: &Model, stray: bool) -> (ExecuteMsg, Vec<Coin>) {
        let who = |to: &Who| address(*to);
        let message = match msg {
            Msg::Submit(request) | Msg::Together(request, _) => {
                let (operation, sent) = after.asked.clone().unwrap();
                let callback = request.callback.map(|gas_limit| kms_asc_api::Callback { gas_limit });
                let coins = match request.funds {
                    Funds::Other => vec![coin(sent, OTHER)],
                    Funds::Both => vec![coin(sent, DENOM), coin(1, OTHER)],
                    _ if sent == 0 => vec![],
                    _ => vec![coin(sent, DENOM)],
                };
                let ttl = request.ttl;
                let message = match msg {
                    Msg::Together(_, times) => {
                        let request = NewRequest { operation, ttl, callback };
                        ExecuteMsg::SubmitRequests { requests: vec![request; usize::from(*times)] }
                    }
                    _ => ExecuteMsg::SubmitRequest { operation: Box::new(operation), ttl, callback },
                };
                return (message, coins);
            }
            Msg::Responses(items) => ExecuteMsg::SubmitResponses {
                responses: items.iter().map(|item| answer(before, item)).collect(),
            },
            Msg::Failures(items) => ExecuteMsg::SubmitFailures {
                failures: items.iter().map(|item| failure(before, item)).collect(),
            },
            Msg::Close(ids) => {
                ExecuteMsg::Close { request_ids: ids.iter().copied().map(RequestId).collect() }
            }
            Msg::Cancel(id) => ExecuteMsg::Cancel { request_id: RequestId(*id) },
            Msg::Withdraw { to } => ExecuteMsg::Withdraw { to: to.as_ref().map(who) },
            Msg::Grant { key, to, until } => ExecuteMsg::Grant {
                key_id: KeyId(*key),
                grantee: address(*to),
                until: until.map(|until| before.now.saturating_add_signed(until)),
            },
            Msg::Revoke { key, to } => ExecuteMsg::Revoke { key_id: KeyId(*key), grantee: address(*to) },
            Msg::Attesters { key, seeds, threshold } => ExecuteMsg::SetAttesters {
                key_id: KeyId(*key),
                attesters: seeds.iter().map(|seed| wallet(*seed)).collect(),
                threshold: *threshold,
            },
            Msg::Crs { key, crs } => {
                ExecuteMsg::SetCrs { key_id: KeyId(*key), crs_ids: crs.iter().copied().map(CrsId).collect() }
            }
            Msg::State { key, state } => ExecuteMsg::SetKeyState { key_id: KeyId(*key), state: *state },
            Msg::Offer { key, to } => ExecuteMsg::OfferKey { key_id: KeyId(*key), to: address(*to) },
            Msg::Accept { key } => ExecuteMsg::AcceptKey { key_id: KeyId(*key) },
            Msg::SetEpoch { ahead, shape, fault } => {
                ExecuteMsg::SetEpoch { epoch: Box::new(before.new_epoch(*ahead, *shape, *fault)) }
            }
            Msg::RevokeEpoch(id) => ExecuteMsg::RevokeEpoch { epoch: EpochId(*id) },
            Msg::Config(change) => ExecuteMsg::UpdateConfig { config: Box::new(before.changed(*change)) },
            Msg::Domain { key, domain } => ExecuteMsg::RegisterDomain {
                key_id: KeyId(*key),
                domain: before.registered_domain(*key, *domain),
            },
            Msg::Pause => ExecuteMsg::Pause {},
            Msg::Unpause => ExecuteMsg::Unpause {},
            Msg::Treasury { to, amount } => {
                ExecuteMsg::WithdrawTreasury { to: to.as_ref().map(who), amount: (*amount).into() }
            }
            Msg::Sweep { to, other } => ExecuteMsg::SweepSurplus {
                denom: (if *other { OTHER } else { DENOM }).to_owned(),
                to: to.as_ref().map(who),
            },
            Msg::Schedule { right } => {
                let checksum = self.app.wrap().query_wasm_code_info(self.code_id).unwrap().checksum;
                let checksum = Digest::try_from(checksum.as_slice()).unwrap();
                let checksum = if *right { checksum } else { digest("another", 1) };
                ExecuteMsg::ScheduleMigration { code_id: self.code_id, checksum }
            }
            Msg::Migrate => ExecuteMsg::MigrateNow {},
            Msg::Propose { to } => ExecuteMsg::ProposeAdmin { admin: address(*to) },
            Msg::Office => ExecuteMsg::AcceptAdmin {},
        };
        (message, if stray { vec![coin(1, DENOM)] } else { vec![] })
    }
}

fn predict(chain: &TestApp, code_id: u64, creator: &Addr) -> Addr {
    let checksum = chain.wrap().query_wasm_code_info(code_id).unwrap().checksum;
    let creator = chain.api().addr_canonicalize(creator.as_str()).unwrap();
    let address = instantiate2_address(checksum.as_slice(), &creator, b"asc").unwrap();
    chain.api().addr_humanize(&address).unwrap()
}

/// What is stored of a request is what operators sign.
fn receipt(model: &Model, item: &Item, outcome: kms_asc_api::Outcome, payload: &[u8]) -> Binary {
    let bytes = model.request(item.request).map(|request| request.bytes.clone()).unwrap_or_default();
    let contract = address(CONTRACT);
    let mut hash = Receipt {
        chain_id: CHAIN_ID,
        contract: &contract,
        request_id: RequestId(item.request),
        request_hash: request_hash(&bytes),
        epoch: EpochId(item.epoch),
        party: PartyId(item.party),
        outcome,
        payload_digest: Digest::sha256(payload),
    }
    .signing_hash();
    if item.receipt == Sig::Twisted {
        hash = digest("something else", 0);
    }
    signed(item, item.receipt, &hash).unwrap_or_default()
}

/// A signature of the item's party, or what stands in its place.
fn signed(item: &Item, sig: Sig, hash: &Digest) -> Option<Binary> {
    let seed = world::party_seed(item.epoch, item.party);
    match sig {
        Sig::Right => Some(sign(seed, hash).into()),
        Sig::Twisted => Some(sign(seed, &digest("something else", 1)).into()),
        Sig::Stranger => Some(sign(250, hash).into()),
        Sig::Short => Some(Binary::from(vec![1; 64])),
        Sig::None => None,
    }
}

fn answer(model: &Model, item: &Item) -> Answer {
    let payload = model.payload(item.request, item.party, item.said);
    Answer {
        request_id: RequestId(item.request),
        epoch: EpochId(item.epoch),
        party: PartyId(item.party),
        external_signature: signed(item, item.external, &model.external_hash(item.request, &payload)),
        receipt: receipt(model, item, kms_asc_api::Outcome::Answer, &payload),
        payload: payload.into(),
    }
}

fn failure(model: &Model, item: &Item) -> Failure {
    let Said::Failure { code, index } = item.said else { panic!("a failure") };
    let payload = model.payload(item.request, item.party, item.said);
    let outcome = kms_asc_api::Outcome::try_from(code).unwrap_or(kms_asc_api::Outcome::Answer);
    Failure {
        request_id: RequestId(item.request),
        epoch: EpochId(item.epoch),
        party: PartyId(item.party),
        code,
        index,
        receipt: receipt(model, item, outcome, &payload),
    }
}

/// The data within `MsgExecuteContractResponse`: protobuf field 1, bytes.
fn data(response: &AppResponse) -> Option<Binary> {
    let data = response.data.as_ref()?;
    let rest = data.as_slice().strip_prefix(&[0x0a])?;
    let length_bytes = rest.iter().position(|byte| byte & 0x80 == 0)? + 1;
    Some(Binary::from(&rest[length_bytes..]))
}

/// The stable code of a refusal; empty if the chain refused.
fn code(error: &StdError) -> String {
    let text = error.to_string();
    let cause = text.rsplit("error: ").next().unwrap_or_default();
    let code = cause.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(code, _)| code);
    code.unwrap_or_default().to_owned()
}

fn read<T: DeserializeOwned>(data: Option<Binary>) -> Option<T> {
    data.map(|data| from_json(data).unwrap())
}

/// What is said of the one request of a message, or of several.
fn submitted(data: Option<Binary>, count: u8) -> Option<Vec<SubmitRequestData>> {
    match count {
        1 => read::<SubmitRequestData>(data).map(|alone| vec![alone]),
        _ => read::<SubmitRequestsData>(data).map(|together| together.requests),
    }
}

fn compare_outcome(expected: &Outcome, done: Done) -> Result<(), String> {
    let (data, expected) = match (done, expected) {
        (Err(code), Outcome::Refused(faults)) => return refused_for(&code, faults),
        (Err(code), other) => return Err(format!("refused with [{code}], the model says {other:?}")),
        (Ok(_), Outcome::Refused(faults)) => {
            return Err(format!("accepted, the model refuses with {faults:?}"));
        }
        (Ok(data), other) => (data, other),
    };
    let same = match expected {
        Outcome::Requests { first, count, state, charged } => {
            let expected = (*first..).take(usize::from(*count)).map(|id| SubmitRequestData {
                request_id: RequestId(id),
                state: *state,
                charged: (*charged).into(),
            });
            submitted(data, *count).is_none_or(|said| said == expected.collect::<Vec<_>>())
        }
        Outcome::Items(items) => {
            let said = read::<OutcomesData<ItemOutcome>>(data).map(|said| said.outcomes);
            if let Some(said) = &said
                && (said.len() != items.len()
                    || !items.iter().zip(said).all(|(item, said)| fits(item, *said)))
            {
                return Err(format!("items came to {said:?}, the model says {items:?}"));
            }
            true
        }
        Outcome::Closed(outcomes) => {
            read::<OutcomesData<CloseOutcome>>(data).is_none_or(|said| said.outcomes == *outcomes)
        }
        _ => true,
    };
    if same { Ok(()) } else { Err(format!("another outcome than {expected:?}")) }
}

fn refused_for(code: &str, faults: &Faults) -> Result<(), String> {
    if faults.contains(code) {
        Ok(())
    } else {
        Err(format!("refused with [{code}], the model says {faults:?}"))
    }
}

fn fits(expected: &ItemExpected, said: ItemOutcome) -> bool {
    match (expected, said) {
        (ItemExpected::RejectedFor(reasons), ItemOutcome::Rejected(reason)) => reasons.contains(&reason),
        (ItemExpected::Is(outcome), said) => *outcome == said,
        _ => false,
    }
}
