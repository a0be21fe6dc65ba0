//! What an entry says, by kind.

use cosmwasm_std::Uint128;
use serde::{Deserialize, Serialize};

use crate::{
    Config, DecodeError, DenialReason, Digest, Epoch, EpochId, FailureCode, KeyId, KeyRecord, OperationKind,
    PartyId, Signature,
};

macro_rules! log_body {
    ($($(#[$doc:meta])* $kind:literal => $name:ident { $($(#[$fdoc:meta])* $field:ident: $ty:ty,)* })*) => {
        /// The body of an entry; its kind is the variant.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        #[serde(untagged)]
        pub enum LogBody {
            $($(#[$doc])* $name { $($(#[$fdoc])* $field: $ty,)* },)*
        }

        impl LogBody {
            /// The kind's name in the entry.
            pub const fn kind(&self) -> &'static str {
                match self {
                    $(Self::$name { .. } => $kind,)*
                }
            }

            /// Reads a body of the given kind.
            ///
            /// # Errors
            /// When the kind is unknown or the body has other fields.
            pub fn parse(kind: &str, body: serde_json::Value) -> Result<Self, DecodeError> {
                match kind {
                    $($kind => {
                        #[derive(Deserialize)]
                        #[serde(deny_unknown_fields)]
                        struct Fields { $($field: $ty,)* }
                        let Fields { $($field,)* } = serde_json::from_value(body)
                            .map_err(|e| DecodeError::Json { record: $kind, reason: e.to_string() })?;
                        Ok(Self::$name { $($field,)* })
                    })*
                    other => Err(DecodeError::Json {
                        record: "log entry",
                        reason: format!("unknown kind {other}"),
                    }),
                }
            }
        }
    };
}

log_body! {
    /// The contract came to be.
    "instantiated" => Instantiated {
        /// Id of the code on the chain.
        code_id: u64,
        /// SHA-256 of the code.
        checksum: Digest,
        /// Version of the contract.
        version: String,
        /// SHA-256 of the stored configuration.
        config_hash: Digest,
    }
    /// The parameters from now on.
    "config_set" => ConfigSet {
        /// All of them.
        config: Box<Config>,
    }
    /// A new set of operators.
    "epoch_set" => EpochSet {
        /// The operators.
        epoch: Epoch,
    }
    /// A request was accepted and paid.
    "request_submitted" => RequestSubmitted {
        /// What is asked.
        operation: OperationKind,
        /// The key it uses.
        key_id: Option<KeyId>,
        /// What it costs.
        price: Uint128,
        /// When it ends, seconds.
        deadline: u64,
        /// Who has to answer.
        epoch: EpochId,
        /// SHA-256 of the stored body.
        request_hash: Digest,
    }
    /// A request was refused, on record.
    "request_denied" => RequestDenied {
        /// What was asked.
        operation: OperationKind,
        /// The key it would have used.
        key_id: Option<KeyId>,
        /// What was charged.
        price: Uint128,
        /// Null: nothing is waited for.
        deadline: Option<u64>,
        /// Null: nobody has to answer.
        epoch: Option<EpochId>,
        /// SHA-256 of the stored body.
        request_hash: Digest,
        /// Why.
        reason: DenialReason,
    }
    /// An answer counts.
    "response_recorded" => ResponseRecorded {
        /// Whose.
        party: PartyId,
        /// Of which epoch.
        epoch: EpochId,
        /// Number of the receipt's outcome.
        outcome: u32,
        /// SHA-256 of the stored response.
        response_hash: Digest,
    }
    /// An answer or failure came too late to count.
    "response_late" => ResponseLate {
        /// Whose.
        party: PartyId,
        /// Of which epoch.
        epoch: EpochId,
        /// Number of the receipt's outcome.
        outcome: u32,
        /// SHA-256 of the stored response.
        response_hash: Digest,
    }
    /// A failure counts.
    "failure_recorded" => FailureRecorded {
        /// Whose.
        party: PartyId,
        /// Of which epoch.
        epoch: EpochId,
        /// Number of the receipt's outcome: the failure code.
        outcome: u32,
        /// SHA-256 of the stored response.
        response_hash: Digest,
    }
    /// A party signed two different receipts for one request.
    "equivocation" => Equivocation {
        /// Who.
        party: PartyId,
        /// Of which epoch.
        epoch: EpochId,
        /// What was recorded, and stands.
        first: SignedReceipt,
        /// What came after it.
        second: SignedReceipt,
    }
    /// Enough equal answers.
    "request_fulfilled" => RequestFulfilled {
        /// SHA-256 of the payload that decided.
        payload_digest: Digest,
        /// What went back to the requester.
        refund: Uint128,
        /// What was credited, by party.
        credits: Vec<PartyCredit>,
        /// What went to the treasury.
        treasury: Uint128,
    }
    /// The request cannot be answered.
    "request_failed" => RequestFailed {
        /// Why.
        code: FailureCode,
        /// What went back to the requester.
        refund: Uint128,
        /// What was credited, by party.
        credits: Vec<PartyCredit>,
        /// What went to the treasury.
        treasury: Uint128,
    }
    /// No decision before the deadline.
    "request_expired" => RequestExpired {
        /// What went back to the requester.
        refund: Uint128,
        /// What was credited, by party.
        credits: Vec<PartyCredit>,
        /// What went to the treasury.
        treasury: Uint128,
    }
    /// A refund that the bank refused is credit now.
    "refund_credited" => RefundCredited {
        /// Whose.
        address: String,
        /// How much.
        amount: Uint128,
    }
    /// Credit was paid out.
    "withdrawn" => Withdrawn {
        /// Whose credit.
        address: String,
        /// Who received it.
        to: String,
        /// How much.
        amount: Uint128,
    }
    /// A key exists.
    "key_activated" => KeyActivated {
        /// Its record.
        key: Box<KeyRecord>,
    }
}

/// What one party earned by a decision. To whom it was credited stands in its epoch's entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartyCredit {
    /// The party.
    pub party: PartyId,
    /// How much.
    pub amount: Uint128,
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
