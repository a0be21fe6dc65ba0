use std::time::{SystemTime, UNIX_EPOCH};

use kms_asc_api::{Digest, FailureCode, RequestBody, request_hash};

use crate::{Error, Identity, Membership};

/// A request that this core has to answer: of its contract, bound to its epoch.
pub(crate) struct Request {
    pub(crate) body: RequestBody,
    pub(crate) hash: Digest,
    /// What this core is in the epoch that the request is bound to.
    pub(crate) membership: Membership,
    deadline: u64,
    half_time: u64,
}

impl Request {
    /// Reads the body as the contract stores it. Everything that is known of the request comes from these bytes.
    pub(crate) fn read(
        identity: &Identity,
        chain_id: &str,
        contract: &str,
        stored: &[u8],
    ) -> Result<Self, Error> {
        check_contract(identity, chain_id, contract)?;
        let body =
            RequestBody::parse(stored).map_err(|error| Error::MalformedBody { reason: error.to_string() })?;
        let membership = body.epoch.and_then(|epoch| identity.membership(epoch)).copied();
        let membership = membership.ok_or_else(|| Error::WrongEpoch {
            given: body.epoch.map(|epoch| epoch.get()),
            served: identity.memberships.iter().map(|own| own.epoch.get()).collect(),
        })?;
        if body.id.get() == 0 {
            return Err(Error::MalformedBody { reason: "id is 0, ids begin with 1".to_owned() });
        }
        let deadline = body.deadline.ok_or_else(|| Error::MalformedBody {
            reason: "an epoch is given and no deadline, they come together".to_owned(),
        })?;
        let half_time = body.half_time().ok_or_else(|| Error::MalformedBody {
            reason: format!("deadline {deadline} lies before the time {} of the request", body.time),
        })?;
        Ok(Self { hash: request_hash(stored), membership, body, deadline, half_time })
    }

    pub(crate) fn id(&self) -> u64 {
        self.body.id.get()
    }

    /// Refuses work whose answer could no longer count, by this machine's clock: a plaintext must not come out of a request
    /// that the requester gets back the money for.
    pub(crate) fn check_deadline(&self) -> Result<(), Error> {
        let now = seconds_now();
        match now < self.deadline {
            true => Ok(()),
            false => Err(Error::DeadlinePassed { deadline: self.deadline, now }),
        }
    }

    /// Refuses to sign a failure that waiting may mend before half of the request's time is over, by this machine's
    /// clock: a failure receipt is final.
    pub(crate) fn check_may_fail_for(&self, code: FailureCode) -> Result<(), Error> {
        let (now, half_time) = (seconds_now(), self.half_time);
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

fn seconds_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
