//! `submit_request` and `submit_requests`.

use std::collections::{BTreeMap, BTreeSet};

use cosmwasm_std::Uint128;
use kms_asc_api::{
    Callback, Ciphertext, CiphertextFormat, CrsSource, DenialReason, EpochId, EpochMode, FeeSchedule,
    KeyRecord, KeySource, KeyState, Operation, Provenance, RequestBody, RequestId, State,
};

use super::{Check, Faults, Model, Outcome, Request};
use crate::operations::{self, app, input_handle, is_compact};
use crate::step::{self, Ct, Funds, Op, Origin, Source};
use crate::world::{self, APP, CONTRACT, Who, address, wallet};

impl Model {
    /// `times` the same request: all or none.
    pub fn submit(&mut self, sender: Who, request: &step::Asked, times: u8) -> Result<Outcome, Faults> {
        let step::Asked { op, ttl, callback, funds } = request;
        let (ttl, callback, funds) = (*ttl, *callback, *funds);
        let operation = self.operation(op);
        let price = self.price(&operation, callback);
        let prices = price * u128::from(times);
        let sent = match funds {
            Funds::More(more) => prices + more,
            Funds::Less(less) => prices.saturating_sub(less),
            Funds::Exactly | Funds::Other | Funds::Both => prices,
        };
        self.asked = Some((operation.clone(), sent));
        let who = address(sender);
        if self.balances[&who] < sent {
            return Err(Faults::from([""]));
        }
        let mut check = Check::default();
        check.fault(self.paused, "paused");
        let ttl = ttl.unwrap_or(self.config.ttl_default);
        check.fault(ttl < self.config.ttl_min || ttl > self.config.ttl_max, "ttl_out_of_range");
        check.fault(matches!(funds, Funds::Other | Funds::Both), "wrong_funds");
        check.fault(matches!(funds, Funds::Less(_)) && sent < prices, "insufficient_fee");
        if let Some(gas) = callback {
            let refused = gas == 0 || gas > self.config.limits.callback_gas || sender != APP;
            check.fault(refused, "callback_refused");
        }
        self.check_form(&mut check, &operation, op);
        check.done()?;

        let reasons = self.objections(&who, &operation, op);
        let denied = !reasons.is_empty();
        let charged = if denied { self.config.denial_fee.u128() } else { price };
        if !denied {
            let pending = self.requests.iter();
            let pending = pending.filter(|r| r.state == State::Pending && r.body.requester == who).count();
            let most = usize::try_from(self.config.limits.pending_per_requester).unwrap();
            Check::default().with(pending + usize::from(times) > most, "over_limit").done()?;
        }
        if sent > charged * u128::from(times) {
            self.pay_or_refuse(&who)?;
        }
        let state = if denied { State::Denied } else { State::Pending };
        let first = self.next_id();
        for _ in 0..times {
            self.put_on_record(&who, &operation, (ttl, callback), charged, &reasons);
        }
        Ok(Outcome::Requests { first, count: times, state, charged })
    }

    /// One request, denied if there are reasons for that.
    fn put_on_record(
        &mut self,
        who: &str,
        operation: &Operation,
        (ttl, callback): (u64, Option<u64>),
        charged: u128,
        reasons: &[u8],
    ) {
        let denied = !reasons.is_empty();
        self.move_money(who, &address(CONTRACT), charged);
        if denied {
            self.treasury += charged;
        }
        let id = self.next_id();
        let body = RequestBody {
            v: 1,
            id: RequestId(id),
            requester: who.to_owned(),
            epoch: (!denied).then(|| self.answering(operation)),
            operation: operation.clone(),
            price: Uint128::new(charged),
            deadline: (!denied).then_some(self.now + ttl),
            height: self.height,
            time: self.now,
            callback: callback.map(|gas_limit| Callback { gas_limit }),
        };
        let state = if denied { State::Denied } else { State::Pending };
        self.requests.push(Request {
            bytes: serde_json::to_vec(&body).unwrap(),
            body,
            state,
            codes: if denied { reasons.to_vec() } else { vec![0] },
            at: (self.height, self.now),
            cancel_at: 0,
            answers: BTreeMap::new(),
            equivocated: 0,
            winner: 0,
        });
        self.entry(if denied { "request_denied" } else { "request_submitted" });
    }

