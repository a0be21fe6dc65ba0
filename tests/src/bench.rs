//! A real chain with the contract and nothing else on it, where messages are sent and what they use is read.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use cosmwasm_std::Uint128;
use kms_asc_api::{
    Answer, ExecuteMsg, ItemOutcome, KeyDigest, KeyId, KeyType, Operation, OutcomesData, PartyId, QueryMsg,
    Quote, RequestId, SubmitRequestData, payload::encode_key_digests, state_key,
};
use kms_chain::{Account, AccountConfig, Client, Coin, Message, TxOptions, TxOutcome};
use kms_localnet::{AccountName, Lifetime, Stack, StackOptions};
use serde::de::DeserializeOwned;

use crate::operators::{self, Operators};

/// Pause after a block: short, since nothing is waited for but blocks.
const BLOCK_TIME: Duration = Duration::from_millis(20);
/// Items on the largest page that a contract may be told to give.
pub const LARGEST_PAGE: u32 = 100;
/// Small enough that thirteen operators can earn it.
const FAILURE_FEE: Uint128 = Uint128::new(500);

/// A chain with the contract on it.
#[derive(Debug)]
pub struct Bench {
    /// The chain.
    pub stack: Stack,
    /// Who answers.
    pub operators: Operators,
    /// Asks for keys, owns them.
    pub owner: Account,
    /// Owns nothing.
    pub stranger: Account,
    /// Brings the operators' answers.
    pub relayer: Account,
    /// Governs.
    pub admin: Account,
    denom: String,
}

/// What became of a transaction.
#[derive(Debug)]
pub struct Sent {
    /// What was paid for.
    pub gas: u64,
    outcome: TxOutcome,
}

impl Sent {
    /// What the contract returned to one of the messages.
    ///
    /// # Errors
    /// If that is not what is expected of it.
    pub fn data<T: DeserializeOwned>(&self, message: usize) -> Result<T> {
        Ok(serde_json::from_slice(&self.outcome.execute_data(message)?)?)
    }
}

impl Bench {
    /// Starts a chain in a folder, with a contract of this many operators. Each account has sent a transaction:
    /// the first one costs more.
    ///
    /// # Errors
    /// If anything of that fails.
    pub async fn begin(folder: &Path, parties: u32, block_max_gas: u64) -> Result<Self> {
        let epoch = operators::epoch(parties)?;
        let mut options = StackOptions::new(Lifetime::Owned);
        options.block_time = BLOCK_TIME;
        options.block_max_gas = block_max_gas;
        // What is measured is what it costs where nobody did more than to store the code.
        options.pin_code = false;
        let first = epoch.clone();
        options.terms = Arc::new(move |terms| {
            terms.epoch = first.clone();
            terms.config.failure_fee = FAILURE_FEE;
            terms.config.limits.pending_per_requester = u32::MAX;
            terms.config.limits.page = LARGEST_PAGE;
            terms.config.migration_delay = 0;
        });
        let mut stack = Stack::create(folder, &format!("bench-{parties:02}"), options).await?;
        stack.start_chain().await?;
        let contract = stack.deploy().await?.contract;
        let network = stack.network();
        let config: kms_asc_api::Config =
            stack.client()?.smart_query(&contract, &QueryMsg::Config {}).await?;
        let operators =
            Operators { chain_id: network.chain_id.clone(), contract, key_domain: config.key_domain, epoch };
        let denom = network.denom.clone();
        let [owner, stranger, relayer, admin] = [
            stack.account(AccountName::User)?,
            stack.account(AccountName::Other)?,
            stack.account(AccountName::Operator)?,
            stack.account(AccountName::Admin)?,
        ];
        let bench = Self { operators, owner, stranger, relayer, admin, denom, stack };
        for account in [&bench.owner, &bench.stranger, &bench.relayer, &bench.admin] {
            bench.transfer(account, account.address(), 1).await?;
        }
        Ok(bench)
    }

