//! What the calls of the service do.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use kms_asc_api::{Digest, FailureCode, KeyId, RequestBody, request_hash};
use kms_core_engine::{Engine, TFHE_VERSION};
use kms_core_proto::{NO_INDEX, v1};
use tokio::task::spawn_blocking;

use crate::{
    Error, Identity, Limits, Membership, Signer,
    answers::Answers,
    desk::{Desk, Load, Turn, Unwanted},
    evidence::{Evidence, Refusal},
    health::Condition,
    metrics::{Levels, Metrics, Outcome, Stage},
    operation::{Failure, Finding, Workshop, destroy},
    request::{Request, check_contract},
    seal::seal,
    weight::Weight,
};

/// A core. Clones are the same core.
pub(crate) struct Core<E: Engine>(Arc<Inner<E>>);

struct Inner<E: Engine> {
    identity: Arc<Identity>,
    limits: Limits,
    signer: Arc<Signer>,
    answers: Answers,
    workshop: Workshop<E>,
    evidence: Evidence,
    desk: Desk,
    metrics: Arc<Metrics>,
}

/// What a caller wants for a request.
enum Wish {
    Execute(Vec<Bytes>),
    Decline(Failure),
}

/// What the body of a call stands for.
enum Shown {
    Answered(v1::Answer),
    Pending(Box<Request>),
}

impl<E: Engine> Clone for Core<E> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<E: Engine> Core<E> {
    pub(crate) fn new(
        limits: Limits,
        signer: Signer,
        answers: Answers,
        workshop: Workshop<E>,
        evidence: Evidence,
        metrics: Arc<Metrics>,
    ) -> Self {
        let identity = workshop.identity.clone();
        let (desk, signer) = (Desk::new(&limits), Arc::new(signer));
        Self(Arc::new(Inner { identity, limits, signer, answers, workshop, evidence, desk, metrics }))
    }

    /// What is counted and timed.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// The text that a Prometheus server reads.
    pub(crate) fn metrics_text(&self, calls: u64) -> Result<String, std::fmt::Error> {
        let Load { requests, work, bytes } = self.0.desk.load();
        let requests = u64::try_from(requests).unwrap_or(u64::MAX);
        let (trusted_height, _) = self.0.evidence.newest_header();
        let header_age = self.0.evidence.header_age();
        self.0.metrics.text(Levels { requests, work, bytes, calls, trusted_height, header_age })
    }

    /// Where work is under way.
    pub(crate) fn desk(&self) -> &Desk {
        &self.0.desk
    }

    /// The answer to a request, counted and timed.
    async fn answer(&self, request: Request, wish: Wish) -> Result<v1::Answer, Error> {
        let (operation, started) = (request.body.operation.kind().name(), Instant::now());
        let result = self.answer_once(request, wish).await;
        self.0.metrics.took(Stage::Total, started.elapsed());
        self.0.metrics.ended(operation, Outcome::of(&result));
        result
    }

    /// The answer to a request: the recorded one, or the one under way, or a new one.
    async fn answer_once(&self, request: Request, wish: Wish) -> Result<v1::Answer, Error> {
        let core = self.clone();
        let (id, hash) = (request.id(), request.hash);
        let weight = match &wish {
            Wish::Execute(ciphertexts) => Weight::of(&request.body.operation, ciphertexts),
            Wish::Decline(_) => Weight::of_failure(),
        };
        let ticket = self.0.desk.join_or_start(id, hash, weight, move |turn| async move {
            match core.recorded(id, hash)? {
                Some(answer) => Ok(answer),
                None if !core.0.answers.may_answer_at(request.proven_at) => {
                    let (newest, _) = core.0.evidence.newest_header();
                    Err(Refusal::Behind { height: request.proven_at, newest }.into())
                }
                None => core.make_answer(request, wish, turn).await,
            }
        })?;
        ticket.outcome().await
    }

