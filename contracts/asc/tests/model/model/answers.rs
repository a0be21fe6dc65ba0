//! `submit_responses`, `submit_failures`, `cancel`.

use kms_asc_api::{CrsSource, FailureCode, ItemOutcome, KeySource, KeyType, Operation, RejectReason, State};

use super::{Answer, Check, Faults, ItemExpected, Model, Outcome, Request};
use crate::step::{Item, Said, Sig};
use crate::world;

impl Model {
    pub fn take_in(&mut self, item: &Item, payload: Vec<u8>) -> ItemExpected {
        let mut reasons = malformed(item);
        let Some(request) = self.request(item.request) else {
            reasons.push(RejectReason::UnknownRequest);
            return ItemExpected::RejectedFor(reasons);
        };
        if request.state == State::Denied {
            reasons.push(RejectReason::Denied);
            return ItemExpected::RejectedFor(reasons);
        }
        let epoch = request.body.epoch.unwrap();
        let record = self.epoch(epoch.get()).unwrap();
        if epoch.get() != item.epoch {
            reasons.push(RejectReason::WrongEpoch);
        } else if !record.parties.iter().any(|party| party.party.get() == item.party) {
            reasons.push(RejectReason::UnknownParty);
        }
        if item.receipt != Sig::Right {
            reasons.push(RejectReason::Receipt);
        }
        if !reasons.is_empty() {
            return ItemExpected::RejectedFor(reasons);
        }
        let outcome = if let Said::Failure { code, .. } = item.said { code } else { 0 };
        if let Some(first) = request.answers.get(&item.party) {
            let same = first.outcome == outcome && first.payload == payload;
            return ItemExpected::Is(if same { ItemOutcome::Duplicate } else { self.equivocate(item) });
        }
        let over =
            request.state != State::Pending || self.now >= request.end() || record.revoked_at.is_some();
        if over {
            self.entry("response_late");
            let answer = Answer { outcome, payload, late: true };
            self.request_mut(item.request).answers.insert(item.party, answer);
            return ItemExpected::Is(ItemOutcome::Late);
        }
        let reasons = self.faults_of(item, request, &payload);
        if !reasons.is_empty() {
            return ItemExpected::RejectedFor(reasons);
        }
        self.entry(if outcome == 0 { "response_recorded" } else { "failure_recorded" });
        let answer = Answer { outcome, payload, late: false };
        let request = self.request_mut(item.request);
        request.answers.insert(item.party, answer);
        if std::mem::take(&mut request.cancel_at) != 0 {
            self.entry("cancel_lapsed");
        }
        self.decide(item.request);
        ItemExpected::Is(ItemOutcome::Recorded)
    }

    fn equivocate(&mut self, item: &Item) -> ItemOutcome {
        let request = self.request_mut(item.request);
        let bit = 1 << (item.party - 1);
        if request.equivocated & bit == 0 {
            request.equivocated |= bit;
            self.entry("equivocation");
        }
        ItemOutcome::Equivocation
    }

    /// What is wrong with an item that comes in time.
    fn faults_of(&self, item: &Item, request: &Request, payload: &[u8]) -> Vec<RejectReason> {
        let mut reasons = Vec::new();
        if let Said::Failure { code, index } = item.said {
            let count = u32::try_from(request.operation().ciphertexts().len()).unwrap();
            if index >= count && index != 65_535 {
                reasons.push(RejectReason::Index);
            }
            let ttl = request.body.deadline.unwrap() - request.body.time;
            if [1, 5, 11].contains(&code) && 2 * (self.now - request.body.time) < ttl {
                reasons.push(RejectReason::TooEarly);
            }
            return reasons;
        }
        if matches!(item.said, Said::Huge) {
            reasons.push(RejectReason::PayloadTooLarge);
        }
        if !self.has_form(request, item, payload) {
            reasons.push(RejectReason::Payload);
        }
        let new_digests = match request.operation() {
            Operation::KeyGen(op) if matches!(op.source, KeySource::Takeover { .. }) => vec![],
            Operation::KeyGen(_) if payload.len() == 66 => vec![&payload[1..33], &payload[34..66]],
            Operation::CrsGen(_) => vec![payload],
            _ => vec![],
        };
        if new_digests.iter().any(|new| self.digests.keys().any(|digest| digest.as_bytes() == new)) {
            reasons.push(RejectReason::DigestRegistered);
        }
        if let Operation::KeyGen(op) = request.operation()
            && !matches!(op.source, KeySource::Takeover { .. })
        {
            let own = world::default_domain(&self.config, request.body.id.get()).separator();
            if self.domains.contains_key(&own) {
                reasons.push(RejectReason::DomainRegistered);
            }
        }
        let none = matches!(request.operation(), Operation::VerifyInput(_)) && payload == [0];
        if item.external != if none { Sig::None } else { Sig::Right } {
            reasons.push(RejectReason::ExternalSignature);
        }
        reasons
    }

