//! The contract's first three entries: code, parameters, operators.

use std::collections::BTreeMap;

use cosmwasm_std::to_json_vec;
use kms_asc_api::log::{LogBody, LogEntry, LogHead};
use kms_asc_api::{Config, Digest, EpochId, KeyId, Totals};

use crate::error::same;
use crate::ledger::by;
use crate::{Ledger, Violation, terms};

/// What is known before the contract is complete.
#[derive(Debug, Clone)]
pub struct Birth {
    chain_id: String,
    contract: String,
    code: Option<Code>,
    config: Option<Config>,
}

#[derive(Debug, Clone)]
struct Code {
    code: (u64, Digest),
    version: String,
    config_hash: Digest,
    admin: String,
}

/// SHA-256 of the parameters as the contract stores them.
pub fn config_hash(config: &Config) -> Result<Digest, Violation> {
    let bytes = to_json_vec(config).map_err(|_| Violation::Rule("the parameters are no JSON"))?;
    Ok(Digest::sha256(&bytes))
}

impl Birth {
    pub fn new(chain_id: &str, contract: &str) -> Self {
        let (chain_id, contract) = (chain_id.to_owned(), contract.to_owned());
        Self { chain_id, contract, code: None, config: None }
    }

    /// The kind of the entry that has to come.
    pub const fn expected(&self) -> &'static str {
        match (&self.code, &self.config) {
            (None, _) => "instantiated",
            (_, None) => "config_set",
            _ => "epoch_set",
        }
    }

    /// Takes one of the first three entries; the third completes the contract.
    pub fn push(&mut self, entry: &LogEntry) -> Result<Option<Ledger>, Violation> {
        by(&entry.actor, &self.contract)?;
        same("the request", &entry.request_id, &None)?;
        match (&entry.body, &self.code, &self.config) {
            (LogBody::Instantiated { code_id, checksum, version, config_hash, admin }, None, _) => {
                self.code = Some(Code {
                    code: (*code_id, *checksum),
                    version: version.clone(),
                    config_hash: *config_hash,
                    admin: admin.clone(),
                });
            }
            (LogBody::ConfigSet { config }, Some(code), None) => {
                same("config_hash", &code.config_hash, &config_hash(config)?)?;
                self.config = Some(config.as_ref().clone());
            }
            (LogBody::EpochSet { epoch }, Some(code), Some(config)) => {
                same("the first epoch", &epoch.id, &EpochId(1))?;
                terms::epoch(epoch)?;
                terms::config(config, epoch)?;
                return Ok(Some(self.ledger(code, config, BTreeMap::from([(epoch.id, epoch.clone())]))));
            }
            _ => return Err(Violation::Missing { expected: self.expected().to_owned() }),
        }
        Ok(None)
    }

    fn ledger(&self, code: &Code, config: &Config, epochs: BTreeMap<EpochId, kms_asc_api::Epoch>) -> Ledger {
        Ledger {
            chain_id: self.chain_id.clone(),
            contract: self.contract.clone(),
            version: code.version.clone(),
            code: code.code,
            config: config.clone(),
            domains_since: KeyId(1),
            admin: code.admin.clone(),
            proposed_admin: None,
            paused: false,
            migration: None,
            epochs,
            requests: BTreeMap::new(),
            pending: BTreeMap::new(),
            keys: BTreeMap::new(),
            crs: BTreeMap::new(),
            grants: BTreeMap::new(),
            domains: BTreeMap::new(),
            digests: BTreeMap::new(),
            credits: BTreeMap::new(),
            totals: Totals::default(),
            head: LogHead::EMPTY,
        }
    }
}
