//! What an entry says, by kind.

use cosmwasm_std::Uint128;
use serde::{Deserialize, Serialize};

use super::party::{PartyCredit, SignedReceipt};
use crate::{
    Config, CrsRecord, DecodeError, DenialReason, Digest, Eip712Domain, Epoch, EpochId, FailureCode,
    GrantRecord, KeyId, KeyRecord, MigrationRecord, OperationKind, PartyId,
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
            /// Every kind, in the order of the definitions here.
            pub const KINDS: &[&str] = &[$($kind),*];

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
                        #[allow(clippy::empty_structs_with_brackets)]
                        struct Fields { $($(#[$fdoc])* $field: $ty,)* }
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
        /// Who governs; empty in a log that version 0.1.0 began, which did not say.
        #[serde(default)]
        admin: String,
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
        #[serde(rename = "hash", alias = "request_hash")]
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
        #[serde(rename = "hash", alias = "request_hash")]
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
        #[serde(rename = "hash", alias = "response_hash")]
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
        #[serde(rename = "hash", alias = "response_hash")]
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
        #[serde(rename = "hash", alias = "response_hash")]
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
    /// The requester wants it back.
    "cancel_requested" => CancelRequested {
        /// When that takes effect, seconds.
        cancel_at: u64,
    }
    /// An operator spoke before that took effect.
    "cancel_lapsed" => CancelLapsed {
        /// When it would have taken effect, seconds.
        cancel_at: u64,
    }
    /// Enough answers.
    "request_fulfilled" => RequestFulfilled {
        /// SHA-256 of the payload that decided; null where each party's payload is its own.
        #[serde(rename = "digest", alias = "payload_digest")]
        payload_digest: Option<Digest>,
        /// What went back to the requester: nothing, which is left out.
        #[serde(default, skip_serializing_if = "Uint128::is_zero")]
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
    /// Taken back by the requester.
    "request_cancelled" => RequestCancelled {
        /// What went back to the requester.
        refund: Uint128,
        /// What was credited, by party.
        credits: Vec<PartyCredit>,
        /// What went to the treasury.
        treasury: Uint128,
    }
    /// The requesting contract could not take its answer; nothing else changed.
    "callback_failed" => CallbackFailed {
        /// What the chain says of it.
        error: String,
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
    /// The admin paid out of the treasury.
    "treasury_withdrawn" => TreasuryWithdrawn {
        /// Who received it.
        to: String,
        /// How much.
        amount: Uint128,
    }
    /// The admin paid out what no request had brought.
    "surplus_swept" => SurplusSwept {
        /// Who received it.
        to: String,
        /// Of this denomination.
        denom: String,
        /// How much.
        amount: Uint128,
    }
    /// A key exists.
    "key_activated" => KeyActivated {
        /// Its record.
        key: Box<KeyRecord>,
    }
    /// A key moved to another epoch.
    "key_taken_over" => KeyTakenOver {
        /// Its record.
        key: Box<KeyRecord>,
    }
    /// A key's state was set.
    "key_state_set" => KeyStateSet {
        /// Its record.
        key: Box<KeyRecord>,
    }
    /// A key was offered to somebody.
    "key_offered" => KeyOffered {
        /// Its record.
        key: Box<KeyRecord>,
    }
    /// A key has a new owner.
    "key_accepted" => KeyAccepted {
        /// Its record.
        key: Box<KeyRecord>,
    }
    /// Others vouch for a key's ciphertexts.
    "attesters_set" => AttestersSet {
        /// Its record.
        key: Box<KeyRecord>,
    }
    /// Other reference strings prove a key's inputs.
    "crs_allowed" => CrsAllowed {
        /// Its record.
        key: Box<KeyRecord>,
    }
    /// A key's owner trusts somebody with it.
    "granted" => Granted {
        /// The grant.
        grant: GrantRecord,
    }
    /// That trust was taken back.
    "revoked" => Revoked {
        /// The grant that is no more.
        grant: GrantRecord,
    }
    /// A domain belongs to a key, for good.
    "domain_registered" => DomainRegistered {
        /// The key.
        key_id: KeyId,
        /// The domain.
        domain: Eip712Domain,
        /// Its separator.
        separator: Digest,
    }
    /// A common reference string exists.
    "crs_activated" => CrsActivated {
        /// Its record.
        crs: CrsRecord,
    }
    /// An epoch's answers are late from now on.
    "epoch_revoked" => EpochRevoked {
        /// Its record.
        epoch: Epoch,
    }
    /// No new requests.
    "paused" => Paused {}
    /// New requests again.
    "unpaused" => Unpaused {}
    /// The office was offered to somebody.
    "admin_proposed" => AdminProposed {
        /// To whom.
        admin: String,
    }
    /// Somebody else governs.
    "admin_accepted" => AdminAccepted {
        /// Who.
        admin: String,
    }
    /// New code was announced.
    "migration_scheduled" => MigrationScheduled {
        /// Which, and from when on it may run.
        migration: MigrationRecord,
    }
    /// The announced code takes over with this message.
    "migration_started" => MigrationStarted {
        /// Which.
        migration: MigrationRecord,
        /// Version of the contract that hands over.
        version: String,
    }
    /// New code has taken over.
    "migrated" => Migrated {
        /// Id of the code on the chain.
        code_id: u64,
        /// SHA-256 of the code.
        checksum: Digest,
        /// Version of the contract before.
        from_version: String,
        /// Version of the contract now.
        to_version: String,
        /// SHA-256 of the stored configuration.
        config_hash: Digest,
        /// Who governs.
        admin: String,
    }
}
