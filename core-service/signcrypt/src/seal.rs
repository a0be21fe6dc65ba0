//! The party's end.

use std::fmt;

use aes_gcm::{Aes256Gcm, aead::AeadInOut};
use k256::ecdsa::{Signature, SigningKey, signature::Signer};
use kms_asc_api::{Digest, EvmAddress, FheType, payload::decode_user_key, signing};
use ml_kem::{B32, EncapsulationKey, Key, KeyInit, MlKem512};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{InvalidUserKey, SealError, wire};

/// The randomness of one envelope. Each is for one plaintext, never for two.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Coins {
    /// Of the key encapsulation: who knows them opens the envelope.
    pub kem: [u8; 32],
    /// The cipher's nonce, which the envelope shows.
    pub nonce: [u8; wire::NONCE_LEN],
}

impl fmt::Debug for Coins {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Coins(..)")
    }
}

/// For whom envelopes are sealed, and which request they answer.
#[derive(Clone, Debug)]
pub struct Recipient {
    key: EncapsulationKey<MlKem512>,
    identity: [u8; 32],
    user: EvmAddress,
    link: Digest,
}

impl Recipient {
    /// `enc_key` and `user` of a request, and the request's [`kms_asc_api::eip712::user_link`].
    ///
    /// # Errors
    /// When `enc_key` has not the one form of a key, or holds a number that is not reduced.
    pub fn new(enc_key: &[u8], user: EvmAddress, link: Digest) -> Result<Self, InvalidUserKey> {
        let bytes = decode_user_key(enc_key)
            .map_err(|_| InvalidUserKey("enc_key is not 869 bytes with the header of a key"))?;
        let key = EncapsulationKey::new(&Key::<EncapsulationKey<MlKem512>>::from(*bytes))
            .map_err(|_| InvalidUserKey("enc_key is no ML-KEM-512 key: a coefficient is not reduced"))?;
        Ok(Self { key, identity: wire::identity_of(bytes), user, link })
    }

    /// Signs a plaintext and encrypts both: `960 + plaintext` bytes, the same each time for the same arguments.
    ///
    /// # Errors
    /// See [`SealError`]; neither happens with plaintexts of this system.
    pub fn seal(
        &self,
        signer: &SigningKey,
        coins: &Coins,
        fhe_type: FheType,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let mut body = wire::message(fhe_type, plaintext, &self.link);
        let to_sign = wire::to_sign(&body, &self.user, &self.identity);
        let signature: Signature = signer.try_sign(&to_sign).map_err(|_| SealError::Signature)?;
        let signature = signature.normalize_s().unwrap_or(signature);
        wire::finish(&mut body, &signature.to_bytes().into(), &signing::public_key(signer.verifying_key()));

        let kem_coins = Zeroizing::new(B32::from(coins.kem));
        let (kem, shared) = self.key.encapsulate_deterministic(&kem_coins);
        let shared = Zeroizing::new(shared);
        Aes256Gcm::new(&shared)
            .encrypt_in_place(&coins.nonce.into(), &[], &mut *body)
            .map_err(|_| SealError::TooLong(plaintext.len()))?;
        Ok(wire::envelope(&coins.nonce, &kem, &body))
    }
}
