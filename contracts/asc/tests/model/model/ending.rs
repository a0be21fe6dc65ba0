//! Decisions, `close`, refunds and callbacks.

use std::collections::BTreeMap;

use kms_asc_api::{
    CloseOutcome, CrsId, CrsRecord, CrsSource, Epoch, EpochMode, KeyId, KeyRecord, KeySource, KeyState,
    Operation, RequestId, State,
};

use super::answers::parts_of;
use super::{Model, Request};
use crate::world::{self, APP, CONTRACT, address};

const FAULTS_OF_REQUESTERS: [u32; 6] = [2, 3, 4, 6, 7, 9];

impl Model {
    fn epoch_of(&self, request: &Request) -> &Epoch {
        self.epoch(request.body.epoch.unwrap().get()).unwrap()
    }

    /// Ends the request if what was said decides it.
    pub fn decide(&mut self, id: u64) {
        let request = self.request(id).unwrap();
        let epoch = self.epoch_of(request).clone();
        let counted: Vec<_> = request.answers.iter().filter(|(_, answer)| !answer.late).collect();
        let user = matches!(request.operation(), Operation::UserDecrypt(_));
        let mut groups: BTreeMap<Vec<u8>, Vec<u32>> = BTreeMap::new();
        let mut codes: BTreeMap<u32, u32> = BTreeMap::new();
        let mut finders = Vec::new();
        for (party, answer) in &counted {
            if answer.outcome == 0 {
                let alike = if user { vec![] } else { answer.payload.clone() };
                groups.entry(alike).or_default().push(**party);
            } else {
                *codes.entry(answer.outcome).or_default() += 1;
                if FAULTS_OF_REQUESTERS.contains(&answer.outcome) {
                    finders.push(**party);
                }
            }
        }
        let whole = epoch.mode == EpochMode::Replicated;
        let needed = if user && !whole { epoch.reconstruction } else { epoch.majority };
        let needed = usize::try_from(needed).unwrap();
        let silent = epoch.parties.len() - counted.len();
        let largest = groups.values().max_by_key(|parties| parties.len()).cloned().unwrap_or_default();
        if largest.len() >= needed {
            self.fulfil(id, &epoch, &largest);
        } else if largest.len() + silent < needed {
            let most = codes.values().max().copied().unwrap_or(0);
            let code = codes.iter().find(|(_, votes)| **votes == most).map_or(12, |(code, _)| *code);
            let enough = finders.len() >= usize::try_from(epoch.majority).unwrap();
            self.fail(id, &epoch, u8::try_from(code).unwrap(), if enough { &finders } else { &[] });
        }
    }

    /// What all operators together get of a price.
    fn share(&self, request: &Request) -> u128 {
        let price = request.body.price.u128();
        let callback = self.callback_price(request.body.callback.as_ref().map(|c| c.gas_limit)).min(price);
        (price - callback) * u128::from(self.config.operator_share_bps) / 10_000 + callback
    }

    fn fulfil(&mut self, id: u64, epoch: &Epoch, parties: &[u32]) {
        let request = self.request(id).unwrap();
        let (price, operation) = (request.body.price.u128(), request.operation().clone());
        let payload = request.answers[&parties[0]].payload.clone();
        let count = u128::try_from(parties.len()).unwrap();
        let each = self.share(request) / count;
        self.pay_parties(epoch, parties, each);
        self.treasury += price - each * count;
        self.request_mut(id).winner = parties[0];
        self.end(id, State::Fulfilled, 0);
        self.entry("request_fulfilled");
        match operation {
            Operation::KeyGen(op) => match op.source {
                KeySource::Takeover { key_id } => self.take_over(key_id.get(), epoch),
                _ => self.new_key(id, &payload),
            },
            Operation::CrsGen(_) => self.new_crs(id, &payload),
            _ => {}
        }
    }

    fn fail(&mut self, id: u64, epoch: &Epoch, code: u8, finders: &[u32]) {
        let request = self.request(id).unwrap();
        let price = request.body.price.u128();
        let most = self.share(request) / (2 * u128::try_from(epoch.parties.len()).unwrap());
        let fee = self.config.failure_fee.u128().min(most);
        self.pay_parties(epoch, finders, fee);
        self.end(id, State::Failed, code);
        self.entry("request_failed");
        self.after.refunds.push((id, price - fee * u128::try_from(finders.len()).unwrap()));
    }

