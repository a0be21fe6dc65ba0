//! What the calls of the service do.

use std::sync::Arc;

use bytes::Bytes;
use kms_asc_api::{Digest, FailureCode};
use kms_core_engine::{Engine, TFHE_VERSION};
use kms_core_proto::{NO_INDEX, v1};
use tokio::task::spawn_blocking;

use crate::{
    Error, Identity, Limits, Membership, Signer,
    answers::Answers,
    desk::Desk,
    health::Condition,
    operation::{Failure, Finding, Workshop},
    request::{Request, check_contract},
    seal::seal,
};

/// A core. Clones are the same core.
pub(crate) struct Core<E: Engine>(Arc<Inner<E>>);

struct Inner<E: Engine> {
    identity: Arc<Identity>,
    limits: Limits,
    signer: Signer,
    answers: Answers,
    workshop: Workshop<E>,
    desk: Desk,
}

/// What a caller wants for a request.
enum Wish {
    Execute(Vec<Bytes>),
    Decline(Failure),
}

impl<E: Engine> Clone for Core<E> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<E: Engine> Core<E> {
    pub(crate) fn new(limits: Limits, signer: Signer, answers: Answers, workshop: Workshop<E>) -> Self {
        let identity = workshop.identity.clone();
        let desk = Desk::new(limits.max_requests);
        Self(Arc::new(Inner { identity, limits, signer, answers, workshop, desk }))
    }

    /// Where work is under way.
    pub(crate) fn desk(&self) -> &Desk {
        &self.0.desk
    }

    /// The answer to a request: the recorded one, or the one under way, or a new one.
    async fn answer(&self, request: Request, wish: Wish) -> Result<v1::Answer, Error> {
        let core = self.clone();
        let (id, hash) = (request.id(), request.hash);
        let ticket = self.0.desk.join_or_start(id, hash, move || async move {
            match core.recorded(id, hash).await? {
                Some(answer) => Ok(answer),
                None => core.make_answer(request, wish).await,
            }
        })?;
        ticket.outcome().await
    }

    async fn make_answer(&self, request: Request, wish: Wish) -> Result<v1::Answer, Error> {
        request.check_deadline()?;
        let finding = match wish {
            Wish::Execute(ciphertexts) => self.find(&request, ciphertexts).await?,
            Wish::Decline(failure) => Finding::Failure(failure),
        };
        if let Finding::Failure(failure) = &finding {
            request.check_may_fail_for(failure.code)?;
        }
        let answer = seal(&self.0.identity, &self.0.signer, &request, finding)?;
        self.record(answer).await
    }

    /// What this party finds. A fault on this side is an error, after which the work can be asked for again; when half
    /// of the request's time is over it is what the party says of the request, so that the requester gets his money back.
    async fn find(&self, request: &Request, ciphertexts: Vec<Bytes>) -> Result<Finding, Error> {
        let (id, internal) = (request.id(), FailureCode::Internal);
        match self.0.workshop.perform(request, ciphertexts).await {
            Err(Error::Internal { cause }) if request.check_may_fail_for(internal).is_ok() => {
                tracing::error!(
                    request_id = id,
                    cause,
                    "failed after half of the request's time: signing that"
                );
                Ok(Finding::Failure(Failure { code: internal, index: None }))
            }
            found => found,
        }
    }

    /// What each condition of readiness is at now.
    pub(crate) async fn look(&self) -> [(Condition, Result<(), String>); 2] {
        let core = self.clone();
        let answers = blocking(move || core.0.answers.check()).await.map_err(|error| match error {
            Error::Internal { cause } => cause,
            other => other.to_string(),
        });
        let store = self.0.workshop.check_store().await;
        [(Condition::Answers, answers), (Condition::Store, store)]
    }

    /// The recorded answer, if the request is the one that was answered under its id.
    async fn recorded(&self, request_id: u64, hash: Digest) -> Result<Option<v1::Answer>, Error> {
        let core = self.clone();
        let found = blocking(move || core.0.answers.get(request_id)).await?;
        match found {
            Some(answer) if answer.request_hash != hash.as_bytes() => {
                Err(Error::RequestConflict { request_id })
            }
            found => Ok(found),
        }
    }

    async fn record(&self, answer: v1::Answer) -> Result<v1::Answer, Error> {
        let core = self.clone();
        blocking(move || core.0.answers.record(answer)).await
    }