    async fn make_answer(&self, request: Request, wish: Wish, turn: Turn) -> Result<v1::Answer, Error> {
        self.check_not_forgotten(request.body.time)?;
        let slot = {
            let _waited = self.0.metrics.timer(Stage::Wait);
            turn.begin().await
        };
        let slot = slot.map_err(|Unwanted| {
            self.0.metrics.dropped();
            Error::Internal { cause: "nobody waits for the answer".to_owned() }
        })?;
        request.check_deadline()?;
        let finding = match wish {
            Wish::Execute(ciphertexts) => self.find(&request, ciphertexts).await?,
            Wish::Decline(failure) => Finding::Failure(failure),
        };
        if let Finding::Failure(failure) = &finding {
            request.check_may_fail_for(failure.code)?;
        }
        let seal = || seal(&self.0.identity, &self.0.signer, &request, finding);
        let answer = self.0.metrics.time(Stage::Sign, seal)?;
        // Others work while this answer waits for its flush, which it may share with theirs.
        slot.leave();
        self.0.answers.record(answer).await
    }

    /// Refuses what the core may have answered before it was restored from a backup that does not know of it.
    fn check_not_forgotten(&self, submitted: u64) -> Result<(), Error> {
        match self.0.workshop.vault.restored() {
            Some(restored) if restored.covers(submitted) => {
                Err(Error::BeforeRestore { submitted, restored: restored.submitted_before })
            }
            _ => Ok(()),
        }
    }

