//! The contract as this daemon needs it: what its state says, and a way to post.

use std::future::Future;

use kms_asc_api::{
    DecodeError, Digest, Epoch, EpochId, KeyId, KeyRecord, Page, QueryMsg, RequestBody, RequestId, Status,
    state_key,
};
use kms_chain::{
    Account, Broadcast, Client, Gas, LightBlock, Message, ProvenValue, SignedTx, TxOptions, TxOutcome,
};
use serde::de::DeserializeOwned;

use crate::{
    item::{Item, call},
    machine::{Facts, Operator},
};

/// The newest block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its height.
    pub height: u64,
    /// Its time, seconds.
    pub time: u64,
}

/// A key's record in the contract's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// SHA-256 of the bytes, as stored.
    pub hash: Digest,
    /// The same bytes, parsed.
    pub record: KeyRecord,
}

/// Why the contract could not be read or told something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Of the chain's client.
    #[error(transparent)]
    Chain(#[from] kms_chain::Error),
    /// Contract state that this version cannot read.
    #[error("unreadable contract state: {0}")]
    State(#[from] DecodeError),
}

impl LedgerError {
    /// Stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Chain(error) => error.code(),
            Self::State(_) => "unreadable_state",
        }
    }

    /// Whether no retry can help: this is not the network of the configuration.
    pub const fn is_fatal(&self) -> bool {
        matches!(self, Self::Chain(kms_chain::Error::WrongChain { .. }))
    }
}

/// The contract on its chain, or a fake with faults.
pub trait Ledger: Send + Sync + 'static {
    /// The newest block of the right chain.
    fn head(&self) -> impl Future<Output = Result<Head, LedgerError>> + Send;

    /// What state says of a request; `None` if it has none of this id.
    fn facts(&self, request: RequestId) -> impl Future<Output = Result<Option<Facts>, LedgerError>> + Send;

    /// Whether this party's answer or failure is in the state behind block `height`; `None` if the node has
    /// not come so far.
    fn responded(
        &self,
        request: RequestId,
        height: u64,
    ) -> impl Future<Output = Result<Option<bool>, LedgerError>> + Send;

    /// Ids of open requests behind `after`, one page.
    fn open(
        &self,
        after: Option<RequestId>,
    ) -> impl Future<Output = Result<Page<RequestId, RequestId>, LedgerError>> + Send;

    /// Records of keys behind `after`, one page.
    fn keys(
        &self,
        after: Option<KeyId>,
    ) -> impl Future<Output = Result<Page<KeyRecord, KeyId>, LedgerError>> + Send;

    /// A key's record; `None` if there is none of this id.
    fn key(&self, key: KeyId) -> impl Future<Output = Result<Option<StoredKey>, LedgerError>> + Send;

    /// An epoch's record; `None` if there is none of this id.
    fn epoch(&self, epoch: EpochId) -> impl Future<Output = Result<Option<Epoch>, LedgerError>> + Send;

    /// The light block of a height; `None` if the chain is not there yet.
    fn light_block(
        &self,
        height: u64,
    ) -> impl Future<Output = Result<Option<LightBlock>, LedgerError>> + Send;

    /// A key of the wasm module's store at a height, with its proof.
    fn proven(
        &self,
        key: Vec<u8>,
        height: u64,
    ) -> impl Future<Output = Result<ProvenValue, LedgerError>> + Send;

    /// What the account lacks to pay for this much gas, in words; `None` if it can pay.
    fn lacks(&self, gas: u64) -> impl Future<Output = Result<Option<String>, LedgerError>> + Send;

    /// Signs the one contract call that posts these items, which are all of one kind.
    fn prepare(
        &self,
        items: &[Item],
        gas: Gas,
    ) -> impl Future<Output = Result<SignedTx, kms_chain::Error>> + Send;

    /// Sends a signed transaction, once.
    fn broadcast(&self, tx: &SignedTx) -> impl Future<Output = Result<Broadcast, kms_chain::Error>> + Send;

    /// Waits for a transaction's block.
    fn confirm(&self, tx: &SignedTx) -> impl Future<Output = Result<TxOutcome, kms_chain::Error>> + Send;
}

/// The contract on its chain.
#[derive(Debug, Clone)]
pub struct Asc {
    account: Account,
    contract: String,
    operator: Operator,
}

impl Asc {
    /// The contract at this address, told things from this account.
    pub const fn new(account: Account, contract: String, operator: Operator) -> Self {
        Self { account, contract, operator }
    }

    /// The account that pays.
    pub const fn account(&self) -> &Account {
        &self.account
    }

    fn client(&self) -> &Client {
        self.account.client()
    }