    fn answering(&self, operation: &Operation) -> EpochId {
        match operation {
            Operation::KeyGen(_) | Operation::CrsGen(_) => self.newest().id,
            other => self.keys[&other.key_id().unwrap().get()].epoch,
        }
    }

    /// Base, ciphertexts, KiB begun of distinct bytes, thousands of gas begun.
    fn price(&self, operation: &Operation, callback: Option<u64>) -> u128 {
        let fees: &FeeSchedule = match operation {
            Operation::KeyGen(_) => &self.config.fees.key_gen,
            Operation::CrsGen(_) => &self.config.fees.crs_gen,
            Operation::PublicDecrypt(_) => &self.config.fees.public_decrypt,
            Operation::UserDecrypt(_) => &self.config.fees.user_decrypt,
            Operation::VerifyInput(_) => &self.config.fees.verify_input,
        };
        let sizes: BTreeMap<_, u64> = operation.ciphertexts().iter().map(|c| (c.digest, c.size)).collect();
        let bytes = match operation {
            Operation::VerifyInput(op) => op.size,
            _ => sizes.values().sum(),
        };
        fees.base.u128()
            + fees.per_ciphertext.u128() * u128::try_from(operation.ciphertexts().len()).unwrap()
            + fees.per_kib.u128() * u128::from(bytes.div_ceil(1024))
            + self.callback_price(callback)
    }

    pub fn callback_price(&self, callback: Option<u64>) -> u128 {
        self.config.per_callback_kgas.u128() * u128::from(callback.unwrap_or(0).div_ceil(1000))
    }

    fn check_form(&self, check: &mut Check, operation: &Operation, op: &Op) {
        if let Some(key) = operation.key_id() {
            check.fault(!self.keys.contains_key(&key.get()), "unknown_key");
        }
        check.fault(matches!(op.domain(), Some(crate::step::Domain::TooLong)), "over_limit");
        match operation {
            Operation::KeyGen(new) => {
                let takeover = matches!(new.source, KeySource::Takeover { .. });
                if let KeySource::Takeover { key_id } = &new.source
                    && let Some(key) = self.keys.get(&key_id.get())
                {
                    check.fault(key.params != new.params, "malformed");
                    check.fault(key.epoch == self.newest().id, "malformed");
                }
                let own = world::default_domain(&self.config, self.next_id()).separator();
                check.fault(!takeover && self.domains.contains_key(&own), "domain_registered");
                check.fault(new.source == KeySource::Generate && self.whole_keys(), "generate_refused");
            }
            Operation::CrsGen(new) => {
                check.fault(new.max_bits == 0 || new.max_bits > 4096, "malformed");
                check.fault(new.source == CrsSource::Generate && self.whole_keys(), "generate_refused");
            }
            Operation::VerifyInput(input) => {
                check.fault(*input.user.as_bytes() == [0; 20] || input.size == 0, "malformed");
                check.fault(input.size > self.config.limits.bytes, "over_limit");
                check.fault(!self.crs.contains_key(&input.crs_id.get()), "unknown_crs");
            }
            Operation::PublicDecrypt(request) => {
                check.fault(request.extra_data.len() > 1024, "over_limit");
                self.check_ciphertexts(check, &request.ciphertexts);
            }
            Operation::UserDecrypt(request) => {
                let Op::User { apps, days, good_key, .. } = op else { panic!("a user decryption") };
                let distinct: BTreeSet<_> = apps.iter().collect();
                check.fault(!good_key || apps.is_empty() || distinct.len() != apps.len(), "malformed");
                check.fault(apps.len() > 16, "over_limit");
                check.fault(!(1..=365).contains(days), "malformed");
                self.check_ciphertexts(check, &request.ciphertexts);
            }
        }
    }

    fn whole_keys(&self) -> bool {
        self.newest().mode == EpochMode::Replicated
    }

