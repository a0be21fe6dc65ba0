//! The fresh key of a request, on disk from before the request is paid for until its values were printed.

use std::{
    fs::{self, DirBuilder},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use kms_asc_api::{Digest, UserDecrypt};
use kms_config::{read_secret, write_secret};
use kms_signcrypt::{SEED_LEN, UserKey};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::error::{Error, Result};

/// A key and the request for which it was made: an answer to any other is none.
#[derive(Debug)]
pub struct KeyFile {
    path: PathBuf,
    pub key: UserKey,
    pub operation: UserDecrypt,
}

/// The file's JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    /// The secret key's seed, hex digits.
    seed: String,
    request: UserDecrypt,
}

impl Drop for Content {
    fn drop(&mut self) {
        self.seed.zeroize();
    }
}

impl KeyFile {
    /// Writes a key, mode 0600, into `user-keys` beside the wallet.
    pub fn keep(wallet: &Path, key: &UserKey, operation: &UserDecrypt) -> Result<Self> {
        let path = place(wallet, &operation.enc_key);
        if let Some(folder) = path.parent() {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.map_err(|source| Error::Io { doing: format!("make {}", folder.display()), source })?;
        }
        let content = Content { seed: hex::encode(key.seed().as_slice()), request: operation.clone() };
        let text = serde_json::to_vec(&content).map(Zeroizing::new);
        write_secret(&path, &text.map_err(|error| Error::Internal(error.to_string()))?)?;
        Ok(Self { path, key: key.clone(), operation: operation.clone() })
    }

    /// The key with this public part, if it is there.
    pub fn find(wallet: &Path, enc_key: &[u8]) -> Result<Option<Self>> {
        let path = place(wallet, enc_key);
        if !path.exists() {
            return Ok(None);
        }
        let damaged = || Error::Internal(format!("{} holds no key of this request", path.display()));
        let text = read_secret(&path)?;
        let content: Content = serde_json::from_str(&text).map_err(|_| damaged())?;
        let mut bytes = Zeroizing::new([0; SEED_LEN]);
        hex::decode_to_slice(content.seed.as_bytes(), bytes.as_mut_slice()).map_err(|_| damaged())?;
        let key = UserKey::from_seed(&bytes);
        if key.enc_key() != enc_key || content.request.enc_key != enc_key {
            return Err(damaged());
        }
        Ok(Some(Self { path, key, operation: content.request.clone() }))
    }

    /// Removes the file.
    pub fn forget(self) -> Result<()> {
        let doing = || format!("remove {}", self.path.display());
        fs::remove_file(&self.path).map_err(|source| Error::Io { doing: doing(), source })
    }
}

/// `user-keys/DIGEST.json` beside the wallet; the digest is of the public key.
fn place(wallet: &Path, enc_key: &[u8]) -> PathBuf {
    let name = format!("{}.json", hex::encode(Digest::sha256(enc_key).as_bytes()));
    wallet.with_file_name("user-keys").join(name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use kms_asc_api::{EvmAddress, KeyId, Signature};

    use super::*;

    fn request(key: &UserKey) -> UserDecrypt {
        UserDecrypt {
            key_id: KeyId(1),
            ciphertexts: vec![],
            enc_key: key.enc_key().into(),
            user: EvmAddress::new([1; 20]),
            contracts: vec![],
            valid_from: 0,
            valid_days: 1,
            user_signature: Signature::new([0; 65]),
            domain: None,
            extra_data: Default::default(),
        }
    }

    #[test]
    fn a_key_is_found_by_its_public_part_until_it_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let wallet = folder.path().join("alice.key");
        let key = UserKey::generate().unwrap();
        let kept = KeyFile::keep(&wallet, &key, &request(&key)).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&kept.path), mode(kept.path.parent().unwrap())), (0o600, 0o700));

        let found = KeyFile::find(&wallet, &key.enc_key()).unwrap().unwrap();
        assert_eq!((found.key.enc_key(), &found.operation), (key.enc_key(), &request(&key)));
        let other = UserKey::generate().unwrap();
        assert!(KeyFile::find(&wallet, &other.enc_key()).unwrap().is_none());
        found.forget().unwrap();
        assert!(KeyFile::find(&wallet, &key.enc_key()).unwrap().is_none());
    }

    #[test]
    fn a_file_that_holds_another_key_or_is_open_to_others_is_refused_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let wallet = folder.path().join("alice.key");
        let (key, other) = (UserKey::generate().unwrap(), UserKey::generate().unwrap());
        let kept = KeyFile::keep(&wallet, &key, &request(&key)).unwrap();
        let refused = || KeyFile::find(&wallet, &key.enc_key()).unwrap_err();
        fs::set_permissions(&kept.path, fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(refused().code(), "secret_exposed");
        let of_other = KeyFile::keep(&wallet, &other, &request(&other)).unwrap();
        fs::rename(&of_other.path, &kept.path).unwrap();
        assert_eq!(refused().code(), "internal");
        write_secret(&kept.path, b"secret words").unwrap();
        assert!(!refused().to_string().contains("secret words"));
        assert!(!format!("{kept:?}").contains(&hex::encode(key.seed().as_slice())));
    }
}
