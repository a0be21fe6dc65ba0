//! The payload of `key_gen`: the digests of what was published.

use super::PayloadError;
use crate::{Digest, KeyDigest, KeyType};

/// The payload of `key_gen`: `key type (1) || digest (32)` per published part.
pub fn encode_key_digests(digests: &[KeyDigest]) -> Vec<u8> {
    digests
        .iter()
        .flat_map(|part| std::iter::once(part.key_type.number()).chain(*part.digest.as_bytes()))
        .collect()
}

/// Reads the payload of `key_gen`.
///
/// # Errors
/// When it is not made of 33-byte parts with known types in strictly ascending order, server and public part.
pub fn decode_key_digests(payload: &[u8]) -> Result<Vec<KeyDigest>, PayloadError> {
    let chunks = payload.chunks_exact(33);
    if !chunks.remainder().is_empty() {
        return Err(PayloadError("length is no multiple of 33"));
    }
    let mut digests = Vec::with_capacity(chunks.len());
    for chunk in chunks {
        let key_type = match chunk[0] {
            0 => KeyType::Server,
            1 => KeyType::Public,
            _ => return Err(PayloadError("unknown key type")),
        };
        let digest = Digest::try_from(&chunk[1..]).map_err(|_| PayloadError("digest is not 32 bytes"))?;
        digests.push(KeyDigest { key_type, digest });
    }
    match digests.as_slice() {
        [server, public] if server.key_type == KeyType::Server && public.key_type == KeyType::Public => {
            Ok(digests)
        }
        _ => Err(PayloadError("not a server part followed by a public part")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_digests_come_back_and_any_other_form_is_refused() {
        let part = |key_type, byte| KeyDigest { key_type, digest: Digest::new([byte; 32]) };
        let digests = vec![part(KeyType::Server, 1), part(KeyType::Public, 2)];
        let payload = encode_key_digests(&digests);
        assert_eq!((payload.len(), payload[0], payload[33]), (66, 0, 1));
        assert_eq!(decode_key_digests(&payload).unwrap(), digests);
        let swapped = [part(KeyType::Public, 2), part(KeyType::Server, 1)];
        for bad in [&payload[..33], &payload[..65], &[][..], &[2; 66], &encode_key_digests(&swapped)] {
            assert!(decode_key_digests(bad).is_err());
        }
    }
}
