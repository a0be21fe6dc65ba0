//! What must be proven before the core acts.

use kms_asc_api::{
    Config, CrsRecord, Digest, Epoch, EpochId, KeyDomain, KeyGen, KeyId, KeyRecord, KeySource, KeyState,
    Operation, RequestBody, State, Status, request_hash, state_key,
};
use kms_core_proto::v1;
use serde::de::DeserializeOwned;

use super::{
    Evidence, Proven, Refusal, Shown, contract,
    request::{DestroyedKey, End, Request, check_contract},
};
use crate::{Error, Membership};

impl Evidence {
    /// Judges a request by what the caller proves of it: the contract and its code, the body's bytes, that it is pending
    /// and not about to end, its epoch, and its key's state.
    pub(crate) fn judge_request(
        &self,
        chain_id: &str,
        contract_text: &str,
        stored: &[u8],
        proof: Option<v1::Proof>,
    ) -> Result<Request, Error> {
        check_contract(&self.identity, chain_id, contract_text)?;
        let body =
            RequestBody::parse(stored).map_err(|error| Error::MalformedBody { reason: error.to_string() })?;
        if body.id.get() == 0 {
            return Err(Error::MalformedBody { reason: "id is 0, ids begin with 1".to_owned() });
        }
        let Shown { header, proven } = self.show(proof)?;
        contract::judge(&proven, &self.pins.allowed_code)?;
        let status = recorded_status(&proven, &body, stored)?;
        let membership = self.membership(body.epoch)?;
        judge_epoch(&proven, &membership)?;
        let (end, half_time) = self.times(&body, &status)?;
        end.check(header.time())?;
        end.check(super::clock())?;
        let key = body.operation.key_id().map(|key_id| usable_key(&proven, key_id, &body.operation));
        let key = key.transpose()?;
        let crs = reference_string(&proven, &body.operation)?;
        let (key_domain, proven_at) = (key_domain(&proven)?, header.state_height());
        let hash = request_hash(stored);
        Ok(Request { hash, body, membership, key, crs, key_domain, proven_at, end, half_time })
    }

    /// Judges whether a key is to be destroyed: its record says so. Which epoch holds it, and whether that is one of this
    /// core's, is no reason to keep the key.
    pub(crate) fn judge_destruction(
        &self,
        chain_id: &str,
        contract_text: &str,
        key_id: KeyId,
        proof: Option<v1::Proof>,
    ) -> Result<DestroyedKey, Error> {
        check_contract(&self.identity, chain_id, contract_text)?;
        let Shown { proven, .. } = self.show(proof)?;
        contract::judge(&proven, &self.pins.allowed_code)?;
        let (record, record_hash) = key_record(&proven, key_id)?;
        if record.state != KeyState::Destroyed {
            return Err(Refusal::KeyNotDestroyed { key_id: key_id.get(), state: record.state }.into());
        }
        Ok(DestroyedKey { record, record_hash, _judged: () })
    }

    fn membership(&self, epoch: Option<EpochId>) -> Result<Membership, Error> {
        let membership = epoch.and_then(|epoch| self.identity.membership(epoch)).copied();
        membership.ok_or_else(|| Error::WrongEpoch {
            given: epoch.map(EpochId::get),
            served: self.identity.memberships.iter().map(|own| own.epoch.get()).collect(),
        })
    }

    /// The request's end, and half of its time.
    fn times(&self, body: &RequestBody, status: &Status) -> Result<(End, u64), Error> {
        let malformed = |reason: String| Error::MalformedBody { reason };
        let deadline = body
            .deadline
            .ok_or_else(|| malformed("an epoch is given and no deadline, they come together".to_owned()))?;
        let half_time = body.half_time().ok_or_else(|| {
            malformed(format!("deadline {deadline} lies before the time {} of the request", body.time))
        })?;
        let at = match status.cancel_at {
            0 => deadline,
            cancel_at => cancel_at.min(deadline),
        };
        Ok((End { at, margin: self.pins.end_margin }, half_time))
    }
}

