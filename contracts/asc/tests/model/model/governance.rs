//! What the admin does.

use kms_asc_api::{Config, Epoch};

use super::{Check, Faults, Model, Outcome};
use crate::step::{Change, Domain, EpochFault, Msg};
use crate::world::{self, CONTRACT, DENOM, NOBODY, OTHER, Who, address};

impl Model {
    pub fn govern(&mut self, who: &str, msg: &Msg) -> Result<Outcome, Faults> {
        let mut check = Check::default();
        check.fault(who != self.admin, "unauthorized");
        match msg {
            Msg::SetEpoch { ahead, shape, fault } => {
                let epoch = self.new_epoch(*ahead, *shape, *fault);
                check.fault(*ahead != 1 || *fault != EpochFault::None, "invalid_epoch");
                check.fault(*fault == EpochFault::Payout, "invalid_address");
                check.fault(!epoch.parties.is_empty() && !fees_fit(&self.config, &epoch), "invalid_config");
                check.done()?;
                self.epochs.push(epoch);
                Ok(self.entry("epoch_set"))
            }
            Msg::RevokeEpoch(id) => {
                let epoch = self.epoch(*id);
                check.fault(epoch.is_none(), "not_found");
                check.fault(epoch.is_some_and(|epoch| epoch.revoked_at.is_some()), "invalid_epoch");
                check.done()?;
                self.epochs[usize::try_from(id - 1).unwrap()].revoked_at = Some(self.now);
                Ok(self.entry("epoch_revoked"))
            }
            Msg::Config(change) => {
                let config = self.changed(*change);
                check.fault(self.breaks_rules(&config), "invalid_config");
                check.done()?;
                self.config = config;
                Ok(self.entry("config_set"))
            }
            Msg::Domain { key, domain } => self.register_domain(check, *key, *domain),
            Msg::Pause | Msg::Unpause => {
                check.done()?;
                let pause = matches!(msg, Msg::Pause);
                if self.paused == pause {
                    return Ok(Outcome::Done);
                }
                self.paused = pause;
                Ok(self.entry(if pause { "paused" } else { "unpaused" }))
            }
            Msg::Treasury { to, amount } => {
                let to = self.receiver(&mut check, who, *to);
                check.fault(*amount == 0, "malformed").fault(*amount > self.treasury, "over_treasury");
                check.done()?;
                self.pay_or_refuse(&to)?;
                self.treasury -= amount;
                self.move_money(&address(CONTRACT), &to, *amount);
                Ok(self.entry("treasury_withdrawn"))
            }
            Msg::Sweep { to, other } => {
                let to = self.receiver(&mut check, who, *to);
                let surplus =
                    if *other { self.other } else { self.balances[&address(CONTRACT)] - self.owed() };
                check.fault(surplus == 0, "no_surplus");
                check.done()?;
                self.pay_or_refuse(&to)?;
                if !*other {
                    self.move_money(&address(CONTRACT), &to, surplus);
                } else if to != address(CONTRACT) {
                    self.other = 0;
                }
                Ok(self.entry("surplus_swept"))
            }
            Msg::Propose { to } => {
                check.fault(*to == NOBODY, "invalid_address");
                check.done()?;
                self.proposed = Some(address(*to));
                Ok(self.entry("admin_proposed"))
            }
            Msg::Schedule { right } => {
                check.fault(!right, "migration");
                check.done()?;
                self.announced = Some(self.now + self.config.migration_delay);
                Ok(self.entry("migration_scheduled"))
            }
            Msg::Migrate => {
                check.fault(self.announced.is_none_or(|not_before| self.now < not_before), "migration");
                check.done()?;
                self.announced = None;
                self.entry("migration_started");
                Ok(self.entry("migrated"))
            }
            _ => panic!("the admin's message"),
        }
    }

    pub fn accept_office(&mut self, who: &str) -> Result<Outcome, Faults> {
        Check::default().with(self.proposed.as_deref() != Some(who), "not_offered").done()?;
        (self.admin, self.proposed) = (who.to_owned(), None);
        Ok(self.entry("admin_accepted"))
    }

    fn receiver(&self, check: &mut Check, who: &str, to: Option<Who>) -> String {
        check.fault(to == Some(NOBODY), "invalid_address");
        to.map_or_else(|| who.to_owned(), address)
    }

