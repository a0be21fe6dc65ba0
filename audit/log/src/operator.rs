//! What each operator has done, from the log.

use cosmwasm_std::Uint128;
use kms_asc_api::{EpochId, Outcome, PartyId, State};
use serde::Serialize;

use crate::{Ledger, Request};

/// One operator's record in one epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperatorRecord {
    /// The epoch.
    pub epoch: EpochId,
    /// The party.
    pub party: PartyId,
    /// Its name.
    pub name: String,
    /// Requests that it answered in time.
    pub answered: u64,
    /// Requests that it said in time it cannot answer.
    pub failed: u64,
    /// Requests to which it spoke when that did not count any more: past the end, or decided by others.
    pub late: u64,
    /// Requests that ended and to which it has said nothing; those of a revoked epoch do not count.
    pub missed: u64,
    /// Requests for which it signed two different receipts.
    pub equivocated: u64,
    /// Requests that wait for it now.
    pub open: u64,
    /// What it has been credited with.
    pub earned: Uint128,
}

impl Ledger {
    /// The record of every party of every epoch, by epoch and party.
    pub fn operators(&self) -> Vec<OperatorRecord> {
        let parties = self
            .epochs
            .values()
            .flat_map(|epoch| epoch.parties.iter().map(|party| (epoch.id, party.party, party.name.clone())));
        parties.map(|(epoch, party, name)| self.operator(epoch, party, name)).collect()
    }

    fn operator(&self, epoch: EpochId, party: PartyId, name: String) -> OperatorRecord {
        let mut record = OperatorRecord {
            epoch,
            party,
            name,
            answered: 0,
            failed: 0,
            late: 0,
            missed: 0,
            equivocated: 0,
            open: 0,
            earned: Uint128::zero(),
        };
        for request in self.requests.values().filter(|request| request.body.epoch == Some(epoch)) {
            self.count(&mut record, request);
        }
        record
    }

    fn count(&self, record: &mut OperatorRecord, request: &Request) {
        let revoked = || {
            let revoked_at = self.epochs.get(&record.epoch).and_then(|epoch| epoch.revoked_at);
            revoked_at.is_some_and(|at| at <= request.status.time)
        };
        let counter = match request.said.get(&record.party) {
            Some(said) if said.late => Some(&mut record.late),
            Some(said) if said.outcome == Outcome::Answer => Some(&mut record.answered),
            Some(_) => Some(&mut record.failed),
            None if request.status.state == State::Pending => Some(&mut record.open),
            None if revoked() => None,
            None => Some(&mut record.missed),
        };
        if let Some(counter) = counter {
            *counter = counter.saturating_add(1);
        }
        if request.status.equivocated & record.party.bit() != 0 {
            record.equivocated = record.equivocated.saturating_add(1);
        }
        let credits = request.ending.iter().flat_map(|ending| &ending.credits);
        for credit in credits.filter(|credit| credit.party == record.party) {
            record.earned = record.earned.saturating_add(credit.amount);
        }
    }
}
