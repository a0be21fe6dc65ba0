//! The payload of `user_decrypt`: bincode 1 with little-endian fixed integers, in the order of fields that
//! clients read.

use super::PayloadError;
use crate::{Ciphertext, Digest, Epoch, EpochMode, FheType, Handle, PartyId, PublicKey, UserDecrypt};

const NONCE: usize = 12;
const KEM_CIPHERTEXT: usize = 768;
/// `nonce || u64 768 || kem_ct || u64 len`.
const WIRE_HEAD: usize = NONCE + 8 + KEM_CIPHERTEXT + 8;
/// Bytes of a signcryption beside its plaintext: the head above; in the body the plaintext's length (8), type
/// (4), link (8 + 32), signature (64), hash of the signer's key (32) and tag (16).
const WIRE_OVERHEAD: usize = WIRE_HEAD + 164;
/// Bytes of a payload beside its items, and of an item beside its signcryption.
const PAYLOAD_OVERHEAD: usize = 8 + 8 + PublicKey::LEN + 8 + Digest::LEN + 8 + 4 + 4;
const ITEM_OVERHEAD: usize = 4 + 8 + 8 + Handle::LEN + 4;

/// One party's answer to a user: `u64 41 || (u64 33 || sec1 key) ; u64 32 || link ; u64 k ; k items ; u32
/// party_id ; u32 degree`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPayload<'a> {
    /// The key with which the party signed within the items.
    pub verification_key: PublicKey,
    /// [`crate::eip712::user_link`] of the request.
    pub link: Digest,
    /// One for each ciphertext, in order.
    pub items: Vec<UserItem<'a>>,
    /// Where the party's share was taken; 1 if the answer is whole.
    pub party_id: u32,
    /// Degree of the sharing; 0 if the answer is whole.
    pub degree: u32,
}

/// One plaintext or share: `i32 fhe_type ; u64 len || wire ; u64 len || handle ; u32 packing_factor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserItem<'a> {
    /// Type of the value.
    pub fhe_type: FheType,
    /// The signcryption: `nonce(12) || u64 768 || kem_ct || u64 len || body`.
    pub wire: &'a [u8],
    /// The ciphertext's handle.
    pub handle: Handle,
    /// Message blocks that one share carries; 1 if the answer is whole.
    pub packing_factor: u32,
}

impl<'a> UserPayload<'a> {
    /// The payload's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_len(&mut out, 8 + PublicKey::LEN);
        put_bytes(&mut out, self.verification_key.as_bytes());
        put_bytes(&mut out, self.link.as_bytes());
        put_len(&mut out, self.items.len());
        for item in &self.items {
            out.extend_from_slice(&u32::from(item.fhe_type.number()).to_le_bytes());
            put_bytes(&mut out, item.wire);
            put_bytes(&mut out, item.handle.as_bytes());
            out.extend_from_slice(&item.packing_factor.to_le_bytes());
        }
        out.extend_from_slice(&self.party_id.to_le_bytes());
        out.extend_from_slice(&self.degree.to_le_bytes());
        out
    }

    /// Reads the one form that [`Self::encode`] writes.
    ///
    /// # Errors
    /// When a length is another, a type is unknown, a signcryption's own lengths do not add up, or bytes are
    /// missing or left over.
    pub fn decode(payload: &'a [u8]) -> Result<Self, PayloadError> {
        let mut reader = Reader(payload);
        if reader.len()? != 8 + PublicKey::LEN {
            return Err(PayloadError("the key's envelope is not 41 bytes"));
        }
        let verification_key = PublicKey::new(*reader.fixed()?);
        let link = Digest::new(*reader.fixed()?);
        let count = reader.len()?;
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(reader.item()?);
        }
        let (party_id, degree) = (reader.u32()?, reader.u32()?);
        if !reader.0.is_empty() {
            return Err(PayloadError("bytes are left over"));
        }
        Ok(Self { verification_key, link, items, party_id, degree })
    }

    /// Whether this is how a party of an epoch answers a request, as far as anybody but the user can tell.
    ///
    /// # Errors
    /// What differs.
    pub fn check(
        &self,
        request: &UserDecrypt,
        link: &Digest,
        epoch: &Epoch,
        party: PartyId,
    ) -> Result<(), PayloadError> {
        let signer = epoch.party(party).map(|party| party.signer);
        if signer != Some(self.verification_key) {
            return Err(PayloadError("the key is not the party's"));
        }
        if self.link != *link {
            return Err(PayloadError("the link is not the request's"));
        }
        if (self.party_id, self.degree) != user_payload_shape(epoch, party) {
            return Err(PayloadError("party_id or degree is not the epoch's"));
        }
        if self.items.len() != request.ciphertexts.len() {
            return Err(PayloadError("not one item for each ciphertext"));
        }
        let whole = epoch.mode != EpochMode::Threshold;
        for (item, ciphertext) in self.items.iter().zip(&request.ciphertexts) {
            if (item.fhe_type, item.handle) != (ciphertext.fhe_type, ciphertext.handle) {
                return Err(PayloadError("an item has another type or handle than its ciphertext"));
            }
            if !(1..=if whole { 1 } else { 2 }).contains(&item.packing_factor) {
                return Err(PayloadError("the packing factor is not the epoch's"));
            }
            let plaintext = user_plaintext_len(item.fhe_type, epoch.mode);
            if whole && item.wire.len() != WIRE_OVERHEAD + plaintext {
                return Err(PayloadError("a signcryption has not its type's length"));
            }
        }
        Ok(())
    }
}

