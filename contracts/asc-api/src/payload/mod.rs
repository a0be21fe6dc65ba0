//! The bytes that answers consist of, by operation, and the user's key to which answers are encrypted.

mod key_gen;
mod user_decrypt;
mod user_key;
mod verify_input;

use crate::{Ciphertext, Digest};

pub use key_gen::{decode_key_digests, encode_key_digests};
pub use user_decrypt::{
    UserItem, UserPayload, user_decrypt_len, user_payload_shape, user_plaintext_len, wire_is_framed,
};
pub use user_key::{USER_KEY_LEN, decode_user_key, encode_user_key};
pub use verify_input::{INPUT_METADATA_LEN, InputBinding, InputVerdict, MAX_INPUTS, input_handle};

/// A payload that has not its operation's form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PayloadError(&'static str);

/// Length of a public decryption's payload: a 32-byte big-endian word per plaintext, wider types as many
/// words as they need, in order.
pub fn public_decrypt_len(ciphertexts: &[Ciphertext]) -> usize {
    ciphertexts.iter().map(|ciphertext| ciphertext.fhe_type.words() * 32).sum()
}

/// Reads the payload of `crs_gen`: the string's digest and nothing else.
///
/// # Errors
/// When it is not 32 bytes.
pub fn decode_crs_digest(payload: &[u8]) -> Result<Digest, PayloadError> {
    Digest::try_from(payload).map_err(|_| PayloadError("the digest is not 32 bytes"))
}