/// What the domains of new keys consist of.
fn key_domain(proven: &Proven) -> Result<KeyDomain, Error> {
    let stored = proven.record(state_key::CONFIG.as_slice(), || "configuration".to_owned())?;
    parsed::<Config>("configuration", stored).map(|config| config.key_domain)
}

/// The status of a request whose body is proven to be these bytes, and which is pending.
fn recorded_status(proven: &Proven, body: &RequestBody, stored: &[u8]) -> Result<Status, Error> {
    let request_id = body.id.get();
    let what = || format!("request {request_id}");
    if proven.record(&state_key::REQUEST.key(request_id), what)? != stored {
        return Err(Refusal::BodyMismatch { request_id }.into());
    }
    let status =
        proven.record(&state_key::STATUS.key(request_id), || format!("status of request {request_id}"))?;
    let status = Status::decode(status).map_err(|error| unreadable("status", &error))?;
    match status.state {
        State::Pending => Ok(status),
        state => Err(Refusal::NotPending { request_id, state }.into()),
    }
}

/// The epoch's record must be, byte for byte, the one that is pinned; what a revocation adds to it is told apart.
fn judge_epoch(proven: &Proven, membership: &Membership) -> Result<(), Error> {
    let epoch = membership.epoch.get();
    let record = proven.record(&state_key::EPOCH.key(epoch), || format!("epoch {epoch}"))?;
    let hash = Digest::sha256(record);
    if hash == membership.record {
        return Ok(());
    }
    let parsed: Option<Epoch> = serde_json::from_slice(record).ok();
    if let Some(Epoch { revoked_at: Some(at), .. }) = parsed.as_ref() {
        let unrevoked = parsed.as_ref().map(|epoch| Epoch { revoked_at: None, ..epoch.clone() });
        // As the contract wrote it before: compact JSON of the same record.
        let bytes = serde_json::to_vec(&unrevoked).map_err(|error| unreadable("epoch", &error))?;
        if Digest::sha256(&bytes) == membership.record {
            return Err(Refusal::EpochRevoked { epoch, at: *at }.into());
        }
    }
    Err(Refusal::EpochNotPinned { epoch, hash: hex::encode(hash.as_bytes()) }.into())
}

/// The record of a key whose state allows the operation.
fn usable_key(proven: &Proven, key_id: KeyId, operation: &Operation) -> Result<KeyRecord, Error> {
    let (record, _) = key_record(proven, key_id)?;
    let allowed = match operation {
        Operation::PublicDecrypt(_) | Operation::UserDecrypt(_) => record.state.allows_decryption(),
        Operation::VerifyInput(_) => record.state.allows_inputs(),
        // A key changes hands whatever its owner does with it meanwhile, unless it is gone.
        Operation::KeyGen(KeyGen { source: KeySource::Takeover { .. }, .. }) => {
            record.state != KeyState::Destroyed
        }
        Operation::KeyGen(_) | Operation::CrsGen(_) => true,
    };
    match allowed {
        true => Ok(record),
        false => Err(Refusal::KeyState { key_id: key_id.get(), state: record.state }.into()),
    }
}

fn key_record(proven: &Proven, key_id: KeyId) -> Result<(KeyRecord, Digest), Error> {
    let stored = proven.record(&state_key::KEY.key(key_id.get()), || format!("key {key_id}"))?;
    Ok((parsed("key", stored)?, Digest::sha256(stored)))
}

fn reference_string(proven: &Proven, operation: &Operation) -> Result<Option<CrsRecord>, Error> {
    let Operation::VerifyInput(asked) = operation else { return Ok(None) };
    let id = asked.crs_id;
    let stored = proven.record(&state_key::CRS.key(id.get()), || format!("reference string {id}"))?;
    parsed("reference string", stored).map(Some)
}

/// A record that the contract wrote. One that does not parse is of a version that this core does not know.
fn parsed<T: DeserializeOwned>(record: &str, stored: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(stored).map_err(|error| unreadable(record, &error))
}

fn unreadable(record: &str, error: &dyn std::error::Error) -> Error {
    Error::internal(&format!("reading a proven {record}"), error)
}
