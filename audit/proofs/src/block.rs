//! A light block's bytes become types of the verifier.

use tendermint_light_client_verifier::types::{SignedHeader, ValidatorSet};
use tendermint_proto::{
    Protobuf,
    v0_38::types::{SignedHeader as RawSignedHeader, ValidatorSet as RawValidatorSet},
};

use crate::{HeaderError, LightBlock, error::brief};

/// Largest part of a light block, in bytes: several thousand validators.
pub(crate) const MAX_PART_BYTES: usize = 1 << 20;

/// Heights of real chains are far below; beyond, heights could not be counted on.
const MAX_HEIGHT: u64 = 1 << 62;

/// A light block that decodes and whose validators are those that its header names; who signed it is still open.
pub(crate) struct Decoded {
    pub(crate) signed_header: SignedHeader,
    pub(crate) validators: ValidatorSet,
    pub(crate) next_validators: ValidatorSet,
}

impl Decoded {
    /// Decodes a light block of `chain_id`.
    pub(crate) fn of(block: &LightBlock, chain_id: &str) -> Result<Self, HeaderError> {
        let decoded = Self {
            signed_header: signed_header(&block.signed_header)?,
            validators: validators("validators", &block.validators)?,
            next_validators: validators("next_validators", &block.next_validators)?,
        };
        decoded.check(chain_id)?;
        Ok(decoded)
    }

    pub(crate) fn height(&self) -> u64 {
        self.signed_header.header.height.value()
    }

    fn check(&self, chain_id: &str) -> Result<(), HeaderError> {
        let header = &self.signed_header.header;
        let height = self.height();
        if header.chain_id.as_str() != chain_id {
            return Err(HeaderError::OtherChain {
                given: brief(&header.chain_id),
                served: chain_id.to_owned(),
            });
        }
        let invalid = |reason: &str| Err(HeaderError::Invalid { height, reason: reason.to_owned() });
        if height == 0 || height >= MAX_HEIGHT {
            return invalid("no block has this height");
        }
        if self.validators.hash() != header.validators_hash {
            return invalid("the validators are not those that it names");
        }
        if self.next_validators.hash() != header.next_validators_hash {
            return invalid("the next validators are not those that it names");
        }
        Ok(())
    }
}

pub(crate) fn signed_header(bytes: &[u8]) -> Result<SignedHeader, HeaderError> {
    let part = "signed_header";
    bound(part, bytes)?;
    <SignedHeader as Protobuf<RawSignedHeader>>::decode_vec(bytes)
        .map_err(|error| HeaderError::Malformed { part, reason: brief(&error) })
}

fn validators(part: &'static str, bytes: &[u8]) -> Result<ValidatorSet, HeaderError> {
    bound(part, bytes)?;
    <ValidatorSet as Protobuf<RawValidatorSet>>::decode_vec(bytes)
        .map_err(|error| HeaderError::Malformed { part, reason: brief(&error) })
}

fn bound(part: &'static str, bytes: &[u8]) -> Result<(), HeaderError> {
    match bytes.len() {
        0..=MAX_PART_BYTES => Ok(()),
        given => Err(HeaderError::TooLarge { part, given, allowed: MAX_PART_BYTES }),
    }
}
