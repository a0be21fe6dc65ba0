//! Somebody who has stolen a connector: its folder, its certificate and all that it can read. He says to the core whatever
//! he likes.

use anyhow::{Context, Result, bail, ensure};
use kms_asc_api::{
    ExecuteMsg, Operation, QueryMsg, Quote, RequestBody, RequestId, SubmitRequestData, state_key,
};
use kms_chain::{Client, Coin, TxOptions};
use kms_core_proto::{v1, v1::kms_client::KmsClient};
use kms_e2e::eventually;
use kms_localnet::{AccountName, Stack};
use kms_proofs::{ContractAddress, keys_of_request, store_key, wasm::HistoryEntry};
use prost::Message;
use tonic::{Status, transport::Channel};
use tonic_types::StatusExt;

/// The largest message that core and thief agree on.
const LARGEST: usize = 64 << 20;

/// A chain, a contract on it, and the core that is told about them.
pub struct Forger {
    pub chain: Client,
    pub chain_id: String,
    pub contract: ContractAddress,
    pub core: KmsClient<Channel>,
}

impl Forger {
    /// With what the stack's connector has.
    pub fn of(stack: &Stack) -> Result<Self> {
        Self::with_channel(stack, stack.core_channel()?)
    }

    /// With a connection to a core of his own.
    pub fn with_channel(stack: &Stack, channel: Channel) -> Result<Self> {
        let contract = stack.network().contract.as_deref().context("the stack has no contract")?;
        Ok(Self {
            chain: stack.client()?,
            chain_id: stack.network().chain_id.clone(),
            contract: ContractAddress::parse(contract)?,
            core: KmsClient::new(channel).max_encoding_message_size(LARGEST),
        })
    }

    /// The body that the contract stores for a request.
    pub async fn body(&self, id: RequestId) -> Result<Vec<u8>> {
        let raw = self.chain.raw_state(self.contract.text(), &state_key::REQUEST.key(id.get()), None).await?;
        raw.value.with_context(|| format!("no request {id}"))
    }

    /// The honest proof of a request, of the newest height that has one.
    pub async fn proof(&self, body: &[u8]) -> Result<v1::Proof> {
        let height = self.chain.status().await?.latest_height;
        self.proof_at(body, height).await
    }

    /// The same, of this height; its header is waited for.
    pub async fn proof_at(&self, body: &[u8], height: u64) -> Result<v1::Proof> {
        let header = self.header(height + 1).await?;
        let body = RequestBody::parse(body)?;
        let mut keys = keys_of_request(&self.contract, &body);
        keys.extend(self.keys_of_code(height).await?);
        let (mut entries, mut store_proof) = (Vec::new(), Vec::new());
        for key in keys {
            let found = self.chain.proven_value(key.clone(), height).await?;
            entries.push(v1::StateEntry { key, value: found.value, proof: found.proof });
            store_proof = found.store_proof;
        }
        Ok(v1::Proof { height, light_blocks: vec![header], store_proof, entries })
    }

    /// Every entry of the code's history, the absence of the next, and every code in it.
    async fn keys_of_code(&self, height: u64) -> Result<Vec<Vec<u8>>> {
        let mut keys = Vec::new();
        for position in 1.. {
            let key = store_key::code_history(self.contract.bytes(), position);
            let found = self.chain.proven_value(key.clone(), height).await?;
            keys.push(key);
            let Some(value) = found.value else { break };
            let code = store_key::code_info(HistoryEntry::decode(value.as_slice())?.code_id);
            if !keys.contains(&code) {
                keys.push(code);
            }
        }
        Ok(keys)
    }

    /// The light block of a height, once it is there.
    pub async fn header(&self, height: u64) -> Result<v1::LightBlock> {
        eventually("a header", || async {
            let found = self.chain.light_block(height).await?;
            Ok(found.map(|block| v1::LightBlock {
                signed_header: block.signed_header,
                validators: block.validators,
                next_validators: block.next_validators,
            }))
        })
        .await
    }

    /// Has the core verify the newest header, beginning with the one that it was told to trust.
    pub async fn lead_core(&self) -> Result<u64> {
        let mut core = self.core.clone();
        let trusted = core.info(v1::InfoRequest {}).await?.into_inner().trusted_height;
        let newest = self.chain.status().await?.latest_height;
        let light_blocks = vec![self.header(trusted).await?, self.header(newest).await?];
        Ok(core.submit_header(v1::SubmitHeaderRequest { light_blocks }).await?.into_inner().trusted_height)
    }

    /// Asks the core to work. Its answer, or the reason why it does not.
    pub async fn execute(
        &self,
        body: &[u8],
        proof: v1::Proof,
        ciphertexts: Vec<Vec<u8>>,
    ) -> Result<Result<v1::Answer, String>> {
        let question = v1::ExecuteRequest {
            chain_id: self.chain_id.clone(),
            contract: self.contract.text().to_owned(),
            body: body.to_vec(),
            proof: Some(proof),
            ciphertexts: ciphertexts.into_iter().map(Into::into).collect(),
        };
        self.ask(question).await
    }

    /// The same, word for word.
    pub async fn ask(&self, question: v1::ExecuteRequest) -> Result<Result<v1::Answer, String>> {
        match self.core.clone().execute(question).await {
            Ok(answer) => Ok(Ok(answer.into_inner())),
            Err(status) => Ok(Err(reason(&status)?)),
        }
    }

    /// The reason why the core refuses these words.
    pub async fn refusal(&self, body: &[u8], proof: v1::Proof) -> Result<String> {
        match self.execute(body, proof, Vec::new()).await? {
            Err(reason) => Ok(reason),
            Ok(_) => bail!("the core did what it was asked"),
        }
    }
}

/// The stable name in a refusal.
fn reason(status: &Status) -> Result<String> {
    let info = status.get_details_error_info().with_context(|| format!("no reason is given: {status}"))?;
    ensure!(info.domain == kms_core_proto::ERROR_DOMAIN, "{status}");
    Ok(info.reason)
}

/// Submits an operation as the stack's user, for its price.
pub async fn submit(stack: &Stack, operation: Operation, ttl: Option<u64>) -> Result<RequestId> {
    let contract = stack.network().contract.clone().context("the stack has no contract")?;
    let account = stack.account(AccountName::User)?;
    let operation = Box::new(operation);
    let query = QueryMsg::Quote { operation: operation.clone(), callback: None };
    let quote: Quote = stack.client()?.smart_query(&contract, &query).await?;
    let funds = [Coin::new(quote.price.u128(), quote.denom)];
    let message = ExecuteMsg::SubmitRequest { operation, ttl, callback: None };
    let outcome = account.execute(&contract, &message, &funds, &TxOptions::default()).await?;
    Ok(serde_json::from_slice::<SubmitRequestData>(&outcome.execute_data(0)?)?.request_id)
}
