//! The contract, as it is asked.

use kms_asc_api::{
    Config, Credit, CrsId, CrsRecord, DecodeError, Digest, DomainView, Epoch, EpochId, Governance, GrantView,
    KeyId, KeyRecord, LogPage, Operation, Page, QueryMsg, Quote, RequestBody, RequestId, RequestView,
    ResponseView, Solvency, State, Version, WhyPending, log::LogHead, state_key,
};
use kms_chain::Client;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// The contract of the network.
#[derive(Clone, Debug)]
pub struct Ledger {
    client: Client,
    chain_id: String,
    contract: String,
    denom: String,
}

/// A request's body with the bytes that were hashed and signed.
#[derive(Clone, Debug)]
pub struct StoredBody {
    pub bytes: Vec<u8>,
    pub body: RequestBody,
}

impl Ledger {
    /// The contract at this address.
    pub fn new(client: Client, chain_id: &str, contract: &str, denom: &str) -> Self {
        Self { client, chain_id: chain_id.into(), contract: contract.into(), denom: denom.into() }
    }

    /// The node's client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Id of the chain.
    pub fn chain_id(&self) -> &str {
        &self.chain_id
    }

    /// The contract's address.
    pub fn contract(&self) -> &str {
        &self.contract
    }

    /// The coin in which requests are paid.
    pub fn denom(&self) -> &str {
        &self.denom
    }

    /// A request and what has become of it.
    pub async fn request(&self, id: RequestId) -> Result<RequestView> {
        self.ask(&QueryMsg::Request { id }).await
    }

    /// A page of requests.
    pub async fn requests(
        &self,
        state: Option<State>,
        requester: Option<String>,
        start_after: Option<RequestId>,
    ) -> Result<Page<RequestView, RequestId>> {
        self.ask(&QueryMsg::Requests { state, requester, start_after, limit: None }).await
    }

    /// A page of ids of pending requests.
    pub async fn open(&self, start_after: Option<RequestId>) -> Result<Page<RequestId, RequestId>> {
        self.ask(&QueryMsg::Open { start_after, limit: None }).await
    }

    /// A request's body, from contract state itself.
    pub async fn stored_body(&self, id: RequestId) -> Result<StoredBody> {
        let bytes = self.raw(&state_key::REQUEST.key(id.get())).await?;
        let bytes = bytes.ok_or_else(|| Error::NotFound(format!("request {id}")))?;
        Ok(StoredBody { body: RequestBody::parse(&bytes)?, bytes })
    }

    /// All answers and failures to a request.
    pub async fn responses(&self, request_id: RequestId) -> Result<Vec<ResponseView>> {
        self.ask(&QueryMsg::Responses { request_id }).await
    }

    /// A set of operators.
    pub async fn epoch(&self, id: EpochId) -> Result<Epoch> {
        self.ask(&QueryMsg::Epoch { id: Some(id) }).await
    }

    /// The operators of now.
    pub async fn newest_epoch(&self) -> Result<Epoch> {
        self.ask(&QueryMsg::Epoch { id: None }).await
    }

    /// A key.
    pub async fn key(&self, id: KeyId) -> Result<KeyRecord> {
        self.ask(&QueryMsg::Key { id }).await
    }

    /// All keys.
    pub async fn keys(&self) -> Result<Vec<KeyRecord>> {
        self.all(|start_after| QueryMsg::Keys { start_after, limit: None }).await
    }

    /// A common reference string.
    pub async fn crs(&self, id: CrsId) -> Result<CrsRecord> {
        self.ask(&QueryMsg::Crs { id }).await
    }

    /// All grants of a key, void ones included.
    pub async fn grants(&self, key_id: KeyId) -> Result<Vec<GrantView>> {
        self.all(|start_after| QueryMsg::Grants { key_id, start_after, limit: None }).await
    }

    /// The key that a domain belongs to.
    pub async fn key_of_domain(&self, separator: Digest) -> Result<KeyId> {
        Ok(self.ask::<DomainView>(&QueryMsg::Domain { separator }).await?.key_id)
    }

    /// All sets of operators.
    pub async fn epochs(&self) -> Result<Vec<Epoch>> {
        self.all(|start_after| QueryMsg::Epochs { start_after, limit: None }).await
    }

    /// What keeps a request pending.
    pub async fn why_pending(&self, request_id: RequestId) -> Result<WhyPending> {
        self.ask(&QueryMsg::WhyPending { request_id }).await
    }

    /// Who governs, and what is announced.
    pub async fn governance(&self) -> Result<Governance> {
        self.ask(&QueryMsg::Governance {}).await
    }

    /// The contract's parameters.
    pub async fn config(&self) -> Result<Config> {
        self.ask(&QueryMsg::Config {}).await
    }

    /// What an operation would cost now.
    pub async fn quote(&self, operation: &Operation) -> Result<Quote> {
        self.ask(&QueryMsg::Quote { operation: Box::new(operation.clone()), callback: None }).await
    }

    /// What an address can withdraw.
    pub async fn credit(&self, address: &str) -> Result<Credit> {
        self.ask(&QueryMsg::Credit { address: address.to_owned() }).await
    }

    /// SHA-256 of an epoch's record, of the bytes that are stored.
    pub async fn epoch_record(&self, id: EpochId) -> Result<Digest> {
        let bytes = self.raw(&state_key::EPOCH.key(id.get())).await?;
        let bytes = bytes.ok_or_else(|| {
            Error::State(DecodeError::Json { record: "epoch", reason: format!("epoch {id} is missing") })
        })?;
        Ok(Digest::sha256(&bytes))
    }

    /// Whether the contract holds what it owes.
    pub async fn solvency(&self) -> Result<Solvency> {
        self.ask(&QueryMsg::Solvency {}).await
    }

    /// Which contract this is.
    pub async fn version(&self) -> Result<Version> {
        self.ask(&QueryMsg::Version {}).await
    }

    /// Length and hash of the log, from contract state itself.
    pub async fn log_head(&self) -> Result<LogHead> {
        match self.raw(state_key::LOG_HEAD).await? {
            Some(bytes) => Ok(LogHead::decode(&bytes)?),
            None => Ok(LogHead::EMPTY),
        }
    }

    /// Entries of the log.
    pub async fn log(&self, from: u64, limit: Option<u32>) -> Result<LogPage> {
        self.ask(&QueryMsg::Log { from, limit }).await
    }

    /// The bytes of one entry of the log.
    pub async fn log_entry(&self, seq: u64) -> Result<Vec<u8>> {
        let bytes = self.raw(&state_key::LOG.key(seq)).await?;
        bytes.ok_or_else(|| {
            Error::State(DecodeError::Json { record: "log", reason: format!("entry {seq} is missing") })
        })
    }

    /// All pages of a list.
    async fn all<T, C>(&self, page_behind: impl Fn(Option<C>) -> QueryMsg) -> Result<Vec<T>>
    where
        Page<T, C>: DeserializeOwned,
    {
        let mut items = Vec::new();
        let mut start_after = None;
        loop {
            let page: Page<T, C> = self.ask(&page_behind(start_after)).await?;
            items.extend(page.items);
            start_after = page.next;
            if start_after.is_none() {
                return Ok(items);
            }
        }
    }

    async fn ask<R: DeserializeOwned>(&self, query: &QueryMsg) -> Result<R> {
        Ok(self.client.smart_query(&self.contract, query).await?)
    }

    async fn raw(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.client.raw_state(&self.contract, key, None).await?.value)
    }
}
