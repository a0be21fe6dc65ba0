//! What owners and the admin have set, as the log tells it and as it is stored.

use std::collections::BTreeMap;

use kms_asc_api::log::LogBody;
use kms_asc_api::{
    Config, CrsRecord, Digest, Epoch, GrantRecord, KeyId, KeyRecord, KeyState, MigrationRecord,
};

/// Everything that is not a request, an answer or money.
#[derive(Debug, Default, PartialEq)]
pub struct Records {
    pub keys: BTreeMap<u64, KeyRecord>,
    pub crs: BTreeMap<u64, CrsRecord>,
    pub grants: BTreeMap<(u64, String), GrantRecord>,
    pub domains: BTreeMap<Digest, KeyId>,
    pub epochs: BTreeMap<u32, Epoch>,
    pub config: Option<Config>,
    pub admin: String,
    pub proposed_admin: Option<String>,
    pub paused: bool,
    pub migration: Option<MigrationRecord>,
}

impl Records {
    /// What an entry says of them.
    pub fn apply(&mut self, body: &LogBody) {
        match body {
            LogBody::Instantiated { admin, .. } => self.admin.clone_from(admin),
            LogBody::ConfigSet { config } => self.config = Some(*config.clone()),
            LogBody::EpochSet { epoch } => {
                assert_eq!(self.epochs.insert(epoch.id.get(), epoch.clone()), None, "epochs are set once");
            }
            LogBody::EpochRevoked { epoch } => {
                let before = self.epochs.insert(epoch.id.get(), epoch.clone()).unwrap();
                assert_eq!(before, Epoch { revoked_at: None, ..epoch.clone() }, "only the flag changes");
            }
            LogBody::KeyActivated { key } => {
                self.domains.insert(key.domain.separator(), key.id);
                assert_eq!(self.keys.insert(key.id.get(), *key.clone()), None, "keys begin once");
            }
            LogBody::KeyStateSet { key } => {
                let before = self.keys.insert(key.id.get(), *key.clone()).unwrap();
                assert!(key.state.may_follow(before.state));
                assert_eq!(before, KeyRecord { state: before.state, ..*key.clone() });
            }
            LogBody::KeyAccepted { key } => {
                let before = self.keys.insert(key.id.get(), *key.clone()).unwrap();
                assert_eq!(before.offered_to.as_ref(), Some(&key.owner));
                assert_eq!(before.generation + 1, key.generation);
            }
            LogBody::KeyTakenOver { key }
            | LogBody::KeyOffered { key }
            | LogBody::AttestersSet { key }
            | LogBody::CrsAllowed { key } => {
                let before = self.keys.insert(key.id.get(), *key.clone()).unwrap();
                assert_ne!(before.state, KeyState::Destroyed, "nothing is said of a destroyed key any more");
                assert_eq!(
                    (before.owner, before.generation, before.state, before.digests),
                    (key.owner.clone(), key.generation, key.state, key.digests.clone())
                );
            }
            LogBody::Granted { grant } => {
                self.grants.insert((grant.key_id.get(), grant.grantee.clone()), grant.clone());
            }
            LogBody::Revoked { grant } => {
                let removed = self.grants.remove(&(grant.key_id.get(), grant.grantee.clone()));
                assert_eq!(removed.as_ref(), Some(grant));
            }
            LogBody::DomainRegistered { key_id, domain, separator } => {
                assert_eq!(domain.separator(), *separator);
                assert_eq!(self.domains.insert(*separator, *key_id), None, "a domain is given once");
            }
            LogBody::CrsActivated { crs } => {
                assert_eq!(self.crs.insert(crs.id.get(), crs.clone()), None, "strings begin once");
            }
            LogBody::SurplusSwept { .. } => {}
            LogBody::Paused {} => assert!(!std::mem::replace(&mut self.paused, true)),
            LogBody::Unpaused {} => assert!(std::mem::replace(&mut self.paused, false)),
            LogBody::AdminProposed { admin } => self.proposed_admin = Some(admin.clone()),
            LogBody::AdminAccepted { admin } => {
                assert_eq!(self.proposed_admin.take().as_ref(), Some(admin));
                self.admin.clone_from(admin);
            }
            LogBody::MigrationScheduled { migration } => self.migration = Some(*migration),
            LogBody::MigrationStarted { migration, .. } => assert_eq!(self.migration, Some(*migration)),
            LogBody::Migrated { code_id, checksum, admin, .. } => {
                self.admin.clone_from(admin);
                // Code of version 0.1.0 could announce nothing: there, a test does it by hand.
                if let Some(announced) = self.migration.take() {
                    assert_eq!((announced.code_id, announced.checksum), (*code_id, *checksum));
                }
            }
            other => panic!("no replay of {}", other.kind()),
        }
    }
}
