//! The layout: `wire = nonce(12) || u64 768 || kem_ct || u64 len || body`; within the body
//! `plain = msg || sig(64) || H_vk(32)`, `msg = u64 len(pt) || pt || i32 fhe_type || u64 32 || link`. Integers are little-endian.

use kms_asc_api::{Digest, EvmAddress, FheType, PublicKey, payload::wire_is_framed};
use sha3::{
    Shake256,
    digest::{ExtendableOutput, Update, XofReader},
};
use zeroize::Zeroizing;

use crate::OpenError;

pub(crate) const NONCE_LEN: usize = 12;
pub(crate) const KEM_LEN: usize = 768;
pub(crate) const SIGNATURE_LEN: usize = 64;
const HASH_LEN: usize = 32;
/// The message's bytes beside its plaintext.
const MESSAGE_OVERHEAD: usize = 8 + 4 + 8 + Digest::LEN;

const IDENTITY: &[u8; 8] = b"SIGNCRYP";
const SIGNED: &[u8; 8] = b"USER_DEC";

/// A length as it is written.
fn length(len: usize) -> [u8; 8] {
    u64::try_from(len).unwrap_or(u64::MAX).to_le_bytes()
}

/// `SHAKE256("SIGNCRYP" || u64 len || key)`, 32 bytes.
pub(crate) fn identity_of(key: &[u8]) -> [u8; HASH_LEN] {
    let mut hash = Shake256::default();
    hash.update(IDENTITY);
    hash.update(&length(key.len()));
    hash.update(key);
    let mut identity = [0; HASH_LEN];
    hash.finalize_xof().read(&mut identity);
    identity
}

/// What is signed: `"USER_DEC" || msg || user || H_enc`.
pub(crate) fn to_sign(message: &[u8], user: &EvmAddress, enc_key: &[u8; HASH_LEN]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new([SIGNED.as_slice(), message, user.as_bytes(), enc_key].concat())
}

/// Room for everything that [`message`] and [`finish`] write and for the tag, so that no copy of a plaintext is left behind
/// by a buffer that grew.
fn plain_len(plaintext: usize) -> usize {
    MESSAGE_OVERHEAD + plaintext + SIGNATURE_LEN + HASH_LEN + 16
}

/// `msg`, in a buffer with room for the rest of `plain`.
pub(crate) fn message(fhe_type: FheType, plaintext: &[u8], link: &Digest) -> Zeroizing<Vec<u8>> {
    let mut message = Zeroizing::new(Vec::with_capacity(plain_len(plaintext.len())));
    message.extend_from_slice(&length(plaintext.len()));
    message.extend_from_slice(plaintext);
    message.extend_from_slice(&i32::from(fhe_type.number()).to_le_bytes());
    message.extend_from_slice(&length(Digest::LEN));
    message.extend_from_slice(link.as_bytes());
    message
}

/// `plain` from `msg`.
pub(crate) fn finish(message: &mut Vec<u8>, signature: &[u8; SIGNATURE_LEN], signer: &PublicKey) {
    message.extend_from_slice(signature);
    message.extend_from_slice(&identity_of(signer.as_bytes()));
}

/// The envelope's bytes.
pub(crate) fn envelope(nonce: &[u8; NONCE_LEN], kem: &[u8], body: &[u8]) -> Vec<u8> {
    [nonce.as_slice(), &length(kem.len()), kem, &length(body.len()), body].concat()
}

/// An envelope's parts.
pub(crate) struct Parts<'a> {
    pub(crate) nonce: &'a [u8; NONCE_LEN],
    pub(crate) kem: &'a [u8; KEM_LEN],
    pub(crate) body: &'a [u8],
}

/// Takes an envelope apart.
pub(crate) fn parts(wire: &[u8]) -> Result<Parts<'_>, OpenError> {
    if !wire_is_framed(wire) {
        return Err(OpenError::Framing);
    }
    let split = || {
        let (nonce, rest) = wire.split_first_chunk()?;
        let (_, rest) = rest.split_first_chunk::<8>()?;
        let (kem, rest) = rest.split_first_chunk()?;
        let (_, body) = rest.split_first_chunk::<8>()?;
        Some(Parts { nonce, kem, body })
    };
    split().ok_or(OpenError::Framing)
}

/// `plain` taken apart.
pub(crate) struct Plain<'a> {
    pub(crate) message: &'a [u8],
    pub(crate) plaintext: &'a [u8],
    pub(crate) fhe_type: i32,
    pub(crate) link: &'a [u8; Digest::LEN],
    pub(crate) signature: &'a [u8; SIGNATURE_LEN],
    pub(crate) signer: &'a [u8; HASH_LEN],
}

/// Takes `plain` apart: the one form that [`message`] and [`finish`] write.
pub(crate) fn plain(bytes: &[u8]) -> Result<Plain<'_>, OpenError> {
    let split = || {
        let (rest, signer) = bytes.split_last_chunk()?;
        let (message, signature) = rest.split_last_chunk()?;
        let (rest, link) = message.split_last_chunk()?;
        let (rest, link_len) = rest.split_last_chunk::<8>()?;
        let (rest, fhe_type) = rest.split_last_chunk()?;
        let (plaintext_len, plaintext) = rest.split_first_chunk::<8>()?;
        let well_formed = *link_len == length(Digest::LEN) && *plaintext_len == length(plaintext.len());
        let fhe_type = i32::from_le_bytes(*fhe_type);
        well_formed.then_some(Plain { message, plaintext, fhe_type, link, signature, signer })
    };
    split().ok_or(OpenError::Message)
}