    /// Numbers of the operators.
    pub fn parties(&self) -> impl Iterator<Item = PartyId> + use<'_> {
        self.operators.epoch.parties.iter().map(|party| party.party)
    }

    /// How many equal answers decide.
    pub fn majority(&self) -> u32 {
        self.operators.epoch.majority
    }

    /// A client of the chain.
    ///
    /// # Errors
    /// Never on a chain that runs.
    pub fn client(&self) -> Result<Client> {
        self.stack.client()
    }

    /// The account to which a party's earnings go, with money for fees.
    ///
    /// # Errors
    /// If it cannot be given money.
    pub async fn payout(&self, party: PartyId) -> Result<Account> {
        let network = self.stack.network();
        let config = AccountConfig::new(&network.chain_id, network.gas_price_coin().parse()?);
        let account = Account::new(self.client()?, operators::payout(party)?, config);
        self.transfer(&self.relayer, account.address(), 1_000_000).await?;
        self.transfer(&account, account.address(), 1).await?;
        Ok(account)
    }

    /// Sends money from account to account.
    ///
    /// # Errors
    /// If the chain refuses.
    pub async fn transfer(&self, from: &Account, to: &str, amount: u128) -> Result<()> {
        let coins = [Coin::new(amount, self.denom.as_str())];
        let message = Message::bank_send(from.address(), to, &coins)?;
        from.send(&[message], &TxOptions::default()).await?;
        Ok(())
    }

    /// A message to the contract, with money.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn message(&self, sender: &Account, message: &ExecuteMsg, funds: u128) -> Result<Message> {
        let coins = [Coin::new(funds, self.denom.as_str())];
        let coins = if funds == 0 { &[][..] } else { &coins };
        Ok(Message::execute(sender.address(), &self.operators.contract, message, coins)?)
    }

    /// Sends messages in one transaction.
    ///
    /// # Errors
    /// If the chain or the contract refuses.
    pub async fn send(&self, sender: &Account, messages: &[Message]) -> Result<Sent> {
        let outcome = sender.send(messages, &TxOptions::default()).await?;
        Ok(Sent { gas: outcome.gas_used, outcome })
    }

    /// Sends one message in a transaction of its own.
    ///
    /// # Errors
    /// If the chain or the contract refuses.
    pub async fn execute(&self, sender: &Account, message: &ExecuteMsg, funds: u128) -> Result<Sent> {
        self.send(sender, &[self.message(sender, message, funds)?]).await
    }

    /// Asks the contract.
    ///
    /// # Errors
    /// If it refuses, or answers something else.
    pub async fn query<R: DeserializeOwned>(&self, query: &QueryMsg) -> Result<R> {
        Ok(self.client()?.smart_query(&self.operators.contract, query).await?)
    }

    /// What an operation costs.
    ///
    /// # Errors
    /// If the contract has no price for it.
    pub async fn price(&self, operation: &Operation) -> Result<u128> {
        let operation = Box::new(operation.clone());
        Ok(self.query::<Quote>(&QueryMsg::Quote { operation, callback: None }).await?.price.u128())
    }

    /// Makes a request at its exact price.
    ///
    /// # Errors
    /// If the chain or the contract refuses.
    pub async fn submit(
        &self,
        sender: &Account,
        operation: Operation,
        ttl: Option<u64>,
    ) -> Result<(RequestId, Sent)> {
        let price = self.price(&operation).await?;
        let message = ExecuteMsg::SubmitRequest { operation: Box::new(operation), ttl, callback: None };
        let sent = self.execute(sender, &message, price).await?;
        Ok((sent.data::<SubmitRequestData>(0)?.request_id, sent))
    }

    /// The stored bytes of a request's body.
    ///
    /// # Errors
    /// If there is no such request.
    pub async fn body(&self, id: RequestId) -> Result<Vec<u8>> {
        let key = state_key::REQUEST.key(id.get());
        let value = self.client()?.raw_state(&self.operators.contract, &key, None).await?.value;
        value.with_context(|| format!("there is no request {id}"))
    }

    /// A party's answer.
    ///
    /// # Errors
    /// If there is no such request, or the payload is none of its operation.
    pub async fn answer(&self, id: RequestId, party: PartyId, payload: &[u8]) -> Result<Answer> {
        self.operators.answer(&self.body(id).await?, party, payload)
    }

    /// Brings answers in one message; each must have this outcome.
    ///
    /// # Errors
    /// If the chain or the contract refuses, or an outcome is another.
    pub async fn respond(&self, responses: Vec<Answer>, expected: ItemOutcome) -> Result<Sent> {
        let sent = self.execute(&self.relayer, &ExecuteMsg::SubmitResponses { responses }, 0).await?;
        let outcomes = sent.data::<OutcomesData<ItemOutcome>>(0)?.outcomes;
        ensure!(outcomes.iter().all(|outcome| *outcome == expected), "{outcomes:?}, not {expected:?}");
        Ok(sent)
    }

    /// Everything that decides a request, in one message.
    ///
    /// # Errors
    /// If the chain or the contract refuses.
    pub async fn fulfil(&self, id: RequestId, payload: &[u8]) -> Result<()> {
        let body = self.body(id).await?;
        let parties = (1..=self.majority()).map(PartyId);
        let answers = parties.map(|party| self.operators.answer(&body, party, payload));
        self.respond(answers.collect::<Result<_>>()?, ItemOutcome::Recorded).await?;
        Ok(())
    }

    /// A key of the owner, made by the answers of a majority in one message.
    ///
    /// # Errors
    /// If the chain or the contract refuses.
    pub async fn key(&self) -> Result<KeyId> {
        let operation = Operation::KeyGen(kms_asc_api::KeyGen {
            params: kms_asc_api::KeyParams::Default,
            source: kms_asc_api::KeySource::Generate,
        });
        let (id, _) = self.submit(&self.owner, operation, None).await?;
        self.fulfil(id, &Self::key_payload(id)).await?;
        Ok(KeyId::from(id))
    }

    /// The payload with which operators answer the `key_gen` request `id`.
    pub fn key_payload(id: RequestId) -> Vec<u8> {
        let part = |key_type, text: &str| KeyDigest {
            key_type,
            digest: kms_asc_api::Digest::sha256(format!("{text} of {id}").as_bytes()),
        };
        encode_key_digests(&[part(KeyType::Server, "server"), part(KeyType::Public, "public")])
    }

    /// Bytes of the contract's state: keys and values.
    ///
    /// # Errors
    /// If the chain does not answer.
    pub async fn state_bytes(&self) -> Result<usize> {
        let state = self.client()?.all_state(&self.operators.contract, None).await?;
        Ok(state.iter().map(|(key, value)| key.len() + value.len()).sum())
    }
}
