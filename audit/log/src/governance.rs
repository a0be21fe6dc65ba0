//! What the admin does.

use kms_asc_api::log::{LogBody, LogEntry};
use kms_asc_api::{Config, Digest, Eip712Domain, Epoch, EpochId, KeyId, MigrationRecord};

use crate::birth::config_hash;
use crate::error::{rule, same};
use crate::ledger::by;
use crate::replay::Due;
use crate::{Ledger, Violation, terms};

impl Ledger {
    /// Parameters, operators, domains, office and code change.
    pub(crate) fn govern(&mut self, entry: &LogEntry) -> Result<Vec<Due>, Violation> {
        if !matches!(entry.body, LogBody::AdminAccepted { .. } | LogBody::Migrated { .. }) {
            self.by_admin(&entry.actor)?;
        }
        match &entry.body {
            LogBody::ConfigSet { config } => self.config_set(config)?,
            LogBody::EpochSet { epoch } => self.epoch_set(epoch)?,
            LogBody::EpochRevoked { epoch } => {
                let old = self.epoch(epoch.id)?;
                rule(old.revoked_at.is_none(), "an epoch is revoked once")?;
                same("the epoch", epoch, &Epoch { revoked_at: Some(entry.time), ..old.clone() })?;
                self.epochs.insert(epoch.id, epoch.clone());
            }
            LogBody::DomainRegistered { key_id, domain, separator } => {
                self.domain_registered(*key_id, domain, *separator)?;
            }
            LogBody::Paused {} => self.pause(true)?,
            LogBody::Unpaused {} => self.pause(false)?,
            LogBody::AdminProposed { admin } => self.proposed_admin = Some(admin.clone()),
            LogBody::AdminAccepted { admin } => {
                let proposed = self.proposed_admin.take();
                by(&entry.actor, &proposed.ok_or(Violation::Rule("the office was offered to nobody"))?)?;
                same("the admin", admin, &entry.actor)?;
                self.admin = admin.clone();
            }
            LogBody::MigrationScheduled { migration } => {
                let not_before = entry.time.checked_add(self.config.migration_delay);
                same("not_before", &Some(migration.not_before), &not_before)?;
                self.migration = Some(*migration);
            }
            LogBody::MigrationStarted { migration, version } => {
                self.announced(migration)?;
                rule(entry.time >= migration.not_before, "the delay is not over")?;
                same("the version", version, &self.version)?;
                return Ok(vec![Due { kinds: &["migrated"], request_id: None }]);
            }
            LogBody::Migrated { .. } => self.migrated(entry)?,
            _ => return Err(Violation::Rule("nothing is governed")),
        }
        Ok(vec![])
    }

    fn config_set(&mut self, config: &Config) -> Result<(), Violation> {
        same("denom", &config.denom, &self.config.denom)?;
        let shorter = config.migration_delay < self.config.migration_delay;
        rule(!shorter, "the delay of migrations is never shortened")?;
        terms::config(config, self.epoch(self.newest_epoch())?)?;
        if config.key_domain != self.config.key_domain {
            self.domains_since = KeyId::from(self.next_id());
        }
        self.config = config.clone();
        Ok(())
    }

    fn epoch_set(&mut self, epoch: &Epoch) -> Result<(), Violation> {
        same("the epoch's id", &Some(epoch.id.get()), &self.newest_epoch().get().checked_add(1))?;
        terms::epoch(epoch)?;
        terms::config(&self.config, epoch)?;
        self.epochs.insert(EpochId(epoch.id.get()), epoch.clone());
        Ok(())
    }

    fn domain_registered(
        &mut self,
        key_id: KeyId,
        domain: &Eip712Domain,
        separator: Digest,
    ) -> Result<(), Violation> {
        self.key(key_id)?;
        same("the separator", &separator, &domain.separator())?;
        let fits = (1..=64).contains(&domain.name.len()) && domain.version.len() <= 64;
        rule(fits, "the domain's name or version is too long")?;
        self.own_domain(separator, key_id)
    }

    fn pause(&mut self, paused: bool) -> Result<(), Violation> {
        rule(self.paused != paused, "nothing changes")?;
        self.paused = paused;
        Ok(())
    }

    fn announced(&self, migration: &MigrationRecord) -> Result<(), Violation> {
        same("the migration", &Some(*migration), &self.migration)
    }

    fn migrated(&mut self, entry: &LogEntry) -> Result<(), Violation> {
        let LogBody::Migrated { code_id, checksum, from_version, to_version, config_hash: hash, admin } =
            &entry.body
        else {
            return Err(Violation::Rule("nothing is migrated"));
        };
        by(&entry.actor, &self.contract)?;
        let announced = self.migration.take().ok_or(Violation::Rule("no migration was announced"))?;
        same("the code", &(*code_id, *checksum), &(announced.code_id, announced.checksum))?;
        same("the version before", from_version, &self.version)?;
        same("config_hash", hash, &config_hash(&self.config)?)?;
        // A log that version 0.1.0 began does not name the admin before this.
        rule(self.admin.is_empty() || self.admin == *admin, "a migration leaves the admin in office")?;
        self.admin = admin.clone();
        (self.version, self.code) = (to_version.clone(), (*code_id, *checksum));
        Ok(())
    }
}