    fn check_ciphertexts(&self, check: &mut Check, ciphertexts: &[Ciphertext]) {
        let limits = &self.config.limits;
        check.fault(ciphertexts.is_empty(), "malformed");
        check.fault(ciphertexts.len() > usize::try_from(limits.ciphertexts).unwrap(), "over_limit");
        check.fault(ciphertexts.iter().map(|c| c.size).sum::<u64>() > limits.bytes, "over_limit");
        for ciphertext in ciphertexts {
            let verified = matches!(ciphertext.provenance, Provenance::Verified { .. });
            check.fault(verified && !is_compact(ciphertext.format), "malformed");
            check.fault(ciphertext.format == CiphertextFormat::Raw && ciphertext.index != 0, "malformed");
            check.fault(ciphertext.size == 0, "malformed");
            check.fault(ciphertext.handle.as_bytes()[30] != ciphertext.fhe_type.number(), "malformed");
            let conflict =
                |other: &Ciphertext| other.digest == ciphertext.digest && other.size != ciphertext.size;
            check.fault(ciphertexts.iter().any(conflict), "malformed");
        }
    }

    /// Every reason to deny the request.
    fn objections(&self, who: &str, operation: &Operation, op: &Op) -> Vec<u8> {
        let mut found = BTreeSet::new();
        let mut object = |holds: bool, reason: DenialReason| {
            if holds {
                found.insert(reason.number());
            }
        };
        let epoch = self.epoch(self.answering(operation).get()).unwrap();
        object(epoch.revoked_at.is_some(), DenialReason::EpochRevoked);
        let key = operation.key_id().map(|id| &self.keys[&id.get()]);
        if let (Some(domain), Some(key)) = (op.domain().and_then(|domain| self.domain(domain)), key) {
            let owner = self.domains.get(&domain.separator());
            object(owner != Some(&key.id.get()), DenialReason::Domain);
        }
        match (op, key) {
            (Op::Key { source: Source::Takeover(_), .. }, Some(key)) => {
                object(key.owner != who, DenialReason::Permission);
                object(key.state == KeyState::Destroyed, DenialReason::KeyState);
            }
            (Op::Key { source: Source::Import(a, b), .. }, _) => {
                object(self.is_registered(*a) || self.is_registered(*b), DenialReason::DigestRegistered);
            }
            (Op::Crs { import: Some(number), .. }, _) => {
                object(self.is_registered(*number), DenialReason::DigestRegistered);
            }
            (Op::Input { crs, .. }, Some(key)) => {
                object(key.state != KeyState::Active, DenialReason::KeyState);
                object(!key.crs_ids.iter().any(|id| id.get() == *crs), DenialReason::CrsNotAllowed);
            }
            (Op::Public { ciphertexts, .. }, Some(key)) => {
                object(!decrypts(key), DenialReason::KeyState);
                for ct in ciphertexts {
                    match self.permission(key, ct, None) {
                        Seen::False => object(true, DenialReason::Provenance),
                        Seen::Anyone => {}
                        Seen::App(number) if app(number) == app_of(who) => {}
                        Seen::App(_) | Seen::Grantee | Seen::Nobody => {
                            object(!self.is_grantee(key, who), DenialReason::Permission);
                        }
                    }
                }
            }
            (Op::User { ciphertexts, user, signer, apps, from, days, .. }, Some(key)) => {
                object(!decrypts(key), DenialReason::KeyState);
                let start = self.now.saturating_add_signed(*from);
                let open = self.now >= start && self.now < start + days * 86_400;
                object(!open, DenialReason::Window);
                object(signer != user || *user == 0, DenialReason::UserSignature);
                for ct in ciphertexts {
                    match self.permission(key, ct, Some((*user, apps))) {
                        Seen::False => object(true, DenialReason::Provenance),
                        Seen::Anyone | Seen::App(_) => {}
                        Seen::Grantee => object(!self.is_grantee(key, who), DenialReason::Permission),
                        Seen::Nobody => object(true, DenialReason::Permission),
                    }
                }
            }
            _ => {}
        }
        found.into_iter().collect()
    }