    pub(crate) async fn execute(&self, call: v1::ExecuteRequest) -> Result<v1::Answer, Error> {
        let request = Request::read(&self.0.identity, &call.chain_id, &call.contract, &call.body)?;
        let (given, expected) = (call.ciphertexts.len(), request.body.operation.blobs().len());
        if given != expected {
            return Err(Error::WrongCiphertextCount { given, expected });
        }
        self.answer(request, Wish::Execute(call.ciphertexts)).await
    }

    pub(crate) async fn decline(&self, call: v1::DeclineRequest) -> Result<v1::Answer, Error> {
        let request = Request::read(&self.0.identity, &call.chain_id, &call.contract, &call.body)?;
        let failure = declined(&request, call.code, call.index)?;
        self.answer(request, Wish::Decline(failure)).await
    }

    pub(crate) async fn get_result(&self, call: v1::GetResultRequest) -> Result<v1::Answer, Error> {
        check_contract(&self.0.identity, &call.chain_id, &call.contract)?;
        let id = call.request_id;
        if id == 0 {
            return Err(malformed("request_id", "0 given, ids begin with 1"));
        }
        let hash = Digest::try_from(call.request_hash.as_slice())
            .map_err(|error| malformed("request_hash", &error.to_string()))?;
        // Work leaves the desk after its answer is recorded, so in this order none is missed.
        if let Some(ticket) = self.0.desk.find(id, &hash)? {
            return ticket.outcome().await;
        }
        self.recorded(id, hash).await?.ok_or(Error::UnknownRequest { request_id: id })
    }

    pub(crate) fn list_keys(&self) -> v1::ListKeysResponse {
        let part = |part: &crate::vault::Part| v1::KeyPart {
            key_type: u32::from(part.key_type),
            digest: part.digest.as_bytes().to_vec(),
            size: part.size,
        };
        let keys = self.0.workshop.vault.list();
        let keys = keys.iter().map(|held| v1::Key {
            key_id: held.record.key_id,
            params: held.record.params_name().to_owned(),
            epoch: held.record.epoch,
            parts: held.record.parts.iter().map(part).collect(),
        });
        v1::ListKeysResponse { keys: keys.collect() }
    }

    pub(crate) fn info(&self) -> v1::InfoResponse {
        let Inner { identity, signer, limits, .. } = &*self.0;
        v1::InfoResponse {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            tfhe_version: TFHE_VERSION.to_owned(),
            chain_id: identity.chain_id.clone(),
            contract: identity.contract.clone(),
            signer: signer.public_key().as_bytes().to_vec(),
            signer_address: signer.address().as_bytes().to_vec(),
            memberships: identity.memberships.iter().map(membership).collect(),
            max_message_bytes: u64::try_from(limits.max_message_bytes).unwrap_or(u64::MAX),
        }
    }
}

fn membership(membership: &Membership) -> v1::Membership {
    v1::Membership { epoch: membership.epoch.get(), party: membership.party.get() }
}

/// The failure that a caller may have signed: a ciphertext of the request that he cannot get.
fn declined(request: &Request, code: u32, index: u32) -> Result<Failure, Error> {
    let code_allowed = FailureCode::CiphertextUnavailable;
    if code != u32::from(code_allowed.number()) {
        return Err(malformed("code", &format!("{code} given, 1 (ciphertext_unavailable) allowed")));
    }
    let operation = &request.body.operation;
    if operation.blobs().is_empty() {
        let operation = operation.kind();
        return Err(malformed("code", &format!("{operation} has no ciphertext that could be unavailable")));
    }
    // An input is no ciphertext of the body, so no index names it.
    let count = operation.ciphertexts().len();
    let index = match (index, usize::try_from(index), u16::try_from(index)) {
        (NO_INDEX, ..) => None,
        (_, Ok(position), Ok(index)) if position < count => Some(index),
        _ => {
            let reason = match count.checked_sub(1) {
                Some(last) => format!("{index} given, 0 to {last} or 65535 allowed"),
                None => format!("{index} given, 65535 allowed"),
            };
            return Err(malformed("index", &reason));
        }
    };
    Ok(Failure { code: code_allowed, index })
}

fn malformed(field: &'static str, reason: &str) -> Error {
    Error::MalformedArgument { field, reason: reason.to_owned() }
}

/// Runs what waits for the disk off the threads that serve the network.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    spawn_blocking(work).await.map_err(|error| Error::internal("using the answer store", &error))?
}
