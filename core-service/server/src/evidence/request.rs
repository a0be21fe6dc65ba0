use std::time::Duration;

use kms_asc_api::{CrsRecord, Digest, FailureCode, KeyDomain, KeyRecord, RequestBody};
use kms_proofs::Time;

use super::trust::clock;
use crate::{Error, Identity, Membership};

/// A request that this core has to answer: proven to be pending in its contract's state, bound to one of its epochs. Only
/// the judge makes one.
pub(crate) struct Request {
    /// As the contract stores it.
    pub(crate) body: RequestBody,
    /// SHA-256 of the stored bytes.
    pub(crate) hash: Digest,
    /// What this core is in the epoch that the request is bound to.
    pub(crate) membership: Membership,
    /// The proven record of the key that the operation names, if it names one.
    pub(crate) key: Option<KeyRecord>,
    /// The proven record of the reference string that the operation names, if it names one.
    pub(crate) crs: Option<CrsRecord>,
    /// What the domains of new keys consist of, from the proven configuration.
    pub(crate) key_domain: KeyDomain,
    /// The height whose state shows all this.
    pub(crate) proven_at: u64,
    pub(super) end: End,
    pub(super) half_time: u64,
}

/// When an answer no longer counts.
#[derive(Clone, Copy)]
pub(super) struct End {
    /// Seconds of block time: the deadline, or the cancellation if that is earlier.
    pub(super) at: u64,
    /// How long before that no work is begun.
    pub(super) margin: Duration,
}

impl End {
    /// Refuses a moment that is not far enough before the end.
    pub(super) fn check(self, now: Time) -> Result<(), Error> {
        match now.since_epoch().saturating_add(self.margin) < Duration::from_secs(self.at) {
            true => Ok(()),
            false => Err(Error::DeadlinePassed { deadline: self.at, now: now.seconds }),
        }
    }
}

impl Request {
    pub(crate) fn id(&self) -> u64 {
        self.body.id.get()
    }

    /// Refuses work whose answer could no longer count, by this machine's clock: a plaintext must not come out of a request
    /// that the requester gets back the money for.
    pub(crate) fn check_deadline(&self) -> Result<(), Error> {
        self.end.check(clock())
    }

    /// Refuses to sign a failure that waiting may mend before half of the request's time is over, by this machine's
    /// clock: a failure receipt is final.
    pub(crate) fn check_may_fail_for(&self, code: FailureCode) -> Result<(), Error> {
        let (now, half_time) = (clock().seconds, self.half_time);
        if !code.may_mend() || now >= half_time {
            return Ok(());
        }
        match (code, self.body.operation.key_id()) {
            (FailureCode::KeyUnavailable, Some(key)) => {
                Err(Error::KeyUnavailable { key_id: key.get(), half_time })
            }
            _ => Err(Error::TooEarly { code: code.number(), half_time, now }),
        }
    }
}

#[cfg(test)]
impl Request {
    /// A request that nobody judged, with time left: for tests of the work itself.
    pub(crate) fn unjudged(
        body: RequestBody,
        membership: Membership,
        key_domain: KeyDomain,
        key: Option<KeyRecord>,
        crs: Option<CrsRecord>,
    ) -> Self {
        let hash = Digest::sha256(&serde_json::to_vec(&body).unwrap_or_default());
        let (end, half_time) = (End { at: u64::MAX, margin: Duration::ZERO }, u64::MAX);
        Self { body, hash, membership, key, crs, key_domain, proven_at: 1, end, half_time }
    }
}

/// A key that the contract says is destroyed. Only the judge makes one.
pub(crate) struct DestroyedKey {
    /// Its record, in state `destroyed`.
    pub(crate) record: KeyRecord,
    /// SHA-256 of the record's stored bytes.
    pub(crate) record_hash: Digest,
    /// Nobody else can make one.
    pub(super) _judged: (),
}

/// This machine's clock, in seconds since 1970.
pub(crate) fn seconds_now() -> u64 {
    clock().seconds
}

/// Refuses calls that are meant for another core.
pub(crate) fn check_contract(identity: &Identity, chain_id: &str, contract: &str) -> Result<(), Error> {
    if chain_id == identity.chain_id && contract == identity.contract {
        return Ok(());
    }
    Err(Error::WrongContract {
        given_chain: chain_id.to_owned(),
        given_contract: contract.to_owned(),
        chain: identity.chain_id.clone(),
        contract: identity.contract.clone(),
    })
}
