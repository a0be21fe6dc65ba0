//! What a replay arrives at.

use std::collections::BTreeMap;

use cosmwasm_std::Uint128;
use kms_asc_api::log::{LogHead, PartyCredit};
use kms_asc_api::{
    Config, CrsId, CrsRecord, Digest, Epoch, EpochId, GrantRecord, KeyId, KeyRecord, MigrationRecord,
    Outcome, PartyId, RequestBody, RequestId, Status, Totals,
};

use crate::error::{Violation, same};

/// The contract as its log tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// The chain.
    pub chain_id: String,
    /// The contract's address.
    pub contract: String,
    /// Version of the contract.
    pub version: String,
    /// Id of its code on the chain, and the code's SHA-256.
    pub code: (u64, Digest),
    /// The parameters.
    pub config: Config,
    /// The first key that was asked for after the parameters of domains last changed.
    pub domains_since: KeyId,
    /// Who governs; empty until the log says it, which one that version 0.1.0 began does at its migration.
    pub admin: String,
    /// To whom the office is offered.
    pub proposed_admin: Option<String>,
    /// Whether new requests are refused.
    pub paused: bool,
    /// New code that was announced.
    pub migration: Option<MigrationRecord>,
    /// Sets of operators, dense from 1.
    pub epochs: BTreeMap<EpochId, Epoch>,
    /// Requests, dense from 1.
    pub requests: BTreeMap<RequestId, Request>,
    /// How many requests of an address are pending; none that has none.
    pub pending: BTreeMap<String, u32>,
    /// Keys.
    pub keys: BTreeMap<KeyId, KeyRecord>,
    /// Reference strings.
    pub crs: BTreeMap<CrsId, CrsRecord>,
    /// Grants that were not taken back, void ones included, by key and grantee.
    pub grants: BTreeMap<(KeyId, String), GrantRecord>,
    /// The key that a domain separator belongs to.
    pub domains: BTreeMap<Digest, KeyId>,
    /// The request that registered a digest of published material.
    pub digests: BTreeMap<Digest, RequestId>,
    /// What an address can withdraw; never zero.
    pub credits: BTreeMap<String, Uint128>,
    /// What the contract owes and owns.
    pub totals: Totals,
    /// The head of the log.
    pub head: LogHead,
}

/// A request and what has become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What was asked.
    pub body: RequestBody,
    /// SHA-256 of the body's stored bytes.
    pub hash: Digest,
    /// Where it stands, field by field as it is stored.
    pub status: Status,
    /// What each party has said.
    pub said: BTreeMap<PartyId, Said>,
    /// How its money was given away; absent while pending and if denied.
    pub ending: Option<Ending>,
}

/// What one party has said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Answer or failure.
    pub outcome: Outcome,
    /// Whether it came too late to count.
    pub late: bool,
    /// SHA-256 of the stored response.
    pub hash: Digest,
}

/// How a request's price was given away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// Of a payload that decided for all.
    pub payload_digest: Option<Digest>,
    /// What went back to the requester.
    pub refund: Uint128,
    /// Whether the bank refused that, and it became credit.
    pub refund_credited: bool,
    /// What was credited, by party.
    pub credits: Vec<PartyCredit>,
    /// What went to the treasury.
    pub treasury: Uint128,
    /// Whether the requesting contract could not take its answer.
    pub callback_failed: bool,
}

impl Ledger {
    /// The newest set of operators.
    pub fn newest_epoch(&self) -> EpochId {
        self.epochs.keys().next_back().copied().unwrap_or(EpochId(0))
    }

    /// The id that the next request gets.
    pub fn next_id(&self) -> RequestId {
        RequestId(self.requests.keys().next_back().map_or(1, |id| id.get().saturating_add(1)))
    }

    pub(crate) fn request(&self, id: RequestId) -> Result<&Request, Violation> {
        self.requests.get(&id).ok_or_else(|| unknown("request", id))
    }

    pub(crate) fn request_mut(&mut self, id: RequestId) -> Result<&mut Request, Violation> {
        self.requests.get_mut(&id).ok_or_else(|| unknown("request", id))
    }

    pub(crate) fn epoch(&self, id: EpochId) -> Result<&Epoch, Violation> {
        self.epochs.get(&id).ok_or_else(|| unknown("epoch", id))
    }

    pub(crate) fn key(&self, id: KeyId) -> Result<&KeyRecord, Violation> {
        self.keys.get(&id).ok_or_else(|| unknown("key", id))
    }

    /// The epoch that has to answer a request.
    pub(crate) fn epoch_of(&self, request: &Request) -> Result<&Epoch, Violation> {
        self.epoch(request.body.epoch.ok_or(Violation::Rule("nobody has to answer a denied request"))?)
    }

    pub(crate) fn by_admin(&self, actor: &str) -> Result<(), Violation> {
        by(actor, &self.admin)
    }

    pub(crate) fn credit(&mut self, address: &str, amount: Uint128) -> Result<(), Violation> {
        if amount.is_zero() {
            return Ok(());
        }
        self.totals.credits = self.totals.credits.checked_add(amount)?;
        let credit = self.credits.entry(address.to_owned()).or_default();
        *credit = credit.checked_add(amount)?;
        Ok(())
    }

    pub(crate) fn take_credit(&mut self, address: &str, amount: Uint128) -> Result<(), Violation> {
        let credit = self.credits.remove(address).unwrap_or_default();
        same("the amount", &amount, &credit)?;
        self.totals.credits = self.totals.credits.checked_sub(credit)?;
        Ok(())
    }
}

pub fn unknown(what: &'static str, id: impl ToString) -> Violation {
    Violation::Unknown { what, id: id.to_string() }
}

pub fn exists(what: &'static str, id: impl ToString) -> Violation {
    Violation::Exists { what, id: id.to_string() }
}

/// Refuses anybody else.
pub fn by(actor: &str, allowed: &str) -> Result<(), Violation> {
    if actor == allowed {
        return Ok(());
    }
    Err(Violation::Actor { given: actor.to_owned(), allowed: allowed.to_owned() })
}
