//! The operator's core, over gRPC.

use std::time::Duration;

use bytes::Bytes;
use kms_asc_api::Failure;
use kms_core_proto::{
    ERROR_DOMAIN, reason, v1,
    v1::{kms_client::KmsClient, kms_server::SERVICE_NAME},
};
use prost::Message;
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint},
};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_types::StatusExt;
use url::Url;

use crate::{
    config::Settings,
    item::{Item, ItemError},
    machine::{Facts, Operator, time_left},
};

/// Signed when a ciphertext cannot be had.
const CIPHERTEXT_UNAVAILABLE: u32 = 1;
/// Reason of a refusal because a message is larger than one of the two ends takes.
const MESSAGE_TOO_LARGE: &str = "message_too_large";
/// Longest time of a look at the core.
const LOOK: Duration = Duration::from_secs(5);

/// Why the core gave no usable answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CoreError {
    /// It may answer later.
    #[error("the core cannot answer now ({reason}): {message}")]
    NotNow {
        /// Its reason, or the name of the gRPC status.
        reason: String,
        /// Its text.
        message: String,
    },
    /// It will never answer this question.
    #[error("the core refuses ({reason}): {message}")]
    Refused {
        /// Its reason, or the name of the gRPC status.
        reason: String,
        /// Its text.
        message: String,
    },
    /// Its answer is not one to the question: another party's key, or a fault.
    #[error(transparent)]
    Answer(#[from] ItemError),
    /// Its address cannot be used.
    #[error("{url} is not the address of a core: {reason}")]
    Address {
        /// The address.
        url: String,
        /// What is wrong.
        reason: String,
    },
}

impl CoreError {
    /// Stable name; of a refusal the core's own.
    pub fn code(&self) -> &str {
        match self {
            Self::NotNow { reason, .. } | Self::Refused { reason, .. } => reason,
            Self::Answer(_) => "foreign_answer",
            Self::Address { .. } => "core_address",
        }
    }

    /// Whether the same question may be answered later.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::NotNow { .. })
    }
}

/// A client of the core. Connects when needed, again and again.
#[derive(Debug, Clone)]
pub struct Core {
    client: KmsClient<Channel>,
    health: HealthClient<Channel>,
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
    /// When the network's `core_url` cannot be one.
    pub fn new(settings: &Settings) -> Result<Self, CoreError> {
        let endpoint = endpoint(&settings.network.core_url)?;
        let most = settings.work.max_message_bytes;
        let channel = endpoint.connect_lazy();
        let health = HealthClient::new(channel.clone());
        let client = KmsClient::new(channel).max_decoding_message_size(most).max_encoding_message_size(most);
        Ok(Self {
            client,
            health,
            max_message_bytes: most,
            chain_id: settings.network.chain_id.clone(),
            contract: settings.contract.clone(),
            operator: settings.operator,
            call_timeout: settings.work.call_timeout.get(),
        })
    }

    /// Has a request worked on and waits for the answer, at most until it would no longer count.
    ///
    /// # Errors
    /// `message_too_large`, before anything is sent, if body and ciphertexts are more than the configuration allows
    /// in one message.
    pub async fn execute(&self, facts: &Facts, ciphertexts: Vec<Bytes>) -> Result<Item, CoreError> {
        let question = v1::ExecuteRequest {
            chain_id: self.chain_id.clone(),
            contract: self.contract.clone(),
            body: facts.stored_body.clone(),
            ciphertexts,
        };
        let (bytes, limit) = (question.encoded_len(), self.max_message_bytes);
        if bytes > limit {
            let message =
                format!("{bytes} bytes for the core, at most {limit} allowed by work.max_message_bytes");
            return Err(CoreError::Refused { reason: MESSAGE_TOO_LARGE.to_owned(), message });
        }
        let mut client = self.client.clone();
        let call = Box::pin(client.execute(question));
        self.item(facts, self.within(facts, call).await?)
    }

    /// Has the core sign that the ciphertext at this position cannot be had.
    pub async fn decline(&self, facts: &Facts, index: u16) -> Result<Item, CoreError> {
        let question = v1::DeclineRequest {
            chain_id: self.chain_id.clone(),
            contract: self.contract.clone(),
            body: facts.stored_body.clone(),
            code: CIPHERTEXT_UNAVAILABLE,
            index: index.into(),
        };
        let mut client = self.client.clone();
        let call = Box::pin(client.decline(question));
        self.item(facts, self.within(facts, call).await?)
    }

