//! What the vault knows of a key, and how files are called.

use kms_asc_api::{Digest, EpochId};
use kms_core_engine::{ParameterSet, UnknownName};
use serde::{Deserialize, Serialize};

use super::Kind;

const KEY: &str = ".key";
const STAGED: &str = ".staged";
/// The file of what randomness is derived from.
pub(super) const RANDOMNESS: &str = "randomness";
/// The file that says that the vault was restored.
pub(crate) const RESTORED: &str = "restored";

/// What the vault knows of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    /// The chain whose contract asked for it.
    pub(crate) chain_id: String,
    /// That contract.
    pub(crate) contract: String,
    /// The key's id, which is the id of the request that made it.
    pub(crate) key_id: u64,
    /// The hash of that request.
    pub(crate) request_hash: Digest,
    /// The name of the parameter set.
    params: String,
    /// The epoch that the request was bound to.
    pub(crate) epoch: u32,
    /// Published parts, ascending by type.
    pub(crate) parts: Vec<Part>,
}

/// A published part of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Part {
    /// The part's number on chain.
    pub(crate) key_type: u8,
    /// Its digest on chain.
    pub(crate) digest: Digest,
    /// Its length in bytes.
    pub(crate) size: u64,
}

impl Record {
    /// A record of a key of this contract without its parts.
    pub(crate) fn new(
        identity: &crate::Identity,
        epoch: EpochId,
        key_id: u64,
        request_hash: Digest,
        params: ParameterSet,
        parts: Vec<Part>,
    ) -> Self {
        Self {
            chain_id: identity.chain_id.clone(),
            contract: identity.contract.clone(),
            key_id,
            request_hash,
            params: params.name().to_owned(),
            epoch: epoch.get(),
            parts,
        }
    }

    /// The parameter set.
    pub(crate) fn params(&self) -> Result<ParameterSet, UnknownName> {
        self.params.parse()
    }

    /// The parameter set's name.
    pub(crate) fn params_name(&self) -> &str {
        &self.params
    }
}

/// The name of a key's file: sorted by name, files are sorted by id.
pub(crate) fn key_file(key_id: u64) -> String {
    format!("{key_id:020}{KEY}")
}

/// The name of the file of what waits for a request.
pub(super) fn staged_file(request_id: u64) -> String {
    format!("{request_id:020}{STAGED}")
}

/// Whether a name is that of a key's file.
pub(crate) fn is_key(name: &str) -> bool {
    name.ends_with(KEY)
}

/// What a file of this name holds, if only the vault's key reads it.
pub(crate) fn kind_of(name: &str) -> Option<Kind> {
    match name {
        RANDOMNESS => Some(Kind::Randomness),
        RESTORED => Some(Kind::Restored),
        _ if is_key(name) => Some(Kind::Key),
        _ if name.ends_with(STAGED) => Some(Kind::Staged),
        _ => None,
    }
}
