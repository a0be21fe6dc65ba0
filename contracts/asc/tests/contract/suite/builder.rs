//! How a test's chain and contract come to be.

use cosmwasm_std::{Addr, Api, BlockInfo, Coin, Timestamp, coins, instantiate2_address};
use cw_multi_test::{AppBuilder, BankKeeper, ContractWrapper, Executor, MockApiBech32};
use kms_asc::contract;
use kms_asc_api::{Config, Epoch, EpochMode, InstantiateMsg};

use super::bank::{Blocked, BlockingBank};
use super::terms::{self, CHAIN_ID, DENOM, START, account};
use super::{Refusal, Suite, TestApp};

/// Whom the instantiation names as the contract's wasm admin.
#[derive(Debug, Clone, Copy)]
pub enum WasmAdmin {
    /// The contract's own predicted address.
    Itself,
    Somebody,
    Nobody,
}

/// What a suite starts from.
pub struct SuiteBuilder {
    config: Config,
    epoch: Epoch,
    wasm_admin: WasmAdmin,
    admin: String,
    funds: Vec<Coin>,
}

impl SuiteBuilder {
    /// One operator.
    pub fn centralized() -> Self {
        Self {
            config: terms::config(),
            epoch: terms::epoch(EpochMode::Centralized, 1, 0, 1),
            wasm_admin: WasmAdmin::Itself,
            admin: account("admin").to_string(),
            funds: vec![],
        }
    }

    /// Four operators, one of whom may be faulty; three decide.
    pub fn threshold() -> Self {
        Self { epoch: terms::epoch(EpochMode::Threshold, 4, 1, 3), ..Self::centralized() }
    }

    pub fn config(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    pub fn epoch(mut self, change: impl FnOnce(&mut Epoch)) -> Self {
        change(&mut self.epoch);
        self
    }

    pub fn wasm_admin(self, wasm_admin: WasmAdmin) -> Self {
        Self { wasm_admin, ..self }
    }

    pub fn admin(self, admin: &str) -> Self {
        Self { admin: admin.to_owned(), ..self }
    }

    pub fn funds(self, funds: Vec<Coin>) -> Self {
        Self { funds, ..self }
    }

    /// Instantiates, which must succeed.
    pub fn build(self) -> Suite {
        self.try_build().unwrap_or_else(|refusal| panic!("{}", refusal.text))
    }

    /// Instantiates. On refusal there is no contract at the predicted address.
    pub fn try_build(self) -> Result<Suite, Refusal> {
        let blocked = Blocked::default();
        let mut app = new_app(blocked.clone());
        let creator = account("creator");
        let code = ContractWrapper::new(contract::execute, contract::instantiate, contract::query)
            .with_reply(contract::reply)
            .with_migrate(contract::migrate);
        let code_id = app.store_code(Box::new(code));
        let predicted = predict(&app, code_id, &creator);
        let wasm_admin = match self.wasm_admin {
            WasmAdmin::Itself => Some(predicted.to_string()),
            WasmAdmin::Somebody => Some(account("somebody").to_string()),
            WasmAdmin::Nobody => None,
        };
        let msg =
            InstantiateMsg { admin: self.admin, config: self.config.clone(), epoch: self.epoch.clone() };
        let made =
            app.instantiate2_contract(code_id, creator, &msg, &self.funds, "asc", wasm_admin, SALT.to_vec());
        match made {
            Ok(contract) => {
                assert_eq!(contract, predicted);
                let (config, epoch) = (self.config, self.epoch);
                let suite = Suite { app, contract, config, epoch, code_id, blocked, changed_by_hand: false };
                suite.check_state();
                Ok(suite)
            }
            Err(error) => {
                assert!(app.wrap().query_wasm_contract_info(&predicted).is_err());
                assert!(app.dump_wasm_raw(&predicted).is_empty());
                Err(Refusal::from(error))
            }
        }
    }
}

const SALT: &[u8] = b"asc";

fn predict(app: &TestApp, code_id: u64, creator: &Addr) -> Addr {
    let checksum = app.wrap().query_wasm_code_info(code_id).unwrap().checksum;
    let creator = app.api().addr_canonicalize(creator.as_str()).unwrap();
    let address = instantiate2_address(checksum.as_slice(), &creator, SALT).unwrap();
    app.api().addr_humanize(&address).unwrap()
}

fn new_app(blocked: Blocked) -> TestApp {
    let bank = BlockingBank { keeper: BankKeeper::new(), blocked };
    let block =
        BlockInfo { height: 100, time: Timestamp::from_seconds(START), chain_id: CHAIN_ID.to_owned() };
    let builder = AppBuilder::new().with_api(MockApiBech32::new("wasm")).with_bank(bank).with_block(block);
    builder.build(|router, _, storage| {
        for name in ["owner", "stranger", "creator", "app", "grantee"] {
            let mut money = coins(1_000_000, DENOM);
            money.push(Coin::new(1_000_000u128, "uother"));
            router.bank.keeper.init_balance(storage, &account(name), money).unwrap();
        }
    })
}