/// `party_id` and `degree` in a party's answer to a user: a share's place and degree, or 1 and 0 where each
/// answer is whole.
pub fn user_payload_shape(epoch: &Epoch, party: PartyId) -> (u32, u32) {
    match epoch.mode {
        EpochMode::Centralized | EpochMode::Replicated => (1, 0),
        EpochMode::Threshold => (party.get(), epoch.faulty),
    }
}

/// Most bytes of what is encrypted for one value: the value itself, little-endian in its type's width, or a
/// share: a count (8) and 64 bytes for each element of four blocks.
pub fn user_plaintext_len(fhe_type: FheType, mode: EpochMode) -> usize {
    let bits = usize::from(fhe_type.bits());
    match mode {
        EpochMode::Centralized | EpochMode::Replicated => bits.div_ceil(8),
        EpochMode::Threshold => 8 + 64 * bits.div_ceil(2).div_ceil(4),
    }
}

/// Most bytes of a party's answer for these ciphertexts; exactly so many where each answer is whole.
pub fn user_decrypt_len(ciphertexts: &[Ciphertext], mode: EpochMode) -> usize {
    let item = |ciphertext: &Ciphertext| {
        ITEM_OVERHEAD + WIRE_OVERHEAD + user_plaintext_len(ciphertext.fhe_type, mode)
    };
    PAYLOAD_OVERHEAD + ciphertexts.iter().map(item).sum::<usize>()
}

/// Whether a signcryption's own lengths add up.
pub fn wire_is_framed(wire: &[u8]) -> bool {
    let length = |at: usize| wire.get(at..).and_then(|rest| Reader(rest).len().ok());
    wire.len() > WIRE_OVERHEAD
        && length(NONCE) == Some(KEM_CIPHERTEXT)
        && length(WIRE_HEAD - 8) == Some(wire.len() - WIRE_HEAD)
}

fn put_len(out: &mut Vec<u8>, len: usize) {
    out.extend_from_slice(&u64::try_from(len).unwrap_or(u64::MAX).to_le_bytes());
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_len(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// What has not been read yet.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], PayloadError> {
        let (array, rest) = self.0.split_first_chunk().ok_or(PayloadError("the payload ends too early"))?;
        self.0 = rest;
        Ok(array)
    }

    fn u32(&mut self) -> Result<u32, PayloadError> {
        Ok(u32::from_le_bytes(*self.array()?))
    }

    fn len(&mut self) -> Result<usize, PayloadError> {
        let len = u64::from_le_bytes(*self.array()?);
        usize::try_from(len).map_err(|_| PayloadError("a length is too large"))
    }

    /// Bytes of the one length that they may have.
    fn fixed<const N: usize>(&mut self) -> Result<&'a [u8; N], PayloadError> {
        if self.len()? == N { self.array() } else { Err(PayloadError("a field has another length")) }
    }

    fn item(&mut self) -> Result<UserItem<'a>, PayloadError> {
        let fhe_type = u8::try_from(self.u32()?).ok().and_then(|number| FheType::try_from(number).ok());
        let fhe_type = fhe_type.ok_or(PayloadError("an item has no known type"))?;
        let len = self.len()?;
        let (wire, rest) = self.0.split_at_checked(len).ok_or(PayloadError("the payload ends too early"))?;
        self.0 = rest;
        if !wire_is_framed(wire) {
            return Err(PayloadError("a signcryption's lengths do not add up"));
        }
        Ok(UserItem { fhe_type, wire, handle: Handle::new(*self.fixed()?), packing_factor: self.u32()? })
    }
}

#[cfg(test)]
mod tests;
