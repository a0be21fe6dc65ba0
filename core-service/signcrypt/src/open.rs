//! The user's end.

use std::fmt;

use aes_gcm::{Aes256Gcm, KeyInit, aead::AeadInOut};
use k256::ecdsa::{Signature, VerifyingKey, signature::Verifier};
use kms_asc_api::{Digest, EvmAddress, FheType, PublicKey};
use ml_kem::{Ciphertext, Decapsulate, MlKem512};
use zeroize::Zeroizing;

use crate::{
    OpenError, UserKey,
    wire::{self, Plain},
};

/// What an envelope must say, as the user knows it: from his own request and from the contract's epoch, never from the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected<'a> {
    /// The party's key.
    pub signer: &'a PublicKey,
    /// The user's wallet.
    pub user: &'a EvmAddress,
    /// The request's [`kms_asc_api::eip712::user_link`].
    pub link: &'a Digest,
}

/// What an envelope holds. `Debug` shows the type only.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// The value's type, as the party signed it.
    pub fhe_type: FheType,
    /// A whole answer's value in its type's width, little-endian; or a share.
    pub plaintext: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Opened {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Opened").field("fhe_type", &self.fhe_type).finish_non_exhaustive()
    }
}

impl UserKey {
    /// Opens an envelope and checks that `expected.signer` signed what is in it, for this user, key and request.
    ///
    /// # Errors
    /// See [`OpenError`]. Nothing of the plaintext is given then.
    pub fn open(&self, wire: &[u8], expected: &Expected<'_>) -> Result<Opened, OpenError> {
        let bytes = self.decrypt(wire)?;
        let plain = wire::plain(&bytes)?;
        self.check_signature(&plain, expected)?;
        if plain.link != expected.link.as_bytes() {
            return Err(OpenError::Link);
        }
        let number = u8::try_from(plain.fhe_type).map_err(|_| OpenError::Type(plain.fhe_type))?;
        let fhe_type = FheType::try_from(number).map_err(|_| OpenError::Type(plain.fhe_type))?;
        Ok(Opened { fhe_type, plaintext: Zeroizing::new(plain.plaintext.to_vec()) })
    }

    fn decrypt(&self, wire: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let parts = wire::parts(wire)?;
        let shared = Zeroizing::new(self.0.decapsulate(&Ciphertext::<MlKem512>::from(*parts.kem)));
        let mut body = Zeroizing::new(parts.body.to_vec());
        Aes256Gcm::new(&shared)
            .decrypt_in_place(&(*parts.nonce).into(), &[], &mut *body)
            .map_err(|_| OpenError::Decryption)?;
        Ok(body)
    }

    fn check_signature(&self, plain: &Plain<'_>, expected: &Expected<'_>) -> Result<(), OpenError> {
        let signer = expected.signer.as_bytes();
        let key = VerifyingKey::from_sec1_bytes(signer).map_err(|_| OpenError::SignerKey)?;
        if *plain.signer != wire::identity_of(signer) {
            return Err(OpenError::Signer);
        }
        let signed = wire::to_sign(plain.message, expected.user, &wire::identity_of(&self.public()));
        // High s, which would give every envelope a twin, is refused by the library.
        let signature = Signature::from_slice(plain.signature).map_err(|_| OpenError::Signature)?;
        key.verify(&signed, &signature).map_err(|_| OpenError::Signature)
    }
}
