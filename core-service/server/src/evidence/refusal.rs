use kms_asc_api::{KeyState, State};
use kms_core_proto::reason;
use kms_proofs::{HeaderError, ProofError, Time};
use thiserror::Error;

/// Why a proof is not enough for the core to act.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// It is missing, does not decode, or is larger than any honest one.
    #[error("the proof is malformed: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
    /// It lacks something that must be proven.
    #[error("the proof lacks {missing}")]
    Incomplete {
        /// What it lacks.
        missing: Missing,
    },
    /// It does not lead to the header's app hash.
    #[error("{0}")]
    NotProven(ProofError),
    /// A header is not one that the trusted validators signed.
    #[error("{0}")]
    Header(HeaderError),
    /// The header lies too far behind.
    #[error("the header of height {height} is more than 50 behind the newest, {newest}")]
    Behind {
        /// Its height.
        height: u64,
        /// The newest verified one.
        newest: u64,
    },
    /// The header is too old by its time.
    #[error("the header of height {height} is {age} s old, {allowed} s are allowed")]
    Old {
        /// Its height.
        height: u64,
        /// By this machine's clock.
        age: u64,
        /// The largest age.
        allowed: u64,
    },
    /// The newest header is older than the trusting period.
    #[error(
        "the trust in header {height} expired at {expired}; an operator must renew it with `kms-core trust`"
    )]
    TrustExpired {
        /// Its height.
        height: u64,
        /// When.
        expired: Time,
    },
    /// Two valid headers of one height were seen.
    #[error("two valid headers of height {height} were seen; nothing is done until an operator has looked")]
    ConflictingHeaders {
        /// The height.
        height: u64,
    },
    /// An entry belongs to another contract than the one served.
    #[error("the proof shows state of another contract, 0x{given}")]
    OtherContract {
        /// Its address, hexadecimal.
        given: String,
    },
    /// It is proven that the contract has no such record.
    #[error("the contract has no {what}")]
    NotRecorded {
        /// What it has not.
        what: String,
    },
    /// The contract stores other bytes.
    #[error("the contract stores another body for request {request_id}")]
    BodyMismatch {
        /// The id.
        request_id: u64,
    },
    /// The request is finished.
    #[error("request {request_id} is {state}")]
    NotPending {
        /// The id.
        request_id: u64,
        /// What it is.
        state: State,
    },
    /// The contract runs or ran code that is not pinned.
    #[error("the contract ran code {code_id} with hash {hash}, which is not allowed")]
    Code {
        /// The code's id.
        code_id: u64,
        /// Its SHA-256, hexadecimal.
        hash: String,
    },
    /// Somebody else than the contract may change its code.
    #[error("{}, the contract itself is allowed", match .admin.as_str() {
        "" => "nobody may change the contract's code".to_owned(),
        admin => format!("{admin} may change the contract's code"),
    })]
    WasmAdmin {
        /// Who; empty for nobody.
        admin: String,
    },
    /// The epoch's record is not the pinned one.
    #[error("the record of epoch {epoch} has hash {hash}, which is not the pinned one")]
    EpochNotPinned {
        /// The epoch.
        epoch: u32,
        /// SHA-256 of its record, hexadecimal.
        hash: String,
    },
    /// The epoch was revoked.
    #[error("epoch {epoch} was revoked at {at}")]
    EpochRevoked {
        /// The epoch.
        epoch: u32,
        /// Seconds since 1970.
        at: u64,
    },
    /// The key may not be used so.
    #[error("key {key_id} is {}", .state.name())]
    KeyState {
        /// The key.
        key_id: u64,
        /// What its record says.
        state: KeyState,
    },
    /// The key is not to be destroyed.
    #[error("key {key_id} is {}, not destroyed", .state.name())]
    KeyNotDestroyed {
        /// The key.
        key_id: u64,
        /// What its record says.
        state: KeyState,
    },
}

/// What a proof lacks.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Missing {
    /// A light block.
    #[error("the light block of height {height}")]
    LightBlock {
        /// Its height.
        height: u64,
    },
    /// The proof of the store's root.
    #[error("the store's proof")]
    StoreProof,
    /// An entry.
    #[error("the entry of key {}", hex::encode(key))]
    Entry {
        /// Its key in the store.
        key: Vec<u8>,
    },
}

impl Refusal {
    /// The stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => reason::MALFORMED_PROOF,
            Self::Incomplete { .. } => reason::PROOF_INCOMPLETE,
            Self::NotProven(_) => reason::PROOF_INVALID,
            Self::Header(_) => reason::HEADER_INVALID,
            Self::Behind { .. } | Self::Old { .. } => reason::HEADER_STALE,
            Self::TrustExpired { .. } => reason::TRUST_EXPIRED,
            Self::ConflictingHeaders { .. } => reason::CONFLICTING_HEADERS,
            Self::OtherContract { .. } => reason::WRONG_CONTRACT,
            Self::NotRecorded { .. } => reason::NOT_RECORDED,
            Self::BodyMismatch { .. } => reason::BODY_MISMATCH,
            Self::NotPending { .. } => reason::NOT_PENDING,
            Self::Code { .. } => reason::CODE_NOT_ALLOWED,
            Self::WasmAdmin { .. } => reason::WASM_ADMIN,
            Self::EpochNotPinned { .. } => reason::EPOCH_NOT_PINNED,
            Self::EpochRevoked { .. } => reason::EPOCH_REVOKED,
            Self::KeyState { .. } => reason::KEY_STATE,
            Self::KeyNotDestroyed { .. } => reason::KEY_NOT_DESTROYED,
        }
    }

    /// What the caller's program should know beside the name.
    pub(crate) fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Incomplete { missing: Missing::LightBlock { height } } => {
                vec![(reason::MISSING, "light_block".to_owned()), (reason::HEIGHT, height.to_string())]
            }
            Self::Incomplete { missing: Missing::StoreProof } => {
                vec![(reason::MISSING, "store_proof".to_owned())]
            }
            Self::Incomplete { missing: Missing::Entry { key } } => vec![(reason::MISSING, hex::encode(key))],
            _ => Vec::new(),
        }
    }
}

impl From<HeaderError> for Refusal {
    fn from(error: HeaderError) -> Self {
        match error {
            HeaderError::TooLarge { .. } | HeaderError::Malformed { .. } => {
                Self::Malformed { reason: error.to_string() }
            }
            HeaderError::TrustExpired { height, expired, .. } => Self::TrustExpired { height, expired },
            error => Self::Header(error),
        }
    }
}

impl From<ProofError> for Refusal {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::TooLarge { .. } | ProofError::Malformed { .. } => {
                Self::Malformed { reason: error.to_string() }
            }
            error => Self::NotProven(error),
        }
    }
}
