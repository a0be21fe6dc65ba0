//! A key made from a passphrase with argon2id, which encrypts the data key with AES-256-GCM.

use std::path::{Path, PathBuf};

use aes_gcm::{Aes256Gcm, KeyInit, aead::AeadInOut};
use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{KeyWrapper, WrapError, Wrapped};
use crate::{
    Cost, DataKey,
    vault::{hex_bytes, random},
};

/// A header may come from a stranger: what it may make this process spend.
const MOST: Cost = Cost { memory_kib: 1 << 20, passes: 16, lanes: 16 };

/// A passphrase in a file of its own.
pub(super) struct Passphrase {
    file: PathBuf,
    cost: Cost,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    function: Function,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    #[serde(with = "hex_bytes")]
    salt: [u8; 16],
    #[serde(with = "hex_bytes")]
    nonce: [u8; 12],
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum Function {
    /// Version 0x13.
    #[serde(rename = "argon2id")]
    Argon2id,
}

impl Passphrase {
    /// `cost` is for new wrappings; a wrapped key says its own.
    pub(super) fn new(file: &Path, cost: Cost) -> Self {
        Self { file: file.to_owned(), cost }
    }

    fn cipher(&self, parameters: &Parameters) -> Result<Aes256Gcm, WrapError> {
        let unusable = |reason: String| WrapError::BadParameters { reason };
        let Parameters { memory_kib, passes, lanes, .. } = *parameters;
        if memory_kib > MOST.memory_kib || passes > MOST.passes || lanes > MOST.lanes {
            let given = format!("{memory_kib} KiB, {passes} passes, {lanes} lanes");
            return Err(unusable(format!("{given} are more than is allowed")));
        }
        let costs =
            Params::new(memory_kib, passes, lanes, Some(32)).map_err(|error| unusable(error.to_string()))?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, costs)
            .hash_password_into(self.read()?.as_bytes(), &parameters.salt, key.as_mut_slice())
            .map_err(|error| unusable(error.to_string()))?;
        Ok(Aes256Gcm::new((&*key).into()))
    }

    fn read(&self) -> Result<Zeroizing<String>, WrapError> {
        let text = kms_config::read_secret(&self.file)?;
        match text.is_empty() {
            true => Err(WrapError::EmptyPassphrase { file: self.name() }),
            false => Ok(text),
        }
    }

    fn name(&self) -> String {
        self.file.display().to_string()
    }
}

impl KeyWrapper for Passphrase {
    fn kind(&self) -> &'static str {
        "passphrase"
    }

    fn wrap(&self, key: &DataKey, context: &[u8]) -> Result<Wrapped, WrapError> {
        let failed = |cause: String| WrapError::Failed { doing: "wrap the vault's key", cause };
        let Cost { memory_kib, passes, lanes } = self.cost;
        let salt = *random().map_err(|error| failed(error.to_string()))?;
        let nonce = *random().map_err(|error| failed(error.to_string()))?;
        let parameters = Parameters { function: Function::Argon2id, memory_kib, passes, lanes, salt, nonce };
        let mut bytes = key.as_bytes().to_vec();
        let tag = self
            .cipher(&parameters)?
            .encrypt_inout_detached(&nonce.into(), context, bytes.as_mut_slice().into())
            .map_err(|error| failed(error.to_string()))?;
        bytes.extend_from_slice(&tag);
        let parameters = serde_json::to_value(&parameters).map_err(|error| failed(error.to_string()))?;
        Ok(Wrapped { parameters, bytes })
    }

    fn unwrap(&self, wrapped: &Wrapped, context: &[u8]) -> Result<DataKey, WrapError> {
        let parameters = Parameters::deserialize(&wrapped.parameters)
            .map_err(|error| WrapError::BadParameters { reason: error.to_string() })?;
        let wrong = || WrapError::WrongPassphrase { file: self.name() };
        let (hidden, tag) = wrapped.bytes.split_last_chunk::<16>().ok_or_else(wrong)?;
        let mut key = Zeroizing::new(<[u8; 32]>::try_from(hidden).map_err(|_| wrong())?);
        self.cipher(&parameters)?
            .decrypt_inout_detached(
                &parameters.nonce.into(),
                context,
                key.as_mut_slice().into(),
                &(*tag).into(),
            )
            .map_err(|_| wrong())?;
        Ok(DataKey::from_bytes(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };

    fn with(text: &str) -> (tempfile::TempDir, Passphrase) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("passphrase");
        kms_config::write_secret(&file, text.as_bytes()).unwrap();
        (folder, Passphrase::new(&file, CHEAP))
    }

    fn key() -> DataKey {
        DataKey::from_bytes(Zeroizing::new([3; 32]))
    }

    #[test]
    fn only_the_same_passphrase_and_context_unwrap() {
        let (_folder, right) = with("correct horse\n");
        let wrapped = right.wrap(&key(), b"vault 1").unwrap();
        assert_eq!(right.unwrap(&wrapped, b"vault 1").unwrap().as_bytes(), key().as_bytes());
        assert!(!wrapped.bytes.windows(8).any(|window| window == [3; 8]));
        let code = |result: Result<DataKey, WrapError>| result.unwrap_err().code();
        assert_eq!(code(right.unwrap(&wrapped, b"vault 2")), "wrong_passphrase");
        let (_folder, wrong) = with("correct hors");
        assert_eq!(code(wrong.unwrap(&wrapped, b"vault 1")), "wrong_passphrase");
        let (_folder, empty) = with(" \n");
        assert_eq!(code(empty.unwrap(&wrapped, b"vault 1")), "empty_passphrase");
    }

    #[test]
    fn the_key_is_the_one_that_argon2id_gives() {
        let mut key = [0; 32];
        let costs = Params::new(65536, 2, 1, Some(32)).unwrap();
        Argon2::new(Algorithm::Argon2id, Version::V0x13, costs)
            .hash_password_into(b"password", b"somesalt", &mut key)
            .unwrap();
        // From the reference implementation's own test vectors (its test.c).
        assert_eq!(hex::encode(key), "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7");
    }

    #[test]
    fn a_header_that_asks_for_too_much_is_refused() {
        let (_folder, right) = with("correct horse");
        let mut wrapped = right.wrap(&key(), b"").unwrap();
        wrapped.parameters["memory_kib"] = (1_u64 << 31).into();
        assert_eq!(right.unwrap(&wrapped, b"").unwrap_err().code(), "bad_wrapping_parameters");
    }

    #[test]
    fn the_parameters_are_in_the_header_and_the_passphrase_is_not() {
        let (_folder, right) = with("correct horse");
        let wrapped = right.wrap(&key(), b"").unwrap();
        let text = wrapped.parameters.to_string();
        assert!(text.contains("argon2id") && text.contains("\"memory_kib\":64"), "{text}");
        assert!(!text.contains("horse"));
    }
}
