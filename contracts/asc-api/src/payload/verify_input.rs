//! The payload of `verify_input`: `0x01 || handles (32 each)`, or `0x00` for an input that is none.

use super::PayloadError;
use crate::{EvmAddress, FheType, Handle, VerifyInput};

/// Most elements of one input: their position is one byte of the handle.
pub const MAX_INPUTS: usize = 256;

const REFUSED: u8 = 0;
const ACCEPTED: u8 = 1;

/// What came of an input's proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputVerdict {
    /// The bytes do not parse, conform or prove.
    Refused,
    /// The input's elements, in order.
    Accepted(Vec<Handle>),
}

impl InputVerdict {
    /// The payload.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Refused => vec![REFUSED],
            Self::Accepted(handles) => {
                let bytes = handles.iter().flat_map(Handle::as_bytes).copied();
                std::iter::once(ACCEPTED).chain(bytes).collect()
            }
        }
    }

    /// Reads a payload about an input bound to the chain `chain_id`.
    ///
    /// # Errors
    /// When it is neither form, has no handle or more than 256, or a handle's last eleven bytes are not its
    /// position, the chain id (big-endian), a known type and version 0.
    pub fn decode(payload: &[u8], chain_id: u64) -> Result<Self, PayloadError> {
        let Some((&ACCEPTED, handles)) = payload.split_first() else {
            let refused = payload == [REFUSED];
            return if refused {
                Ok(Self::Refused)
            } else {
                Err(PayloadError("neither a refusal nor handles"))
            };
        };
        let (chunks, rest) = handles.as_chunks::<32>();
        if !rest.is_empty() || chunks.is_empty() || chunks.len() > MAX_INPUTS {
            return Err(PayloadError("not 1 to 256 handles of 32 bytes"));
        }
        for (position, handle) in (0u8..=u8::MAX).zip(chunks) {
            if handle[21] != position || handle[22..30] != chain_id.to_be_bytes() || handle[31] != 0 {
                return Err(PayloadError("a handle does not name its position, chain and version"));
            }
            if FheType::try_from(handle[30]).is_err() {
                return Err(PayloadError("a handle names no known type"));
            }
        }
        Ok(Self::Accepted(chunks.iter().copied().map(Handle::new).collect()))
    }
}

/// The handle at a position of an accepted input's payload, as it is stored.
pub fn input_handle(payload: &[u8], index: u16) -> Option<Handle> {
    let handles = payload.strip_prefix(&[ACCEPTED])?;
    let start = usize::from(index).checked_mul(32)?;
    Handle::try_from(handles.get(start..start.checked_add(32)?)?).ok()
}

/// Length of what an input's proof binds.
pub const INPUT_METADATA_LEN: usize = 92;

/// What an input's proof binds beside the ciphertexts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputBinding {
    /// The application that the input is meant for.
    pub contract: EvmAddress,
    /// Whose input it is.
    pub user: EvmAddress,
    /// The access-control contract.
    pub acl: EvmAddress,
    /// The chain.
    pub chain_id: u64,
}

impl InputBinding {
    /// What a request says that the proof binds.
    pub const fn of(input: &VerifyInput) -> Self {
        Self { contract: input.contract, user: input.user, acl: input.acl, chain_id: input.chain_id }
    }

    /// The proof's metadata: `contract (20) || user (20) || acl (20) || chain id (32, big-endian)`.
    pub fn metadata(&self) -> [u8; INPUT_METADATA_LEN] {
        let mut metadata = [0; INPUT_METADATA_LEN];
        metadata[..20].copy_from_slice(self.contract.as_bytes());
        metadata[20..40].copy_from_slice(self.user.as_bytes());
        metadata[40..60].copy_from_slice(self.acl.as_bytes());
        metadata[84..].copy_from_slice(&self.chain_id.to_be_bytes());
        metadata
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metadata_names_contract_user_acl_and_chain_in_this_order() {
        let binding = InputBinding {
            contract: EvmAddress::new([0xaa; 20]),
            user: EvmAddress::new([0xbb; 20]),
            acl: EvmAddress::new([0xcc; 20]),
            chain_id: CHAIN,
        };
        let expected =
            format!("{}{}{}{}", "aa".repeat(20), "bb".repeat(20), "cc".repeat(20), "00".repeat(24));
        assert_eq!(hex::encode(binding.metadata()), expected + "0102030405060708");
    }

    const CHAIN: u64 = 0x0102_0304_0506_0708;

    fn handle(position: u8) -> Handle {
        let mut bytes = [0xaa; 32];
        bytes[21] = position;
        bytes[22..30].copy_from_slice(&CHAIN.to_be_bytes());
        bytes[30..].copy_from_slice(&[5, 0]);
        Handle::new(bytes)
    }

    #[test]
    fn both_verdicts_come_back_and_each_element_is_found_at_its_position() {
        let accepted = InputVerdict::Accepted((0..=255).map(handle).collect());
        for verdict in [InputVerdict::Refused, accepted.clone()] {
            assert_eq!(InputVerdict::decode(&verdict.encode(), CHAIN).unwrap(), verdict);
        }
        let payload = accepted.encode();
        assert_eq!(payload.len(), 1 + 32 * 256);
        assert_eq!(
            (input_handle(&payload, 0), input_handle(&payload, 255)),
            (Some(handle(0)), Some(handle(255)))
        );
        assert_eq!((input_handle(&payload, 256), input_handle(&payload, u16::MAX)), (None, None));
        assert_eq!(input_handle(&InputVerdict::Refused.encode(), 0), None);
    }

    #[test]
    fn any_other_form_is_refused() {
        let payload = InputVerdict::Accepted(vec![handle(0), handle(1)]).encode();
        let too_many = [payload.as_slice(), &[0; 32 * 255]].concat();
        for bad in [&[][..], &[1], &[2], &[0, 0], &payload[..64], &payload[1..], &too_many] {
            assert!(InputVerdict::decode(bad, CHAIN).is_err(), "{}", bad.len());
        }
        for at in 21..32 {
            for handle in [0, 1] {
                let mut changed = payload.clone();
                changed[1 + 32 * handle + at] ^= 0x80;
                assert!(InputVerdict::decode(&changed, CHAIN).is_err(), "byte {at}");
            }
        }
        assert!(InputVerdict::decode(&payload, CHAIN + 1).is_err());
        let swapped = InputVerdict::Accepted(vec![handle(1), handle(0)]).encode();
        assert!(InputVerdict::decode(&swapped, CHAIN).is_err());
    }
}
