//! What entries say of single parties.

use cosmwasm_std::Uint128;
use serde::{Deserialize, Serialize};

use crate::{Digest, PartyId, Signature};

/// What one party earned by a decision: in JSON `[party, amount]`. To whom it was credited stands in its epoch's entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Credit", into = "Credit")]
pub struct PartyCredit {
    /// The party.
    pub party: PartyId,
    /// How much.
    pub amount: Uint128,
    /// To whom it was credited, in entries of version 0.1.0 alone; later ones leave it out.
    pub address: Option<String>,
}

impl PartyCredit {
    /// What is logged of a credit.
    pub const fn new(party: PartyId, amount: Uint128) -> Self {
        Self { party, amount, address: None }
    }
}

/// A credit as it is written, and as version 0.1.0 wrote it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Credit {
    Pair(PartyId, Uint128),
    Named {
        party: PartyId,
        amount: Uint128,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<String>,
    },
}

impl From<Credit> for PartyCredit {
    fn from(credit: Credit) -> Self {
        match credit {
            Credit::Pair(party, amount) => Self::new(party, amount),
            Credit::Named { party, amount, address } => Self { party, amount, address },
        }
    }
}

impl From<PartyCredit> for Credit {
    fn from(credit: PartyCredit) -> Self {
        let PartyCredit { party, amount, address } = credit;
        match address {
            None => Self::Pair(party, amount),
            address => Self::Named { party, amount, address },
        }
    }
}

/// What a receipt signs beside request, epoch and party, and the signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedReceipt {
    /// The outcome's number.
    pub outcome: u32,
    /// SHA-256 of the payload.
    pub payload_digest: Digest,
    /// The signature.
    pub receipt: Signature,
}
