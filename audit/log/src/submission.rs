//! Requests as they come in.

use cosmwasm_std::Uint128;
use kms_asc_api::log::{LogBody, LogEntry};
use kms_asc_api::{
    CrsGen, CrsSource, DenialReason, Digest, Eip712Domain, EpochId, EpochMode, KeyGen, KeyId, KeyRecord,
    KeySource, KeyState, Operation, OperationKind, Provenance, RequestBody, RequestId, State, Status,
    price_of, request_hash,
};

use crate::error::{rule, same};
use crate::ledger::{by, exists, unknown};
use crate::replay::{Bodies, Due};
use crate::{Ledger, Request, Violation};

const DAY: u64 = 86_400;

/// What both kinds of entry say.
struct Said {
    operation: OperationKind,
    key_id: Option<KeyId>,
    price: Uint128,
    deadline: Option<u64>,
    epoch: Option<EpochId>,
    hash: Digest,
    reason: Option<DenialReason>,
}

impl Said {
    fn of(body: &LogBody) -> Option<Self> {
        match body {
            LogBody::RequestSubmitted { operation, key_id, price, deadline, epoch, request_hash } => {
                Some(Self {
                    operation: *operation,
                    key_id: *key_id,
                    price: *price,
                    deadline: Some(*deadline),
                    epoch: Some(*epoch),
                    hash: *request_hash,
                    reason: None,
                })
            }
            LogBody::RequestDenied { operation, key_id, price, deadline, epoch, request_hash, reason } => {
                Some(Self {
                    operation: *operation,
                    key_id: *key_id,
                    price: *price,
                    deadline: *deadline,
                    epoch: *epoch,
                    hash: *request_hash,
                    reason: Some(*reason),
                })
            }
            _ => None,
        }
    }
}

impl Ledger {
    /// A new request, accepted or denied.
    pub(crate) fn submit(
        &mut self,
        entry: &LogEntry,
        id: RequestId,
        bodies: Bodies<'_>,
    ) -> Result<Vec<Due>, Violation> {
        let said = Said::of(&entry.body).ok_or(Violation::Rule("no request is submitted"))?;
        same("the request's id", &id, &self.next_id())?;
        rule(!self.paused, "the contract is paused")?;
        let bytes = bodies(id).ok_or(Violation::NoBody(id))?;
        same("the body's hash", &request_hash(&bytes), &said.hash)?;
        let body = RequestBody::parse(&bytes)?;
        check_body(entry, id, &said, &body)?;
        self.check_reason(entry.time, said.reason, &body)?;
        match said.reason {
            None => self.accept(&body)?,
            Some(_) => self.deny(&body)?,
        }
        let (state, code) = match said.reason {
            None => (State::Pending, 0),
            Some(reason) => (State::Denied, reason.number()),
        };
        let status = Status::new(state, code, entry.height, entry.time);
        let request = Request { body, hash: said.hash, status, said: [].into(), ending: None };
        match self.requests.insert(id, request) {
            None => Ok(vec![]),
            Some(_) => Err(exists("request", id)),
        }
    }

    fn accept(&mut self, body: &RequestBody) -> Result<(), Violation> {
        let config = &self.config;
        let price = price_of(config, &body.operation, body.callback.as_ref());
        same("the price", &body.price, &price.map_err(|_| Violation::Amount)?)?;
        let ttl = body.deadline.and_then(|deadline| deadline.checked_sub(body.time)).unwrap_or(0);
        rule(ttl >= config.ttl_min && ttl <= config.ttl_max, "the time to answer is outside the parameters")?;
        same("the epoch", &body.epoch, &Some(self.answering_epoch(body)?))?;
        let pending = self.pending.entry(body.requester.clone()).or_default();
        *pending = pending.checked_add(1).ok_or(Violation::Amount)?;
        rule(*pending <= config.limits.pending_per_requester, "too many requests of one requester")?;
        self.totals.escrow = self.totals.escrow.checked_add(body.price)?;
        Ok(())
    }

    fn deny(&mut self, body: &RequestBody) -> Result<(), Violation> {
        same("the price", &body.price, &self.config.denial_fee)?;
        same("the epoch and the deadline", &(body.epoch, body.deadline), &(None, None))?;
        self.totals.treasury = self.totals.treasury.checked_add(body.price)?;
        Ok(())
    }

    /// Who holds the key that is used; the newest operators where something new is made.
    fn answering_epoch(&self, body: &RequestBody) -> Result<EpochId, Violation> {
        match &body.operation {
            Operation::KeyGen(_) | Operation::CrsGen(_) => Ok(self.newest_epoch()),
            other => Ok(self.key(other.key_id().ok_or(Violation::Rule("the request uses no key"))?)?.epoch),
        }
    }