    /// What this party finds. A fault on this side is an error, after which the work can be asked for again; when half
    /// of the request's time is over it is what the party says of the request, so that the requester gets his money back.
    async fn find(&self, request: &Request, ciphertexts: Vec<Bytes>) -> Result<Finding, Error> {
        let (id, internal) = (request.id(), FailureCode::Internal);
        match self.0.workshop.perform(&self.0.signer, request, ciphertexts).await {
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
    pub(crate) async fn look(&self) -> [(Condition, Result<(), String>); 5] {
        let answers = self.0.answers.check().await.map_err(|error| match error {
            Error::Internal { cause } => cause,
            other => other.to_string(),
        });
        let store = self.0.workshop.check_store().await;
        let vault = self.0.workshop.check_vault().await;
        let (trust, headers) = (self.0.evidence.check(), self.0.evidence.check_conflict());
        [
            (Condition::Answers, answers),
            (Condition::Store, store),
            (Condition::Vault, vault),
            (Condition::Trust, trust),
            (Condition::Headers, headers),
        ]
    }

    /// The recorded answer, if the request is the one that was answered under its id.
    fn recorded(&self, request_id: u64, hash: Digest) -> Result<Option<v1::Answer>, Error> {
        match self.0.answers.get(request_id)? {
            Some(answer) if answer.request_hash != hash.as_bytes() => {
                Err(Error::RequestConflict { request_id })
            }
            found => Ok(found),
        }
    }

    pub(crate) async fn execute(&self, call: v1::ExecuteRequest) -> Result<v1::Answer, Error> {
        let v1::ExecuteRequest { chain_id, contract, body, proof, ciphertexts } = call;
        let request = match self.shown(chain_id, contract, body, proof).await? {
            Shown::Answered(answer) => return Ok(answer),
            Shown::Pending(request) => *request,
        };
        let (given, expected) = (ciphertexts.len(), request.body.operation.blobs().len());
        if given != expected {
            return Err(Error::WrongCiphertextCount { given, expected });
        }
        self.answer(request, Wish::Execute(ciphertexts)).await
    }

    pub(crate) async fn decline(&self, call: v1::DeclineRequest) -> Result<v1::Answer, Error> {
        let v1::DeclineRequest { chain_id, contract, body, proof, code, index } = call;
        let request = match self.shown(chain_id, contract, body, proof).await? {
            Shown::Answered(answer) => return Ok(answer),
            Shown::Pending(request) => *request,
        };
        let failure = declined(&request, code, index)?;
        self.answer(request, Wish::Decline(failure)).await
    }

    /// What a caller shows: a request that this core answered before, or one that is proven to be pending.
    async fn shown(
        &self,
        chain_id: String,
        contract: String,
        body: Vec<u8>,
        proof: Option<v1::Proof>,
    ) -> Result<Shown, Error> {
        check_contract(&self.0.identity, &chain_id, &contract)?;
        if let Some(answer) = self.answered(&body)? {
            return Ok(Shown::Answered(answer));
        }
        let waits = waits(proof.as_ref());
        let judge = move |evidence: &Evidence| evidence.judge_request(&chain_id, &contract, &body, proof);
        let request = self.judge(waits, judge).await?;
        Ok(Shown::Pending(Box::new(request)))
    }

    pub(crate) async fn submit_header(
        &self,
        call: v1::SubmitHeaderRequest,
    ) -> Result<v1::SubmitHeaderResponse, Error> {
        let (height, hash) = self.judge(true, move |evidence| evidence.submit(call.light_blocks)).await?;
        Ok(v1::SubmitHeaderResponse { trusted_height: height, trusted_hash: hash.to_vec() })
    }

    pub(crate) async fn destroy_key(&self, call: v1::DestroyKeyRequest) -> Result<v1::KeyDestruction, Error> {
        let v1::DestroyKeyRequest { chain_id, contract, key_id, proof } = call;
        let judge =
            move |evidence: &Evidence| evidence.judge_destruction(&chain_id, &contract, KeyId(key_id), proof);
        let key = self.judge(true, judge).await?;
        let core = self.clone();
        let destroyed =
            spawn_blocking(move || destroy(&core.0.workshop, &core.0.signer, &key.record, key.record_hash));
        let destroyed = destroyed.await.map_err(|error| Error::internal("destroying a key", &error))?;
        destroyed.map(v1::KeyDestruction::from)
    }

    /// The recorded answer to a body: it left this core before, so that it leaves once more needs no proof.
    fn answered(&self, stored: &[u8]) -> Result<Option<v1::Answer>, Error> {
        let Ok(body) = RequestBody::parse(stored) else { return Ok(None) };
        let found = self.0.answers.get(body.id.get())?;
        let hash = request_hash(stored);
        Ok(found.filter(|answer| answer.request_hash == hash.as_bytes()))
    }

    /// Verifies what a caller shows; off the threads that serve the network, if it waits for the disk.
    async fn judge<T: Send + 'static>(
        &self,
        waits: bool,
        judge: impl FnOnce(&Evidence) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let core = self.clone();
        let judged = {
            let _timed = self.0.metrics.timer(Stage::Proof);
            match waits {
                true => spawn_blocking(move || judge(&core.0.evidence)).await,
                false => Ok(judge(&core.0.evidence)),
            }
        };
        self.note_finished().await?;
        judged.map_err(|error| Error::internal("judging a proof", &error))?
    }

    /// Notes requests that were proven to be finished, so that their answers are forgotten in time.
    async fn note_finished(&self) -> Result<(), Error> {
        for (height, request_ids) in self.0.evidence.take_finished() {
            self.0.answers.finished(request_ids, height).await?;
        }
        Ok(())
    }

    /// Forgets answers of finished requests, once no proof can show these pending any more.
    pub(crate) async fn prune(&self) -> Result<(), Error> {
        let (newest, _) = self.0.evidence.newest_header();
        while self.0.answers.prune(newest).await? > 0 {}
        Ok(())
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
        self.recorded(id, hash)?.ok_or(Error::UnknownRequest { request_id: id })
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
        let Inner { identity, signer, limits, evidence, .. } = &*self.0;
        let (trusted_height, trusted_hash) = evidence.newest_header();
        v1::InfoResponse {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            tfhe_version: TFHE_VERSION.to_owned(),
            chain_id: identity.chain_id.clone(),
            contract: identity.contract.clone(),
            signer: signer.public_key().as_bytes().to_vec(),
            signer_address: signer.address().as_bytes().to_vec(),
            memberships: identity.memberships.iter().map(membership).collect(),
            max_message_bytes: u64::try_from(limits.max_message_bytes).unwrap_or(u64::MAX),
            trusted_height,
            trusted_hash: trusted_hash.to_vec(),
        }
    }
}

/// Whether a proof brings headers, which are kept on disk. Without, verifying it takes less than waking another thread.
fn waits(proof: Option<&v1::Proof>) -> bool {
    proof.is_some_and(|proof| !proof.light_blocks.is_empty())
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