    fn pay_parties(&mut self, epoch: &Epoch, parties: &[u32], amount: u128) {
        for party in parties {
            let payout = epoch.parties.iter().find(|p| p.party.get() == *party).unwrap().payout.clone();
            self.credit(&payout, amount);
        }
    }

    fn end(&mut self, id: u64, state: State, code: u8) {
        let at = (self.height, self.now);
        let request = self.request_mut(id);
        (request.state, request.codes, request.at) = (state, vec![code], at);
        if request.body.callback.is_some() {
            self.after.callbacks.push(id);
        }
    }

    pub fn close(&mut self, id: u64) -> CloseOutcome {
        let Some(request) = self.request(id) else { return CloseOutcome::UnknownRequest };
        if request.state != State::Pending {
            return CloseOutcome::Already(request.state);
        }
        let (end, deadline) = (request.end(), request.body.deadline.unwrap());
        let (price, epoch) = (request.body.price.u128(), self.epoch_of(request).clone());
        let (state, code, kind) = if epoch.revoked_at.is_some_and(|revoked_at| revoked_at < end) {
            (State::Failed, 5, "request_failed")
        } else if self.now < end {
            return CloseOutcome::NotDue;
        } else if end < deadline {
            (State::Cancelled, 0, "request_cancelled")
        } else {
            (State::Expired, 0, "request_expired")
        };
        self.end(id, state, code);
        self.entry(kind);
        self.after.refunds.push((id, price));
        CloseOutcome::Closed(state)
    }

    /// A refund that the bank refuses is credit.
    pub fn refund(&mut self, id: u64, amount: u128) {
        let to = self.request(id).unwrap().body.requester.clone();
        if amount == 0 {
            return;
        }
        if self.blocked.contains(&to) {
            self.credit(&to, amount);
            self.entry("refund_credited");
        } else {
            self.move_money(&address(CONTRACT), &to, amount);
        }
    }

    pub fn call_back(&mut self, id: u64) {
        if self.app_fails {
            self.entry("callback_failed");
            return;
        }
        let request = self.request(id).unwrap();
        assert_eq!(request.body.requester, address(APP));
        let public = !matches!(request.operation(), Operation::UserDecrypt(_));
        let payload = (request.state == State::Fulfilled && public)
            .then(|| request.answers[&request.winner].payload.clone());
        self.results = (self.results.0 + 1, Some((id, request.state, request.codes[0], payload)));
    }

    fn new_key(&mut self, id: u64, payload: &[u8]) {
        let request = self.request(id).unwrap();
        let Operation::KeyGen(op) = request.operation() else { panic!("a key") };
        let domain = world::default_domain(&self.config, id);
        let separator = domain.separator();
        let key = KeyRecord {
            id: KeyId(id),
            state: KeyState::Active,
            epoch: request.body.epoch.unwrap(),
            owner: request.body.requester.clone(),
            generation: 1,
            params: op.params,
            imported: op.source != KeySource::Generate,
            digests: parts_of(payload),
            domain,
            attesters: vec![],
            attester_threshold: 0,
            crs_ids: vec![],
            offered_to: None,
            height: self.height,
            time: self.now,
        };
        for part in &key.digests {
            self.digests.insert(part.digest, id);
        }
        self.domains.insert(separator, id);
        self.keys.insert(id, key);
        self.entry("key_activated");
    }

    fn take_over(&mut self, key: u64, epoch: &Epoch) {
        let key = self.keys.get_mut(&key).unwrap();
        if key.state != KeyState::Destroyed && key.epoch < epoch.id {
            key.epoch = epoch.id;
            self.entry("key_taken_over");
        }
    }

    fn new_crs(&mut self, id: u64, payload: &[u8]) {
        let request = self.request(id).unwrap();
        let Operation::CrsGen(op) = request.operation() else { panic!("a reference string") };
        let crs = CrsRecord {
            id: CrsId::from(RequestId(id)),
            epoch: request.body.epoch.unwrap(),
            owner: request.body.requester.clone(),
            max_bits: op.max_bits,
            imported: op.source != CrsSource::Generate,
            digest: payload.try_into().unwrap(),
            height: self.height,
            time: self.now,
        };
        self.digests.insert(crs.digest, id);
        self.crs.insert(id, crs);
        self.entry("crs_activated");
    }
}