    /// What the log shows to stand against a request is a reason to deny it, and the only ones that can be told
    /// from the log alone.
    fn check_reason(
        &self,
        now: u64,
        reason: Option<DenialReason>,
        body: &RequestBody,
    ) -> Result<(), Violation> {
        if let Some(key_id) = body.operation.key_id() {
            self.key(key_id)?;
        }
        if let Operation::VerifyInput(op) = &body.operation
            && !self.crs.contains_key(&op.crs_id)
        {
            return Err(unknown("reference string", op.crs_id));
        }
        if let Some(callback) = &body.callback {
            let most = self.config.limits.callback_gas;
            rule((1..=most).contains(&callback.gas_limit), "a callback's gas is over the limit")?;
        }
        let found = self.objections(now, body)?;
        match reason {
            None => same("what stands against the request", &found, &vec![]),
            // Evidence and signatures are not in the log.
            Some(DenialReason::Permission | DenialReason::Provenance | DenialReason::UserSignature) => Ok(()),
            Some(reason) => rule(found.contains(&reason), "the reason does not hold"),
        }
    }

    fn objections(&self, now: u64, body: &RequestBody) -> Result<Vec<DenialReason>, Violation> {
        let mut found = Vec::new();
        if self.epoch(self.answering_epoch(body)?)?.revoked_at.is_some() {
            found.push(DenialReason::EpochRevoked);
        }
        let (key, domain) = match &body.operation {
            Operation::KeyGen(op) => return self.key_gen_objections(found, op, body),
            Operation::CrsGen(op) => return self.crs_gen_objections(found, op),
            Operation::PublicDecrypt(op) => (self.key(op.key_id)?, &op.domain),
            Operation::UserDecrypt(op) => {
                let end = op.valid_days.checked_mul(DAY).and_then(|days| op.valid_from.checked_add(days));
                if now < op.valid_from || end.is_none_or(|end| now >= end) {
                    found.push(DenialReason::Window);
                }
                (self.key(op.key_id)?, &op.domain)
            }
            Operation::VerifyInput(op) => {
                let key = self.key(op.key_id)?;
                if !key.crs_ids.contains(&op.crs_id) {
                    found.push(DenialReason::CrsNotAllowed);
                }
                (key, &op.domain)
            }
        };
        let inputs = body.operation.kind() == OperationKind::VerifyInput;
        if !(if inputs { key.state.allows_inputs() } else { key.state.allows_decryption() }) {
            found.push(DenialReason::KeyState);
        }
        if !domain.as_ref().is_none_or(|domain| self.owns(key.id, domain)) {
            found.push(DenialReason::Domain);
        }
        let unproven = |c: &kms_asc_api::Ciphertext| c.provenance == Provenance::Unproven;
        if body.operation.ciphertexts().iter().any(unproven) && !self.trusts(key, &body.requester, now) {
            found.push(DenialReason::Permission);
        }
        Ok(found)
    }

    fn owns(&self, key: KeyId, domain: &Eip712Domain) -> bool {
        self.domains.get(&domain.separator()) == Some(&key)
    }

    /// Whether somebody is the key's owner or holds his grant.
    fn trusts(&self, key: &KeyRecord, who: &str, now: u64) -> bool {
        let grant = self.grants.get(&(key.id, who.to_owned()));
        key.owner == who || grant.is_some_and(|grant| grant.holds(key.generation, now))
    }

    fn key_gen_objections(
        &self,
        mut found: Vec<DenialReason>,
        op: &KeyGen,
        body: &RequestBody,
    ) -> Result<Vec<DenialReason>, Violation> {
        match &op.source {
            KeySource::Generate => self.may_generate()?,
            KeySource::Import { digests } => {
                if digests.iter().any(|part| self.digests.contains_key(&part.digest)) {
                    found.push(DenialReason::DigestRegistered);
                }
            }
            KeySource::Takeover { key_id } => {
                let key = self.key(*key_id)?;
                same("the parameters", &op.params, &key.params)?;
                rule(key.epoch != self.newest_epoch(), "the newest operators hold the key already")?;
                if key.state == KeyState::Destroyed {
                    found.push(DenialReason::KeyState);
                }
                if key.owner != body.requester {
                    found.push(DenialReason::Permission);
                }
            }
        }
        Ok(found)
    }

    fn crs_gen_objections(
        &self,
        mut found: Vec<DenialReason>,
        op: &CrsGen,
    ) -> Result<Vec<DenialReason>, Violation> {
        match &op.source {
            CrsSource::Generate => self.may_generate()?,
            CrsSource::Import { digest } => {
                if self.digests.contains_key(digest) {
                    found.push(DenialReason::DigestRegistered);
                }
            }
        }
        Ok(found)
    }

    fn may_generate(&self) -> Result<(), Violation> {
        let mode = self.epoch(self.newest_epoch())?.mode;
        rule(mode != EpochMode::Replicated, "a replicated epoch does not generate")
    }
}

/// The body is the one that the entry speaks of.
fn check_body(entry: &LogEntry, id: RequestId, said: &Said, body: &RequestBody) -> Result<(), Violation> {
    same("the body's id", &body.id, &id)?;
    by(&entry.actor, &body.requester)?;
    same("the body's operation", &body.operation.kind(), &said.operation)?;
    same("the body's key", &body.operation.key_id(), &said.key_id)?;
    same("the body's price", &body.price, &said.price)?;
    same("the body's deadline", &body.deadline, &said.deadline)?;
    same("the body's epoch", &body.epoch, &said.epoch)?;
    same("the body's block", &(body.height, body.time), &(entry.height, entry.time))
}
