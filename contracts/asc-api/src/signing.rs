//! Signing and recovery outside the chain: RFC 6979, low-s, `v` 27 or 28.

use k256::ecdsa::{RecoveryId, Signature as EcdsaSignature, SigningKey, VerifyingKey};

use crate::{Digest, EvmAddress, PublicKey, Signature, SignatureError};

/// A signature that names no signer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecoverError {
    /// It is not in its canonical form.
    #[error(transparent)]
    Form(#[from] SignatureError),
    /// No key gives it.
    #[error("no key gives this signature")]
    NoKey,
}

/// Signs a hash.
///
/// # Errors
/// With negligible probability, when no valid signature exists for the nonce.
pub fn sign(key: &SigningKey, hash: &Digest) -> Result<Signature, RecoverError> {
    let (signature, recovery_id) =
        key.sign_prehash_recoverable(hash.as_bytes()).map_err(|_| RecoverError::NoKey)?;
    let (signature, recovery_id) = match signature.normalize_s() {
        Some(low) => (low, RecoveryId::new(!recovery_id.is_y_odd(), recovery_id.is_x_reduced())),
        None => (signature, recovery_id),
    };
    let mut bytes = [0u8; 65];
    bytes[..64].copy_from_slice(&signature.to_bytes());
    bytes[64] = 27 + u8::from(recovery_id.is_y_odd());
    Ok(Signature::new(bytes))
}

/// The key that made a signature over a hash.
///
/// # Errors
/// When the signature is not canonical, or no key gives it.
pub fn recover(hash: &Digest, signature: &Signature) -> Result<PublicKey, RecoverError> {
    recover_key(hash, signature).map(|key| public_key(&key))
}

/// The Ethereum address of the key that made a signature over a hash.
///
/// # Errors
/// As [`recover`].
pub fn recover_address(hash: &Digest, signature: &Signature) -> Result<EvmAddress, RecoverError> {
    recover_key(hash, signature).map(|key| address(&key))
}

fn recover_key(hash: &Digest, signature: &Signature) -> Result<VerifyingKey, RecoverError> {
    let (rs, recovery_id) = signature.parts()?;
    let recovery_id = RecoveryId::from_byte(recovery_id).ok_or(RecoverError::NoKey)?;
    let signature = EcdsaSignature::from_slice(rs).map_err(|_| RecoverError::NoKey)?;
    VerifyingKey::recover_from_prehash(hash.as_bytes(), &signature, recovery_id)
        .map_err(|_| RecoverError::NoKey)
}

/// The Ethereum address of a public key.
pub fn address(key: &VerifyingKey) -> EvmAddress {
    let point = key.to_encoded_point(false);
    let mut coordinates = [0u8; 64];
    // The first byte of the uncompressed form says that it is one.
    coordinates.copy_from_slice(&point.as_bytes()[1..]);
    EvmAddress::of_point(&coordinates)
}

/// The compressed form of a public key.
pub fn public_key(key: &VerifyingKey) -> PublicKey {
    let point = key.to_encoded_point(true);
    let mut bytes = [0u8; 33];
    bytes.copy_from_slice(point.as_bytes());
    PublicKey::new(bytes)
}

/// Refuses bytes that are no point of the curve: no signature could ever be this key's.
///
/// # Errors
/// When the bytes are not the compressed form of a secp256k1 public key.
pub fn check_public_key(key: &PublicKey) -> Result<(), NotAKey> {
    VerifyingKey::from_sec1_bytes(key.as_bytes()).map(drop).map_err(|_| NotAKey(*key))
}

/// Bytes that are no public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no secp256k1 public key in compressed form")]
pub struct NotAKey(PublicKey);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_names_its_signer_and_is_the_same_each_time() {
        for seed in 1..40u8 {
            let key = SigningKey::from_slice(&[seed; 32]).unwrap();
            let hash = Digest::sha256(&[seed]);
            let signature = sign(&key, &hash).unwrap();
            assert!(signature.parts().is_ok());
            assert_eq!(signature, sign(&key, &hash).unwrap());
            assert_eq!(recover(&hash, &signature).unwrap(), public_key(key.verifying_key()));
            assert_eq!(recover_address(&hash, &signature).unwrap(), address(key.verifying_key()));
            assert_ne!(recover(&Digest::sha256(b"other"), &signature), Ok(public_key(key.verifying_key())));
        }
    }

    #[test]
    fn only_compressed_points_of_the_curve_are_keys() {
        let good = public_key(SigningKey::from_slice(&[1; 32]).unwrap().verifying_key());
        assert_eq!(check_public_key(&good), Ok(()));
        // No point of the curve has x = 5; 4 begins the uncompressed form; x is below the field's order.
        let mut off_curve = [0; 33];
        (off_curve[0], off_curve[32]) = (2, 5);
        let mut uncompressed = *good.as_bytes();
        uncompressed[0] = 4;
        let mut too_large = [0xFF; 33];
        too_large[0] = 2;
        for bytes in [off_curve, uncompressed, too_large, [0; 33]] {
            let error = check_public_key(&PublicKey::new(bytes)).unwrap_err();
            assert!(error.to_string().contains(&PublicKey::new(bytes).to_string()), "{error}");
        }
    }
}
