//! The file `header` of a vault: its name, and its data key, wrapped.
//! `"KMSVHEAD" || 1 u8 || SHA-256 of the rest (32) || JSON`.

use kms_asc_api::Digest;
use serde::{Deserialize, Serialize};

use super::cipher::{Damage, VaultId, hex_bytes};
use crate::custody::{KeyWrapper, WrapError, Wrapped};

const MAGIC: &[u8; 8] = b"KMSVHEAD";
const VERSION: u8 = 1;

/// What opens a vault.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    pub(crate) vault: VaultId,
    wrapper: String,
    parameters: serde_json::Value,
    #[serde(with = "hex_bytes")]
    wrapped_key: Vec<u8>,
}

impl Header {
    /// Wraps a data key.
    pub(crate) fn make(
        vault: VaultId,
        key: &super::DataKey,
        wrapper: &dyn KeyWrapper,
    ) -> Result<Self, WrapError> {
        let Wrapped { parameters, bytes } = wrapper.wrap(key, &context(vault))?;
        Ok(Self { vault, wrapper: wrapper.kind().to_owned(), parameters, wrapped_key: bytes })
    }

    /// The data key.
    pub(crate) fn unwrap(&self, wrapper: &dyn KeyWrapper) -> Result<super::DataKey, WrapError> {
        if self.wrapper != wrapper.kind() {
            let (found, configured) = (self.wrapper.clone(), wrapper.kind());
            return Err(WrapError::OtherKind { found, configured });
        }
        let wrapped = Wrapped { parameters: self.parameters.clone(), bytes: self.wrapped_key.clone() };
        wrapper.unwrap(&wrapped, &context(self.vault))
    }

    pub(crate) fn encode(&self) -> std::io::Result<Vec<u8>> {
        let json = serde_json::to_vec(self)?;
        Ok([MAGIC.as_slice(), &[VERSION], Digest::sha256(&json).as_bytes(), &json].concat())
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Damage> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(Damage::NotAVaultFile)?;
        let rest = match rest.split_first() {
            Some((&VERSION, rest)) => rest,
            Some(_) => return Err(Damage::UnknownVersion),
            None => return Err(Damage::CutOff),
        };
        let (digest, json) = rest.split_first_chunk::<32>().ok_or(Damage::CutOff)?;
        if Digest::sha256(json) != Digest::new(*digest) {
            return Err(Damage::WrongDigest);
        }
        serde_json::from_slice(json).map_err(|_| Damage::BadLabel)
    }
}

/// What the wrapped key is bound to.
fn context(vault: VaultId) -> Vec<u8> {
    [b"kms-vault-data-key-v1".as_slice(), vault.as_bytes()].concat()
}
