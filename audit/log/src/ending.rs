//! How requests end, and where their money goes.

use cosmwasm_std::Uint128;
use kms_asc_api::log::{LogBody, LogEntry, PartyCredit};
use kms_asc_api::{
    CrsGen, Digest, FailureCode, KeyGen, KeySource, Operation, OperationKind, Outcome, PartyId, RequestId,
    State, Status, failure_fee_of, operators_share,
};

use crate::answer::{common_code, needed};
use crate::error::{rule, same};
use crate::ledger::by;
use crate::replay::Due;
use crate::{Ending, Ledger, Request, Violation};

/// What an ending gives away, by the rules.
struct Terms {
    state: State,
    code: u8,
    payload_digest: Option<Digest>,
    /// Who is paid, ascending, and how much each.
    paid: (Vec<PartyId>, Uint128),
    /// Whether what is left is the requester's, or the treasury's.
    refunded: bool,
}

impl Terms {
    const fn refund_of_all(state: State, code: u8) -> Self {
        Self { state, code, payload_digest: None, paid: (vec![], Uint128::zero()), refunded: true }
    }
}

impl Ledger {
    /// A request becomes terminal.
    pub(crate) fn end(&mut self, entry: &LogEntry, id: RequestId) -> Result<Vec<Due>, Violation> {
        let request = self.request(id)?;
        rule(request.status.state == State::Pending, "nothing leaves a terminal state")?;
        let terms = self.terms_of_end(entry, request)?;
        let (refund, credits, treasury) = match &entry.body {
            LogBody::RequestFulfilled { refund, credits, treasury, .. }
            | LogBody::RequestFailed { refund, credits, treasury, .. }
            | LogBody::RequestExpired { refund, credits, treasury }
            | LogBody::RequestCancelled { refund, credits, treasury } => {
                let own = credits.iter().map(|credit| self.without_address(id, credit));
                (*refund, own.collect::<Result<Vec<_>, _>>()?, *treasury)
            }
            _ => return Err(Violation::Rule("nothing ends")),
        };
        same("who is credited how much", &credits, &self.credits_of(request, &terms)?)?;
        let count = u128::try_from(credits.len()).map_err(|_| Violation::Amount)?;
        let price = request.body.price;
        let rest = price.checked_sub(terms.paid.1.checked_mul(Uint128::new(count))?)?;
        let expected = if terms.refunded { (rest, Uint128::zero()) } else { (Uint128::zero(), rest) };
        same("refund and treasury", &(refund, treasury), &expected)?;
        let due = due_after(request, terms.state);
        self.settle(id, price, &credits, treasury)?;
        let request = self.request_mut(id)?;
        let status = &mut request.status;
        (status.state, status.code) = (terms.state, terms.code);
        (status.height, status.time) = (entry.height, entry.time);
        if terms.state == State::Fulfilled {
            status.winner = credits.first().map_or(0, |credit| credit.party.get());
        }
        request.ending = Some(Ending {
            payload_digest: terms.payload_digest,
            refund,
            refund_credited: false,
            credits,
            treasury,
            callback_failed: false,
        });
        Ok(due)
    }

    fn settle(
        &mut self,
        id: RequestId,
        price: Uint128,
        credits: &[PartyCredit],
        treasury: Uint128,
    ) -> Result<(), Violation> {
        self.totals.escrow = self.totals.escrow.checked_sub(price)?;
        self.totals.treasury = self.totals.treasury.checked_add(treasury)?;
        for credit in credits {
            let payout = self.payout(id, credit.party)?;
            self.credit(&payout, credit.amount)?;
        }
        let requester = self.request(id)?.body.requester.clone();
        match self.pending.get_mut(&requester) {
            Some(count) if *count > 1 => *count = count.saturating_sub(1),
            Some(_) => drop(self.pending.remove(&requester)),
            None => return Err(Violation::Rule("the requester has nothing pending")),
        }
        Ok(())
    }

    fn terms_of_end(&self, entry: &LogEntry, request: &Request) -> Result<Terms, Violation> {
        let over = self.is_over(request, entry.time)?;
        let revoked_at = self.epoch_of(request)?.revoked_at;
        let effective = request.status.effective(request.body.deadline, revoked_at, entry.time);
        match &entry.body {
            LogBody::RequestFulfilled { payload_digest, credits, .. } => {
                rule(!over, "an answer in time decides")?;
                self.fulfilled(request, *payload_digest, credits)
            }
            LogBody::RequestFailed { code, .. } if over => {
                same("the state", &State::Failed, &effective)?;
                same("the code", code, &FailureCode::KeyUnavailable)?;
                Ok(Terms::refund_of_all(State::Failed, code.number()))
            }
            LogBody::RequestFailed { code, .. } => self.failed(request, *code),
            LogBody::RequestExpired { .. } => {
                same("the state", &State::Expired, &effective)?;
                Ok(Terms::refund_of_all(State::Expired, 0))
            }
            LogBody::RequestCancelled { .. } => {
                same("the state", &State::Cancelled, &effective)?;
                Ok(Terms::refund_of_all(State::Cancelled, 0))
            }
            _ => Err(Violation::Rule("nothing ends")),
        }
    }