    fn register_domain(&mut self, mut check: Check, key: u64, domain: Domain) -> Result<Outcome, Faults> {
        let separator = self.registered_domain(key, domain).separator();
        check.fault(!self.keys.contains_key(&key), "unknown_key");
        check.fault(matches!(domain, Domain::TooLong), "malformed");
        check.fault(self.domains.contains_key(&separator), "domain_registered");
        check.done()?;
        self.domains.insert(separator, key);
        Ok(self.entry("domain_registered"))
    }

    /// The domain that a registration names: a key's own by its text.
    pub fn registered_domain(&self, key: u64, domain: Domain) -> kms_asc_api::Eip712Domain {
        let own = || self.keys.get(&key).map(|key| key.domain.clone());
        let default = || world::default_domain(&self.config, key);
        self.domain(domain).or_else(own).unwrap_or_else(default)
    }

    pub fn new_epoch(&self, ahead: u32, shape: usize, fault: EpochFault) -> Epoch {
        let newest = u32::try_from(self.epochs.len()).unwrap();
        self.faulty_epoch(newest + ahead, shape, fault)
    }

    fn faulty_epoch(&self, id: u32, shape: usize, fault: EpochFault) -> Epoch {
        let mut epoch = world::epoch(id, shape);
        match fault {
            EpochFault::None => {}
            EpochFault::Majority => epoch.majority = u32::try_from(epoch.parties.len()).unwrap() / 2,
            EpochFault::SameSigner => epoch.parties.push(kms_asc_api::Party {
                party: kms_asc_api::PartyId(u32::try_from(epoch.parties.len()).unwrap() + 1),
                ..epoch.parties[0].clone()
            }),
            EpochFault::Numbers => epoch.parties[0].party = kms_asc_api::PartyId(2),
            EpochFault::Payout => epoch.parties[0].payout = address(NOBODY),
            EpochFault::NoParties => epoch.parties.clear(),
            EpochFault::Revoked => epoch.revoked_at = Some(self.now),
        }
        epoch
    }

    pub fn changed(&self, change: Change) -> Config {
        let mut config = self.config.clone();
        match change {
            Change::Price(price) => {
                let fees = &mut config.fees;
                for fee in [
                    &mut fees.key_gen,
                    &mut fees.crs_gen,
                    &mut fees.public_decrypt,
                    &mut fees.user_decrypt,
                    &mut fees.verify_input,
                ] {
                    fee.base = price.into();
                }
            }
            Change::Share(bps) => config.operator_share_bps = bps,
            Change::Denial(fee) => config.denial_fee = fee.into(),
            Change::Failure(fee) => config.failure_fee = fee.into(),
            Change::TtlMin(ttl) => config.ttl_min = ttl,
            Change::CancelDelay(delay) => config.cancel_delay = delay,
            Change::Pending(count) => config.limits.pending_per_requester = count,
            Change::CallbackPrice(price) => config.per_callback_kgas = price.into(),
            Change::MigrationDelay(delay) => config.migration_delay = delay,
            Change::KeyDomainVersion(version) => config.key_domain.version = version.to_string(),
            Change::Denom => config.denom = OTHER.to_owned(),
            Change::Page(page) => config.limits.page = page,
        }
        config
    }

    fn breaks_rules(&self, config: &Config) -> bool {
        config.denom != DENOM
            || config.migration_delay < self.config.migration_delay
            || config.migration_delay > 366 * 86_400
            || config.operator_share_bps > 10_000
            || config.ttl_min < 5
            || config.ttl_min > config.ttl_default
            || config.cancel_delay < 10
            || config.limits.pending_per_requester == 0
            || !(1..=100).contains(&config.limits.page)
            || !fees_fit(config, self.newest())
    }
}

/// At most half a party's share at the lowest price, all of them within it, and no denial dearer than it.
fn fees_fit(config: &Config, epoch: &Epoch) -> bool {
    let n = u128::try_from(epoch.parties.len()).unwrap();
    let (fee, denial) = (config.failure_fee.u128(), config.denial_fee.u128());
    let fees = &config.fees;
    let decryption =
        |f: &kms_asc_api::FeeSchedule| f.base.u128() + f.per_ciphertext.u128() + f.per_kib.u128();
    let lowest = [
        fees.key_gen.base.u128(),
        fees.crs_gen.base.u128(),
        decryption(&fees.public_decrypt),
        decryption(&fees.user_decrypt),
        fees.verify_input.base.u128() + fees.verify_input.per_kib.u128(),
    ];
    lowest.into_iter().all(|price| {
        let share = price * u128::from(config.operator_share_bps) / 10_000 / n;
        2 * fee <= share && fee * n <= price && denial <= price
    })
}