    /// Whether the core is there, says that it serves, and signs for whom this daemon serves; else what is wrong.
    pub async fn check(&self) -> Result<(), String> {
        let mut health = self.health.clone();
        let question = HealthCheckRequest { service: SERVICE_NAME.to_owned() };
        let state = looked(health.check(question)).await?.status();
        if state != ServingStatus::Serving {
            return Err(format!("the core says of itself: {}", state.as_str_name().to_lowercase()));
        }
        let mut client = self.client.clone();
        let info = looked(client.info(v1::InfoRequest {})).await?;
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

    fn item(&self, facts: &Facts, answer: v1::Answer) -> Result<Item, CoreError> {
        Ok(Item::from_core(answer, facts, self.operator)?)
    }

    async fn within(
        &self,
        facts: &Facts,
        call: impl Future<Output = Result<tonic::Response<v1::Answer>, Status>>,
    ) -> Result<v1::Answer, CoreError> {
        let most = self.call_timeout.min(Duration::from_secs(time_left(facts).saturating_add(1)));
        match tokio::time::timeout(most, call).await {
            Ok(answer) => Ok(answer.map_err(|status| typed(&status))?.into_inner()),
            Err(_) => {
                let message = format!("no answer within {most:?}");
                Err(CoreError::NotNow { reason: "deadline_exceeded".into(), message })
            }
        }
    }
}

async fn looked<T>(call: impl Future<Output = Result<tonic::Response<T>, Status>>) -> Result<T, String> {
    match tokio::time::timeout(LOOK, Box::pin(call)).await {
        Ok(answer) => answer.map(tonic::Response::into_inner).map_err(|status| typed(&status).to_string()),
        Err(_) => Err(format!("the core did not answer within {LOOK:?}")),
    }
}

/// Position in the form of the contract, for a position that fits.
pub fn position(index: usize) -> u16 {
    u16::try_from(index).unwrap_or(Failure::NO_INDEX)
}

fn endpoint(url: &Url) -> Result<Endpoint, CoreError> {
    let bad = |reason: String| CoreError::Address { url: url.to_string(), reason };
    let endpoint = Endpoint::from_shared(url.to_string()).map_err(|error| bad(error.to_string()))?;
    if url.scheme() != "http" {
        return Err(bad(format!("scheme {}, allowed is http", url.scheme())));
    }
    Ok(endpoint
        .connect_timeout(Duration::from_secs(5))
        .http2_keep_alive_interval(Duration::from_secs(10))
        .keep_alive_timeout(Duration::from_secs(20)))
}

/// Sorts a failed call by the core's own reason, or by the status where it gives none that is known here.
fn typed(status: &Status) -> CoreError {
    let message = status.message().to_owned();
    let info = status.get_details_error_info().filter(|info| info.domain == ERROR_DOMAIN);
    let reason = info.map(|info| info.reason);
    if let Some(reason) = reason.clone().filter(|reason| reason::ALL.contains(&reason.as_str())) {
        // The core judges by its clock, the chain by block time: a block's word ends the request, not the core's.
        let later = reason::is_retryable(&reason) || reason == reason::DEADLINE_PASSED;
        return if later {
            CoreError::NotNow { reason, message }
        } else {
            CoreError::Refused { reason, message }
        };
    }
    let reason = reason.unwrap_or_else(|| format!("{:?}", status.code()).to_lowercase());
    match status.code() {
        // What gRPC itself says of a message over the limit of either end.
        Code::OutOfRange => CoreError::Refused { reason: MESSAGE_TOO_LARGE.to_owned(), message },
        Code::InvalidArgument
        | Code::Unimplemented
        | Code::FailedPrecondition
        | Code::PermissionDenied
        | Code::Unauthenticated
        | Code::NotFound => CoreError::Refused { reason, message },
        _ => CoreError::NotNow { reason, message },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use tonic_types::ErrorDetails;

    use super::*;

    fn with_reason(code: Code, reason: &str, domain: &str) -> CoreError {
        let details = ErrorDetails::with_error_info(reason, domain, HashMap::new());
        typed(&Status::with_error_details(code, "text", details))
    }

    #[test]
    fn every_reason_of_the_core_is_sorted_as_its_interface_says_but_for_its_clock() {
        for reason in reason::ALL {
            let error = with_reason(Code::Internal, reason, ERROR_DOMAIN);
            let later = reason::is_retryable(reason) || reason == reason::DEADLINE_PASSED;
            assert_eq!((error.code(), error.is_retryable()), (reason, later));
        }
    }

    #[test]
    fn without_a_reason_of_the_core_the_status_decides() {
        let retryable = |code| typed(&Status::new(code, "text")).is_retryable();
        for code in [Code::Unavailable, Code::ResourceExhausted, Code::Internal, Code::Unknown] {
            assert!(retryable(code), "{code:?}");
        }
        for code in [Code::InvalidArgument, Code::OutOfRange, Code::Unimplemented, Code::FailedPrecondition] {
            assert!(!retryable(code), "{code:?}");
        }
        let foreign = with_reason(Code::Unavailable, "malformed_body", "elsewhere");
        assert!(foreign.is_retryable(), "{foreign}");
        assert_eq!(typed(&Status::out_of_range("too large")).code(), "message_too_large");
    }

    #[test]
    fn a_reason_that_only_a_later_core_knows_is_sorted_by_its_status() {
        let later = with_reason(Code::Unavailable, "warming_up", ERROR_DOMAIN);
        assert_eq!((later.code(), later.is_retryable()), ("warming_up", true));
        let never = with_reason(Code::FailedPrecondition, "retired", ERROR_DOMAIN);
        assert_eq!((never.code(), never.is_retryable()), ("retired", false));
    }

    #[test]
    fn an_address_that_is_none_is_refused() {
        let url = Url::parse("file:///x").unwrap();
        assert_eq!(endpoint(&url).unwrap_err().code(), "core_address");
    }
}
