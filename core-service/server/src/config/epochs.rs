//! Sections `[[epochs]]`: the sets of operators that this core belongs to.

use std::num::NonZeroU32;

use kms_asc_api::{Digest, EpochId, PartyId};
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EpochConfig {
    id: NonZeroU32,
    party: PartyNumber,
    record: HexDigest,
}

/// The number of an operator: 1 to 31.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u32")]
struct PartyNumber(PartyId);

impl TryFrom<u32> for PartyNumber {
    type Error = String;

    fn try_from(number: u32) -> Result<Self, String> {
        match number {
            1..=PartyId::MAX => Ok(Self(PartyId(number))),
            _ => Err(format!("party {number} given, 1 to {} allowed", PartyId::MAX)),
        }
    }
}

/// A SHA-256 digest, written as 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct HexDigest(pub(super) Digest);

impl TryFrom<String> for HexDigest {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
            .map(Self)
            .map_err(|_| format!("{text:?} is not a SHA-256 digest of 64 hexadecimal digits"))
    }
}

/// What a core is in one epoch, and the record of that epoch that it accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The set of operators.
    pub epoch: EpochId,
    /// The core's own number in it.
    pub party: PartyId,
    /// SHA-256 of the epoch's record as the contract stores it while it is not revoked.
    pub record: Digest,
}

/// The memberships, ascending by epoch.
///
/// # Errors
/// If there is none, or an epoch is named twice.
pub(super) fn memberships(epochs: &[EpochConfig]) -> Result<Vec<Membership>, String> {
    let mut memberships: Vec<_> = epochs
        .iter()
        .map(|epoch| Membership {
            epoch: EpochId(epoch.id.get()),
            party: epoch.party.0,
            record: epoch.record.0,
        })
        .collect();
    memberships.sort_by_key(|membership| membership.epoch);
    if memberships.is_empty() {
        return Err("no epoch is named: a core must be a party of at least one".to_owned());
    }
    match memberships.windows(2).find(|pair| pair[0].epoch == pair[1].epoch) {
        Some(pair) => Err(format!("epoch {} is named twice", pair[0].epoch)),
        None => Ok(memberships),
    }
}
