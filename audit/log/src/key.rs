//! Keys, reference strings and grants.

use std::collections::BTreeSet;

use kms_asc_api::log::{LogBody, LogEntry};
use kms_asc_api::{
    CrsGen, CrsRecord, CrsSource, Digest, EpochId, EvmAddress, GrantRecord, KeyDigest, KeyGen, KeyId,
    KeyRecord, KeySource, KeyState, Operation, RequestId, State, payload,
};

use crate::error::{rule, same};
use crate::ledger::{by, exists, unknown};
use crate::replay::Due;
use crate::{Ledger, Request, Violation};

impl Ledger {
    /// A fulfilled request made something.
    pub(crate) fn activate(&mut self, entry: &LogEntry, id: RequestId) -> Result<Vec<Due>, Violation> {
        let request = self.request(id)?.clone();
        same("the request's state", &request.status.state, &State::Fulfilled)?;
        let at = (request.status.height, request.status.time);
        same("the block", &(entry.height, entry.time), &at)?;
        let epoch = request.body.epoch.ok_or(Violation::Rule("nobody has to answer a denied request"))?;
        match (&entry.body, &request.body.operation) {
            (LogBody::KeyActivated { key }, Operation::KeyGen(op)) => {
                self.key_activated(key, op, &request, epoch)?;
            }
            (LogBody::KeyTakenOver { key }, Operation::KeyGen(op)) => {
                let KeySource::Takeover { key_id } = &op.source else {
                    return Err(Violation::Rule("no takeover was asked for"));
                };
                let old = self.key(*key_id)?;
                rule(old.epoch < epoch, "a key moves to newer operators only")?;
                rule(old.state != KeyState::Destroyed, "a destroyed key stays where it is")?;
                let expected = KeyRecord { epoch, ..old.clone() };
                self.replace(key, expected)?;
            }
            (LogBody::CrsActivated { crs }, Operation::CrsGen(op)) => {
                self.crs_activated(crs, op, &request, epoch)?;
            }
            _ => return Err(Violation::Rule("the request made something else")),
        }
        Ok(vec![])
    }

    fn key_activated(
        &mut self,
        key: &KeyRecord,
        op: &KeyGen,
        request: &Request,
        epoch: EpochId,
    ) -> Result<(), Violation> {
        let id = KeyId::from(request.body.id);
        let domain = self.config.key_domain.for_key(&self.chain_id, &self.contract, id);
        let expected = KeyRecord {
            id,
            state: KeyState::Active,
            epoch,
            owner: request.body.requester.clone(),
            generation: 1,
            params: op.params,
            imported: op.source != KeySource::Generate,
            digests: key.digests.clone(),
            domain: domain.map_err(Violation::Rule)?,
            attesters: vec![],
            attester_threshold: 0,
            crs_ids: vec![],
            offered_to: None,
            height: request.status.height,
            time: request.status.time,
        };
        same("the key", key, &expected)?;
        if let KeySource::Import { digests } = &op.source {
            same("the imported parts", &key.digests, digests)?;
        }
        self.check_digests(request, &key.digests)?;
        for part in &key.digests {
            self.reserve(part.digest, request.body.id)?;
        }
        self.own_domain(key.domain.separator(), id)?;
        match self.keys.insert(id, key.clone()) {
            None => Ok(()),
            Some(_) => Err(exists("key", id)),
        }
    }

    /// The record holds what the deciding payload says.
    fn check_digests(&self, request: &Request, digests: &[KeyDigest]) -> Result<(), Violation> {
        let decided = request.ending.as_ref().and_then(|ending| ending.payload_digest);
        let said = Digest::sha256(&payload::encode_key_digests(digests));
        same("the digest of the parts", &Some(said), &decided)
    }

    fn crs_activated(
        &mut self,
        crs: &CrsRecord,
        op: &CrsGen,
        request: &Request,
        epoch: EpochId,
    ) -> Result<(), Violation> {
        let expected = CrsRecord {
            id: request.body.id.into(),
            epoch,
            owner: request.body.requester.clone(),
            max_bits: op.max_bits,
            imported: op.source != CrsSource::Generate,
            digest: crs.digest,
            height: request.status.height,
            time: request.status.time,
        };
        same("the reference string", crs, &expected)?;
        if let CrsSource::Import { digest } = &op.source {
            same("the imported string", &crs.digest, digest)?;
        }
        let decided = request.ending.as_ref().and_then(|ending| ending.payload_digest);
        same("the payload's digest", &Some(Digest::sha256(crs.digest.as_bytes())), &decided)?;
        self.reserve(crs.digest, request.body.id)?;
        match self.crs.insert(crs.id, crs.clone()) {
            None => Ok(()),
            Some(_) => Err(exists("reference string", crs.id)),
        }
    }

    fn reserve(&mut self, digest: Digest, id: RequestId) -> Result<(), Violation> {
        match self.digests.insert(digest, id) {
            Some(first) if first != id => Err(exists("digest", digest)),
            _ => Ok(()),
        }
    }

