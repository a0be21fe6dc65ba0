//! The user's key pair.

use std::fmt;

use kms_asc_api::payload::encode_user_key;
use ml_kem::{DecapsulationKey, Generate, KeyExport, MlKem512, Seed};
use zeroize::Zeroizing;

use crate::RandomnessUnavailable;

/// Bytes of a user's secret key: the seed `d || z` of FIPS 203.
pub const SEED_LEN: usize = 64;

/// A user's ML-KEM-512 key pair. Its memory is wiped when dropped; `Debug` shows nothing.
#[derive(Clone)]
pub struct UserKey(pub(crate) DecapsulationKey<MlKem512>);

impl UserKey {
    /// A fresh random key.
    ///
    /// # Errors
    /// If the system gives no random bytes.
    pub fn generate() -> Result<Self, RandomnessUnavailable> {
        let seed = Zeroizing::new(<[u8; SEED_LEN]>::try_generate().map_err(|_| RandomnessUnavailable)?);
        Ok(Self::from_seed(&seed))
    }

    /// The key that belongs to a seed, which any 64 bytes are.
    pub fn from_seed(seed: &[u8; SEED_LEN]) -> Self {
        let seed = Zeroizing::new(Seed::from(*seed));
        Self(DecapsulationKey::from_seed(*seed))
    }

    /// What [`Self::from_seed`] makes this key of. It is the secret.
    pub fn seed(&self) -> Zeroizing<[u8; SEED_LEN]> {
        let seed = Zeroizing::new(self.0.to_bytes());
        Zeroizing::new((*seed).into())
    }

    /// The long form of the secret, 1632 bytes, which libraries read that know no seeds (FIPS 203: `dk_pke || ek || H(ek) || z`).
    #[allow(deprecated)]
    pub fn expanded(&self) -> Zeroizing<Vec<u8>> {
        use ml_kem::ExpandedKeyEncoding;
        Zeroizing::new(Zeroizing::new(self.0.to_expanded_bytes()).to_vec())
    }

    /// `enc_key` of a request: the public key in the form that clients send, 869 bytes.
    pub fn enc_key(&self) -> Vec<u8> {
        encode_user_key(&self.public())
    }

    pub(crate) fn public(&self) -> [u8; 800] {
        self.0.encapsulation_key().to_bytes().into()
    }
}

impl fmt::Debug for UserKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("UserKey(..)")
    }
}
