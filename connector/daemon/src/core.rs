//! The operator's core, over gRPC.

mod error;
mod link;

use std::time::Duration;

use bytes::Bytes;
use kms_asc_api::{Failure, KeyId};
use kms_core_proto::{
    v1,
    v1::{kms_client::KmsClient, kms_server::SERVICE_NAME},
};
use prost::Message;
use tonic::{Response, Status, transport::Channel};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::{
    config::Settings,
    item::Item,
    machine::{Facts, Operator, time_left},
};

use error::{MESSAGE_TOO_LARGE, typed};
use link::Link;

pub use error::CoreError;

/// Signed when a ciphertext cannot be had.
const CIPHERTEXT_UNAVAILABLE: u32 = 1;
/// Longest time of a look at the core.
const LOOK: Duration = Duration::from_secs(5);

/// A client of the core. Connects when needed, again and again.
#[derive(Debug, Clone)]
pub struct Core {
    link: Link,
    max_message_bytes: usize,
    chain_id: String,
    contract: String,
    operator: Operator,
    call_timeout: Duration,
}

impl Core {
    /// A client as the settings say. Nothing is sent yet. Needs a tokio runtime.
    ///
    /// # Errors
    /// When the network's `core_url` cannot be one, or the files for TLS cannot be used.
    pub fn new(settings: &Settings) -> Result<Self, CoreError> {
        Ok(Self {
            link: Link::new(&settings.network.core_url, &settings.transport)?,
            max_message_bytes: settings.work.max_message_bytes,
            chain_id: settings.network.chain_id.clone(),
            contract: settings.contract.clone(),
            operator: settings.operator,
            call_timeout: settings.work.call_timeout.get(),
        })
    }

    /// Has a request worked on and waits for the answer, at most until it would no longer count.
    ///
    /// # Errors
    /// `message_too_large`, before anything is sent, if body, proof and ciphertexts are more than the configuration
    /// allows in one message.
    pub async fn execute(
        &self,
        facts: &Facts,
        proof: v1::Proof,
        ciphertexts: Vec<Bytes>,
    ) -> Result<Item, CoreError> {
        let question = v1::ExecuteRequest {
            chain_id: self.chain_id.clone(),
            contract: self.contract.clone(),
            body: facts.stored_body.clone(),
            proof: Some(proof),
            ciphertexts,
        };
        self.check_size(&question)?;
        let mut client = self.client();
        let call = Box::pin(client.execute(question));
        self.item(facts, within(self.time_for(facts), call).await?)
    }

    /// Has the core sign that the ciphertext at this position cannot be had.
    pub async fn decline(&self, facts: &Facts, proof: v1::Proof, index: u16) -> Result<Item, CoreError> {
        let question = v1::DeclineRequest {
            chain_id: self.chain_id.clone(),
            contract: self.contract.clone(),
            body: facts.stored_body.clone(),
            proof: Some(proof),
            code: CIPHERTEXT_UNAVAILABLE,
            index: index.into(),
        };
        let mut client = self.client();
        let call = Box::pin(client.decline(question));
        self.item(facts, within(self.time_for(facts), call).await?)
    }

    /// Has the core destroy a key whose record is proven to say so.
    pub async fn destroy_key(&self, key: KeyId, proof: v1::Proof) -> Result<v1::KeyDestruction, CoreError> {
        let question = v1::DestroyKeyRequest {
            chain_id: self.chain_id.clone(),
            contract: self.contract.clone(),
            key_id: key.get(),
            proof: Some(proof),
        };
        let mut client = self.client();
        within(self.call_timeout, Box::pin(client.destroy_key(question))).await
    }

    /// Shows the core headers, ascending. The height of the newest that it has verified.
    pub async fn submit_headers(&self, light_blocks: Vec<v1::LightBlock>) -> Result<u64, CoreError> {
        let mut client = self.client();
        let call = Box::pin(client.submit_header(v1::SubmitHeaderRequest { light_blocks }));
        Ok(within(LOOK, call).await?.trusted_height)
    }

    /// The height of the newest header that the core has verified.
    pub async fn trusted_height(&self) -> Result<u64, CoreError> {
        let mut client = self.client();
        Ok(within(LOOK, Box::pin(client.info(v1::InfoRequest {}))).await?.trusted_height)
    }

    /// The ids of the keys that the core holds.
    pub async fn keys(&self) -> Result<Vec<KeyId>, CoreError> {
        let mut client = self.client();
        let held = within(LOOK, Box::pin(client.list_keys(v1::ListKeysRequest {}))).await?;
        Ok(held.keys.into_iter().map(|key| KeyId(key.key_id)).collect())
    }

    /// Whether the core is there, says that it serves, and signs for whom this daemon serves; else what is wrong.
    pub async fn check(&self) -> Result<(), String> {
        let mut health = HealthClient::new(self.link.channel());
        let question = HealthCheckRequest { service: SERVICE_NAME.to_owned() };
        let looked = |error: CoreError| error.to_string();
        let state = within(LOOK, Box::pin(health.check(question))).await.map_err(looked)?.status();
        if state != ServingStatus::Serving {
            return Err(format!("the core says of itself: {}", state.as_str_name().to_lowercase()));
        }
        let mut client = self.client();
        let info = within(LOOK, Box::pin(client.info(v1::InfoRequest {}))).await.map_err(looked)?;
        let v1::InfoResponse { chain_id, contract, memberships, .. } = info;
        if (chain_id.as_str(), contract.as_str()) != (self.chain_id.as_str(), self.contract.as_str()) {
            return Err(format!("the core serves contract {contract} on {chain_id}"));
        }
        let Operator { epoch, party } = self.operator;
        let ours = v1::Membership { epoch: epoch.get(), party: party.get() };
        if memberships.contains(&ours) {
            Ok(())
        } else {
            Err(format!("the core is not party {party} of epoch {epoch}"))
        }
    }

    fn client(&self) -> KmsClient<Channel> {
        let most = self.max_message_bytes;
        let client = KmsClient::new(self.link.channel());
        client.max_decoding_message_size(most).max_encoding_message_size(most)
    }

    fn check_size(&self, question: &v1::ExecuteRequest) -> Result<(), CoreError> {
        let (bytes, limit) = (question.encoded_len(), self.max_message_bytes);
        if bytes <= limit {
            return Ok(());
        }
        let message =
            format!("{bytes} bytes for the core, at most {limit} allowed by work.max_message_bytes");
        Err(CoreError::Refused { reason: MESSAGE_TOO_LARGE.to_owned(), message })
    }

    fn item(&self, facts: &Facts, answer: v1::Answer) -> Result<Item, CoreError> {
        Ok(Item::from_core(answer, facts, self.operator)?)
    }

    /// Longest time of a call about a request.
    fn time_for(&self, facts: &Facts) -> Duration {
        self.call_timeout.min(Duration::from_secs(time_left(facts).saturating_add(1)))
    }
}

async fn within<T>(
    most: Duration,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, CoreError> {
    match tokio::time::timeout(most, call).await {
        Ok(answer) => Ok(answer.map_err(|status| typed(&status))?.into_inner()),
        Err(_) => {
            let message = format!("no answer within {most:?}");
            Err(CoreError::NotNow { reason: "deadline_exceeded".into(), message })
        }
    }
}

/// Position in the form of the contract, for a position that fits.
pub fn position(index: usize) -> u16 {
    u16::try_from(index).unwrap_or(Failure::NO_INDEX)
}