    fn is_registered(&self, number: u8) -> bool {
        self.digests.contains_key(&operations::digest("import", number.into()))
    }

    fn is_grantee(&self, key: &KeyRecord, who: &str) -> bool {
        let grant = self.grants.get(&(key.id.get(), who.to_owned()));
        let holds = grant.is_some_and(|grant| {
            grant.generation == key.generation && grant.until.is_none_or(|until| self.now <= until)
        });
        holds || key.owner == who
    }

    /// The permission table, for everybody or for a user and the applications that he names.
    fn permission(&self, key: &KeyRecord, ct: &Ct, user: Option<(u8, &Vec<u8>)>) -> Seen {
        match &ct.origin {
            Origin::Unproven => Seen::Grantee,
            Origin::Verified { request, twisted } => {
                let Some(cited) = self.request(*request) else { return Seen::False };
                let Operation::VerifyInput(input) = cited.operation() else { return Seen::False };
                let payload = cited.answers.get(&cited.winner).map(|answer| answer.payload.as_slice());
                let count = payload.map_or(0, |payload| payload.len() / 32);
                let named = input_handle(*request, ct.index);
                let shown = cited.state == State::Fulfilled
                    && input.key_id == key.id
                    && !twisted
                    && usize::from(ct.index) < count
                    && payload
                        .is_some_and(|p| p[1 + 32 * usize::from(ct.index)..].starts_with(named.as_bytes()));
                if !shown {
                    return Seen::False;
                }
                match user {
                    None => (0..=250)
                        .find(|number| app(*number) == input.contract)
                        .map_or(Seen::Grantee, Seen::App),
                    Some((user, apps)) => {
                        let named = apps.iter().any(|number| app(*number) == input.contract);
                        if wallet(user) == input.user && named { Seen::Anyone } else { Seen::Nobody }
                    }
                }
            }
            Origin::Attested { user: shown_to, app, until, seeds, sorted, twisted } => {
                let ascending =
                    |seeds: &[u8]| seeds.is_sorted_by(|a, b| wallet(*a).as_bytes() < wallet(*b).as_bytes());
                let distinct = seeds.iter().collect::<BTreeSet<_>>().len() == seeds.len();
                let known = seeds.iter().all(|seed| key.attesters.contains(&wallet(*seed)));
                let needed = usize::try_from(key.attester_threshold).unwrap();
                let holds = distinct
                    && known
                    && (*sorted || ascending(seeds))
                    && !twisted
                    && *until >= 0
                    && needed > 0
                    && seeds.len() >= needed;
                match user {
                    _ if !holds => Seen::False,
                    None if *shown_to == 0 => Seen::Anyone,
                    None => Seen::Grantee,
                    Some((user, apps)) => {
                        let meant = *shown_to == 0 || *shown_to == user;
                        if meant && apps.contains(app) { Seen::Anyone } else { Seen::Nobody }
                    }
                }
            }
        }
    }
}

/// Who may see a ciphertext.
enum Seen {
    /// Its evidence is false.
    False,
    Anyone,
    /// The application of this number, or a grantee.
    App(u8),
    Grantee,
    Nobody,
}

const fn decrypts(key: &KeyRecord) -> bool {
    matches!(key.state, KeyState::Active | KeyState::Deactivated)
}

fn app_of(who: &str) -> kms_asc_api::EvmAddress {
    let app = (0..=APP).find(|number| address(*number) == who);
    app.map_or_else(|| world::app_address(CONTRACT), world::app_address)
}

impl Op {
    pub const fn domain(&self) -> Option<crate::step::Domain> {
        match self {
            Self::Public { domain, .. } | Self::User { domain, .. } | Self::Input { domain, .. } => {
                Some(*domain)
            }
            Self::Key { .. } | Self::Crs { .. } => None,
        }
    }
}

impl Check {
    pub fn with(mut self, holds: bool, code: &'static str) -> Self {
        self.fault(holds, code);
        self
    }
}
