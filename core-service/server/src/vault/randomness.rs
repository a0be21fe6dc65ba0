use std::fmt;

use zeroize::Zeroizing;

use super::{
    Strongbox, VaultError,
    cipher::{Kind, random},
    error::unusable,
    file::RANDOMNESS,
};

/// What the randomness of answers is derived from, so that a rerun gives the same bytes. It never leaves the vault, and shows
/// nothing.
pub(crate) struct RandomnessSecret(Zeroizing<[u8; 32]>);

impl RandomnessSecret {
    /// For derivation only.
    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The vault's, which is made at its first start.
    pub(super) fn of(strongbox: &Strongbox) -> Result<Self, VaultError> {
        if let Some(found) = Self::read(strongbox)? {
            return Ok(found);
        }
        let new = random::<32>().map_err(|error| unusable("make", strongbox.place(RANDOMNESS), error))?;
        match strongbox.put(RANDOMNESS, Kind::Randomness, &(), new.as_slice()) {
            Ok(()) => Ok(Self(new)),
            // Another process was quicker.
            Err(VaultError::Exists { file }) => {
                let gone = VaultError::Damaged { file, reason: "it is gone".to_owned() };
                Self::read(strongbox)?.ok_or(gone)
            }
            Err(error) => Err(error),
        }
    }

    fn read(strongbox: &Strongbox) -> Result<Option<Self>, VaultError> {
        let Some(((), bytes)) = strongbox.get(RANDOMNESS, Kind::Randomness)? else { return Ok(None) };
        match <[u8; 32]>::try_from(bytes.as_slice()) {
            Ok(bytes) => Ok(Some(Self(Zeroizing::new(bytes)))),
            Err(_) => Err(VaultError::Damaged {
                file: strongbox.place(RANDOMNESS),
                reason: format!("it has {} bytes, expected 32", bytes.len()),
            }),
        }
    }
}

impl fmt::Debug for RandomnessSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RandomnessSecret(..)")
    }
}