    pub(crate) fn own_domain(&mut self, separator: Digest, key: KeyId) -> Result<(), Violation> {
        match self.domains.insert(separator, key) {
            None => Ok(()),
            Some(_) => Err(exists("domain", separator)),
        }
    }

    /// The key's owner, or whom it was offered to, changes its record.
    pub(crate) fn change_key(&mut self, entry: &LogEntry) -> Result<(), Violation> {
        let (key, expected) = match &entry.body {
            LogBody::KeyStateSet { key } => {
                let old = self.key(key.id)?;
                rule(key.state.may_follow(old.state), "this state does not follow that one")?;
                (key, KeyRecord { state: key.state, ..old.clone() })
            }
            LogBody::KeyOffered { key } => {
                let old = self.usable(key.id)?;
                let to = key.offered_to.as_ref().ok_or(Violation::Rule("the key is offered to nobody"))?;
                rule(*to != old.owner, "the key is offered to its owner")?;
                (key, KeyRecord { offered_to: Some(to.clone()), ..old.clone() })
            }
            LogBody::KeyAccepted { key } => return self.key_accepted(&entry.actor, key),
            LogBody::AttestersSet { key } => {
                attesters(&key.attesters, key.attester_threshold)?;
                let (attesters, attester_threshold) = (key.attesters.clone(), key.attester_threshold);
                (key, KeyRecord { attesters, attester_threshold, ..self.usable(key.id)?.clone() })
            }
            LogBody::CrsAllowed { key } => {
                let distinct: BTreeSet<_> = key.crs_ids.iter().collect();
                let well_formed = distinct.len() == key.crs_ids.len() && distinct.len() <= 8;
                rule(well_formed, "at most 8 distinct reference strings are allowed")?;
                for id in &key.crs_ids {
                    rule(self.crs.contains_key(id), "a reference string does not exist")?;
                }
                (key, KeyRecord { crs_ids: key.crs_ids.clone(), ..self.usable(key.id)?.clone() })
            }
            _ => return Err(Violation::Rule("no key changes")),
        };
        by(&entry.actor, &expected.owner)?;
        self.replace(key, expected)
    }

    fn key_accepted(&mut self, actor: &str, key: &KeyRecord) -> Result<(), Violation> {
        let old = self.usable(key.id)?;
        let to = old.offered_to.clone().ok_or(Violation::Rule("the key was offered to nobody"))?;
        by(actor, &to)?;
        let expected = KeyRecord {
            owner: to,
            generation: old.generation.checked_add(1).ok_or(Violation::Amount)?,
            attesters: vec![],
            attester_threshold: 0,
            crs_ids: vec![],
            offered_to: None,
            ..old.clone()
        };
        self.replace(key, expected)
    }

    /// A key that can still change hands and trust.
    fn usable(&self, id: KeyId) -> Result<&KeyRecord, Violation> {
        let key = self.key(id)?;
        rule(key.state != KeyState::Destroyed, "the key is destroyed")?;
        Ok(key)
    }

    fn replace(&mut self, key: &KeyRecord, expected: KeyRecord) -> Result<(), Violation> {
        same("the key", key, &expected)?;
        self.keys.insert(key.id, expected);
        Ok(())
    }

    /// A key's owner trusts somebody, or trusts him no longer.
    pub(crate) fn change_grant(&mut self, entry: &LogEntry) -> Result<(), Violation> {
        match &entry.body {
            LogBody::Granted { grant } => {
                let key = self.usable(grant.key_id)?;
                by(&entry.actor, &key.owner)?;
                let (height, time) = (entry.height, entry.time);
                let expected = GrantRecord { generation: key.generation, height, time, ..grant.clone() };
                same("the grant", grant, &expected)?;
                rule(grant.until.is_none_or(|until| until >= time), "the grant is over before it begins")?;
                self.grants.insert((grant.key_id, grant.grantee.clone()), grant.clone());
                Ok(())
            }
            LogBody::Revoked { grant } => {
                by(&entry.actor, &self.key(grant.key_id)?.owner)?;
                let old = self.grants.remove(&(grant.key_id, grant.grantee.clone()));
                same("the grant", grant, &old.ok_or_else(|| unknown("grant of", &grant.grantee))?)
            }
            _ => Err(Violation::Rule("no grant changes")),
        }
    }
}

fn attesters(given: &[EvmAddress], threshold: u32) -> Result<(), Violation> {
    let distinct: BTreeSet<_> = given.iter().map(EvmAddress::as_bytes).collect();
    let zero = distinct.contains(&[0; 20]);
    rule(distinct.len() == given.len() && given.len() <= 32 && !zero, "at most 32 distinct attesters")?;
    let count = u32::try_from(given.len()).map_err(|_| Violation::Amount)?;
    let fits = if given.is_empty() { threshold == 0 } else { (1..=count).contains(&threshold) };
    rule(fits, "the threshold does not fit the attesters")
}