    /// The operators' share in equal parts to those who decided, who answered and are enough.
    fn fulfilled(
        &self,
        request: &Request,
        payload_digest: Option<Digest>,
        credits: &[PartyCredit],
    ) -> Result<Terms, Violation> {
        let kind = request.body.operation.kind();
        let needed = needed(self.epoch_of(request)?, kind);
        let each_his_own = kind == OperationKind::UserDecrypt;
        rule(payload_digest.is_none() == each_his_own, "a digest is given where payloads are equal")?;
        let parties: Vec<PartyId> = credits.iter().map(|credit| credit.party).collect();
        rule(parties.is_sorted_by(|a, b| a < b), "parties are in ascending order")?;
        let answered: Vec<PartyId> = Status::parties(request.status.answered).collect();
        rule(parties.iter().all(|party| answered.contains(party)), "only who answered is paid")?;
        let count = u32::try_from(parties.len()).map_err(|_| Violation::Amount)?;
        rule(count == needed, "as many as decide are paid")?;
        let body = &request.body;
        let share = operators_share(&self.config, body.price, body.callback.as_ref());
        let share = share.map_err(|_| Violation::Amount)?;
        let each = share.checked_div(u128::from(count).into()).map_err(|_| Violation::Amount)?;
        let paid = (parties, each);
        Ok(Terms { state: State::Fulfilled, code: 0, payload_digest, paid, refunded: false })
    }

    /// A fee to each who found the requester's input wrong, if they alone decide.
    fn failed(&self, request: &Request, code: FailureCode) -> Result<Terms, Violation> {
        let epoch = self.epoch_of(request)?;
        let kind = request.body.operation.kind();
        let parties = u32::try_from(epoch.parties.len()).map_err(|_| Violation::Amount)?;
        let status = &request.status;
        let silent = parties.saturating_sub(status.heard().count_ones());
        let answered = status.answered.count_ones();
        let alike = if kind == OperationKind::UserDecrypt { answered } else { answered.min(1) };
        rule(silent.saturating_add(alike) < needed(epoch, kind), "it can still be decided")?;
        same("the code", &code, &common_code(request))?;
        let found = |party: &PartyId| {
            let outcome = request.said.get(party).map(|said| said.outcome);
            matches!(outcome, Some(Outcome::Failure(code)) if code.is_requesters_fault())
        };
        let finders: Vec<PartyId> = Status::parties(status.failed).filter(found).collect();
        let count = u32::try_from(finders.len()).map_err(|_| Violation::Amount)?;
        let finders = if count >= epoch.majority { finders } else { vec![] };
        let body = &request.body;
        let fee = failure_fee_of(&self.config, body.price, body.callback.as_ref(), parties);
        let paid = (finders, fee.map_err(|_| Violation::Amount)?);
        Ok(Terms { paid, ..Terms::refund_of_all(State::Failed, code.number()) })
    }

    fn credits_of(&self, request: &Request, terms: &Terms) -> Result<Vec<PartyCredit>, Violation> {
        let epoch = self.epoch_of(request)?;
        let (parties, amount) = &terms.paid;
        let credit = |party: &PartyId| {
            rule(epoch.party(*party).is_some(), "only operators are credited")?;
            Ok(PartyCredit::new(*party, *amount))
        };
        parties.iter().map(credit).collect()
    }

    /// Entries of version 0.1.0 repeat the address that the epoch says.
    fn without_address(&self, id: RequestId, credit: &PartyCredit) -> Result<PartyCredit, Violation> {
        if let Some(address) = &credit.address {
            same("who is credited", address, &self.payout(id, credit.party)?)?;
        }
        Ok(PartyCredit::new(credit.party, credit.amount))
    }

    /// Where an operator's earnings go: the epoch that answers says it.
    fn payout(&self, id: RequestId, party: PartyId) -> Result<String, Violation> {
        let epoch = self.epoch_of(self.request(id)?)?;
        let record = epoch.party(party).ok_or(Violation::Rule("only operators are credited"))?;
        Ok(record.payout.clone())
    }

    /// What can come of a refund and of a callback, in the block of the end.
    pub(crate) fn after_end(&mut self, entry: &LogEntry, id: RequestId) -> Result<Vec<Due>, Violation> {
        by(&entry.actor, &self.contract)?;
        let request = self.request_mut(id)?;
        let (at, now) = ((request.status.height, request.status.time), (entry.height, entry.time));
        let ending = request.ending.as_mut().ok_or(Violation::Rule("the request has not ended"))?;
        same("the block", &now, &at)?;
        match &entry.body {
            LogBody::RefundCredited { address, amount } => {
                same("the address", address, &request.body.requester)?;
                same("the amount", amount, &ending.refund)?;
                rule(!ending.refund_credited && !amount.is_zero(), "a refund is credited once")?;
                ending.refund_credited = true;
                self.credit(address, *amount)?;
            }
            LogBody::CallbackFailed { .. } => {
                rule(request.body.callback.is_some(), "no callback was asked for")?;
                rule(!ending.callback_failed, "a callback is made once")?;
                ending.callback_failed = true;
            }
            _ => return Err(Violation::Rule("nothing comes after an end")),
        }
        Ok(vec![])
    }
}

/// What was made is on record at once.
fn due_after(request: &Request, state: State) -> Vec<Due> {
    let kinds: &'static [&'static str] = match (&request.body.operation, state) {
        (Operation::KeyGen(KeyGen { source: KeySource::Takeover { .. }, .. }), _) => return vec![],
        (Operation::KeyGen(_), State::Fulfilled) => &["key_activated"],
        (Operation::CrsGen(CrsGen { .. }), State::Fulfilled) => &["crs_activated"],
        _ => return vec![],
    };
    vec![Due { kinds, request_id: Some(request.body.id) }]
}
