//! Key material that somebody else made.

use crate::{
    CiphertextFormat, DecryptionKey, Element, Encryptor, FheType, KeyError, KeyType, ParameterSet, Plaintext,
    PublishedPart, SecretKey,
};

/// Checks that stored parts are one key of `params`, and returns the tag that its ciphertexts carry.
///
/// The secret key must parse, the published parts, server key then public key, conform, and all carry one tag. What the
/// public key encrypts, and what the server key makes of it by casting and by compressing, must decrypt under the secret
/// key. Takes as long as [`Encryptor::load`], and as much memory.
///
/// It shows that the parts fit each other, not that nobody else has them.
pub fn check_material(
    params: ParameterSet,
    secret: &SecretKey,
    published: &[PublishedPart],
) -> Result<Vec<u8>, KeyError> {
    let [server, public] = published else { return Err(KeyError::WrongParts) };
    if (server.key_type, public.key_type) != (KeyType::Server, KeyType::Public) {
        return Err(KeyError::WrongParts);
    }
    let key = DecryptionKey::load(params, secret)?;
    let encryptor = Encryptor::load(params, &server.bytes, &public.bytes)?;
    if encryptor.tag() != key.tag() || !belongs(&key, &encryptor)? {
        return Err(KeyError::Foreign);
    }
    Ok(key.tag().to_vec())
}

/// Every message is in some block.
const PROBE: u64 = 0x1B4E_1B4E_1B4E_1B4E;

fn belongs(key: &DecryptionKey, encryptor: &Encryptor) -> Result<bool, KeyError> {
    let failed = KeyError::LibraryFailure { doing: "encrypting a probe" };
    let probe = Plaintext::from_little_endian(FheType::Uint64, &PROBE.to_le_bytes());
    let probe = probe.map_err(|_| failed.clone())?;
    let raw = encryptor.encrypt_raw(&probe).map_err(|_| failed.clone())?;
    let list = encryptor.encrypt_compressed(&[probe]).map_err(|_| failed)?;

    let decrypts = |stored: &[u8], format| {
        let element = Element { index: 0, declared: FheType::Uint64 };
        key.decrypt(stored, format, &[element]) == [Ok(probe)]
    };
    Ok(decrypts(&raw, CiphertextFormat::Raw) && decrypts(&list, CiphertextFormat::Compressed))
}