    fn has_form(&self, request: &Request, item: &Item, payload: &[u8]) -> bool {
        let Said::Answer(number) = item.said else {
            // The digest of something that is known fits where a new one does, and where that very one is asked
            // for; `0x00` is an answer to an input.
            return matches!(item.said, Said::Known) && self.known_has_form(request, payload);
        };
        match request.operation() {
            Operation::KeyGen(op) => op.source == KeySource::Generate || number == 0,
            Operation::CrsGen(op) => op.source == CrsSource::Generate || number == 0,
            _ => true,
        }
    }

    fn known_has_form(&self, request: &Request, payload: &[u8]) -> bool {
        match request.operation() {
            Operation::KeyGen(op) => match &op.source {
                KeySource::Generate => true,
                KeySource::Import { digests } => digests
                    .iter()
                    .zip([1, 34])
                    .all(|(part, at)| payload[at..].starts_with(part.digest.as_bytes())),
                KeySource::Takeover { key_id } => {
                    let parts = &self.keys[&key_id.get()].digests;
                    parts
                        .iter()
                        .zip([1, 34])
                        .all(|(part, at)| payload[at..].starts_with(part.digest.as_bytes()))
                }
            },
            Operation::CrsGen(op) => match &op.source {
                CrsSource::Generate => true,
                CrsSource::Import { digest } => payload == digest.as_bytes(),
            },
            _ => true,
        }
    }

    pub fn cancel(&mut self, who: &str, id: u64) -> Result<Outcome, Faults> {
        let Some(request) = self.request(id) else { return Err(Faults::from(["unknown_request"])) };
        let mut check = Check::default();
        check.fault(request.body.requester != who, "unauthorized");
        if request.state == State::Pending {
            let revoked = self.epoch(request.body.epoch.unwrap().get()).unwrap().revoked_at.is_some();
            let over = self.now >= request.end() || revoked;
            check.fault(over, "not_pending").fault(!over && request.cancel_at != 0, "cancel_pending");
        } else {
            check.fault(true, "not_pending");
        }
        check.done()?;
        let cancel_at = self.now + self.config.cancel_delay;
        self.request_mut(id).cancel_at = cancel_at;
        Ok(self.entry("cancel_requested"))
    }
}

/// What an item's own bytes show to be wrong.
fn malformed(item: &Item) -> Vec<RejectReason> {
    let mut reasons = Vec::new();
    if item.receipt == Sig::Short {
        reasons.push(RejectReason::Receipt);
    }
    if let Said::Failure { code, index } = item.said {
        let known = u8::try_from(code).ok().and_then(|code| FailureCode::try_from(code).ok());
        if known.is_none() || code == 8 || code == 12 {
            reasons.push(RejectReason::UnknownCode);
        }
        if index > 65_535 {
            reasons.push(RejectReason::Index);
        }
    } else if item.external == Sig::Short {
        reasons.push(RejectReason::ExternalSignature);
    }
    reasons
}

/// The digests of a key's parts.
pub fn parts_of(payload: &[u8]) -> Vec<kms_asc_api::KeyDigest> {
    [(KeyType::Server, 1), (KeyType::Public, 34)]
        .map(|(key_type, at)| kms_asc_api::KeyDigest {
            key_type,
            digest: payload[at..at + 32].try_into().unwrap(),
        })
        .to_vec()
}