    async fn raw(&self, key: Vec<u8>) -> Result<Option<Vec<u8>>, kms_chain::Error> {
        Ok(self.client().raw_state(&self.contract, &key, None).await?.value)
    }
}

impl Ledger for Asc {
    async fn head(&self) -> Result<Head, LedgerError> {
        let status = self.client().expect_chain(&self.account.config().chain_id).await?;
        Ok(Head { height: status.latest_height, time: status.latest_time.seconds })
    }

    async fn facts(&self, request: RequestId) -> Result<Option<Facts>, LedgerError> {
        let id = request.get();
        // The response is read before the status: what is seen as answered is answered, whatever the order.
        let response = self.raw(state_key::RESPONSE.key((id, self.operator.party.get()))).await?;
        let (body, status, head) = tokio::try_join!(
            async { Ok::<_, LedgerError>(self.raw(state_key::REQUEST.key(id)).await?) },
            async { Ok(self.raw(state_key::STATUS.key(id)).await?) },
            self.head(),
        )?;
        let (Some(stored_body), Some(status)) = (body, status) else { return Ok(None) };
        Ok(Some(Facts {
            body: RequestBody::parse(&stored_body)?,
            status: Status::decode(&status)?,
            stored_body,
            responded: response.is_some(),
            now: head.time,
        }))
    }

    async fn responded(&self, request: RequestId, height: u64) -> Result<Option<bool>, LedgerError> {
        let key = state_key::RESPONSE.key((request.get(), self.operator.party.get()));
        let found = self.client().raw_state(&self.contract, &key, None).await?;
        Ok((found.height >= height).then_some(found.value.is_some()))
    }

    async fn open(&self, after: Option<RequestId>) -> Result<Page<RequestId, RequestId>, LedgerError> {
        let query = QueryMsg::Open { start_after: after, limit: None };
        Ok(self.client().smart_query(&self.contract, &query).await?)
    }

    async fn keys(&self, after: Option<KeyId>) -> Result<Page<KeyRecord, KeyId>, LedgerError> {
        let query = QueryMsg::Keys { start_after: after, limit: None };
        Ok(self.client().smart_query(&self.contract, &query).await?)
    }

    async fn key(&self, key: KeyId) -> Result<Option<StoredKey>, LedgerError> {
        let Some(bytes) = self.raw(state_key::KEY.key(key.get()).to_vec()).await? else { return Ok(None) };
        let record = parsed(&bytes, || format!("record of key {key}"))?;
        Ok(Some(StoredKey { hash: Digest::sha256(&bytes), record }))
    }

    async fn epoch(&self, epoch: EpochId) -> Result<Option<Epoch>, LedgerError> {
        let bytes = self.raw(state_key::EPOCH.key(epoch.get()).to_vec()).await?;
        bytes.map(|bytes| parsed(&bytes, || format!("record of epoch {epoch}"))).transpose()
    }

    async fn light_block(&self, height: u64) -> Result<Option<LightBlock>, LedgerError> {
        Ok(self.client().light_block(height).await?)
    }

    async fn proven(&self, key: Vec<u8>, height: u64) -> Result<ProvenValue, LedgerError> {
        Ok(self.client().proven_value(key, height).await?)
    }

    async fn lacks(&self, gas: u64) -> Result<Option<String>, LedgerError> {
        let address = self.account.address();
        let need = self.account.config().gas_price.fee(gas);
        let has = self.client().balance(address, &need.denom).await?;
        let lacks = has < need.amount;
        Ok(lacks.then(|| format!("{address} has {has}{}, {need} are needed at least", need.denom)))
    }

    async fn prepare(&self, items: &[Item], gas: Gas) -> Result<SignedTx, kms_chain::Error> {
        let message = Message::execute(self.account.address(), &self.contract, &call(items), &[])?;
        self.account.prepare(&[message], &TxOptions { gas, ..TxOptions::default() }).await
    }

    async fn broadcast(&self, tx: &SignedTx) -> Result<Broadcast, kms_chain::Error> {
        self.account.broadcast(tx).await
    }

    async fn confirm(&self, tx: &SignedTx) -> Result<TxOutcome, kms_chain::Error> {
        self.account.confirm(tx).await
    }
}

/// A record in JSON.
fn parsed<T: DeserializeOwned>(bytes: &[u8], what: impl FnOnce() -> String) -> Result<T, LedgerError> {
    let unreadable =
        |error: serde_json::Error| kms_chain::Error::BadResponse { what: what(), reason: error.to_string() };
    Ok(serde_json::from_slice(bytes).map_err(unreadable)?)
}
