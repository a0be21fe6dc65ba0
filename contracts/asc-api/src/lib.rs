//! The one vocabulary of everything that speaks with the ASC, the contract that keeps the ledger
//! and the audit log of the KMS: messages, queries, typed events, ids, state keys, log entries and
//! the hashes that operators sign. No I/O; everything here compiles to wasm.
//!
//! Conventions: JSON is snake_case, bytes are base64, amounts are decimal strings, times are whole
//! seconds of block time, ids are unsigned integers.

mod amount;
mod bytes;
mod config;
mod domain;
pub mod eip712;
pub mod event;
mod fhe_type;
mod id;
mod item_outcome;
pub mod log;
mod msg;
mod operation;
mod outcome;
pub mod payload;
mod query;
mod record;
mod request;
mod response;
#[cfg(feature = "signing")]
pub mod signing;
pub mod state_key;
mod statement;
mod status;
mod terms;

pub use amount::{PricingError, RequestSize, failure_fee_of, operators_share, price_of};
pub use bytes::{Digest, EvmAddress, Handle, PublicKey, Signature, SignatureError, WrongLength};
pub use config::{Config, FeeSchedule, Fees, KeyDomain, Limits};
pub use domain::{Eip712Domain, key_contract_address};
pub use fhe_type::{FheType, UnknownFheType};
pub use id::{CrsId, EpochId, KeyId, PartyId, RequestId};
pub use item_outcome::{CloseOutcome, ItemOutcome, OutcomesData, RejectReason};
pub use kms_callback::{Callback, EndState, KmsResult};
pub use msg::{
    Answer, ExecuteMsg, Failure, InstantiateMsg, MAX_REQUESTS, MigrateMsg, NewRequest, SubmitRequestData,
    SubmitRequestsData,
};
pub use operation::{
    Ciphertext, CiphertextFormat, CrsGen, CrsSource, KeyGen, KeyParams, KeySource, Operation, OperationKind,
    Provenance, PublicDecrypt, UserDecrypt, VerifyInput,
};
pub use outcome::{DenialReason, FailureCode, Outcome, UnknownCode};
pub use query::*;
pub use record::{
    CrsRecord, Epoch, EpochMode, GrantRecord, KeyDigest, KeyRecord, KeyState, KeyType, MigrationRecord,
    Party, Totals,
};
pub use request::{RequestBody, request_hash};
pub use response::StoredResponse;
pub use status::{State, Status};
pub use terms::{DefaultDomains, Terms};

/// Why stored bytes are not what they should be. Only damaged or foreign state gives this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end before the record does, or go on behind it.
    #[error("{record}: {given} bytes given, {allowed} allowed")]
    Length {
        /// The kind of record.
        record: &'static str,
        /// Bytes given.
        given: usize,
        /// Bytes that this record has, in words.
        allowed: &'static str,
    },
    /// A field holds a value that does not exist.
    #[error("{record}: field {field} holds {given}, which has no meaning")]
    Value {
        /// The kind of record.
        record: &'static str,
        /// The field.
        field: &'static str,
        /// The value found.
        given: u64,
    },
    /// The bytes are not the JSON of this record.
    #[error("{record}: {reason}")]
    Json {
        /// The kind of record.
        record: &'static str,
        /// What the parser says.
        reason: String,
    },
}
