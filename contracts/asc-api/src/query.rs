//! Queries and their answers. Every page fits one query's gas and says where the next one starts.

use cosmwasm_schema::{QueryResponses, cw_serde};
use cosmwasm_std::{Binary, Uint128};

use crate::{
    Callback, Config, CrsId, CrsRecord, Digest, Epoch, EpochId, FailureCode, GrantRecord, KeyId, KeyRecord,
    MigrationRecord, Operation, PartyId, RequestBody, RequestId, Signature, State, log::LogHead,
};

/// What the contract can be asked.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(QueryResponses)]
pub enum QueryMsg {
    /// The parameters.
    #[returns(Config)]
    Config {},
    /// One epoch; the newest if none is named.
    #[returns(Epoch)]
    Epoch {
        /// The epoch.
        id: Option<EpochId>,
    },
    /// All epochs.
    #[returns(Page<Epoch, EpochId>)]
    Epochs {
        /// Behind this one.
        start_after: Option<EpochId>,
        /// At most so many.
        limit: Option<u32>,
    },
    /// One request.
    #[returns(RequestView)]
    Request {
        /// The request.
        id: RequestId,
    },
    /// Requests, newest last. The scan is bounded: a page may be short, or empty, and yet not be the last.
    #[returns(Page<RequestView, RequestId>)]
    Requests {
        /// Only in this state.
        state: Option<State>,
        /// Only of this address.
        requester: Option<String>,
        /// Behind this one.
        start_after: Option<RequestId>,
        /// At most so many.
        limit: Option<u32>,
    },
    /// Ids of pending requests, due ones included.
    #[returns(Page<RequestId, RequestId>)]
    Open {
        /// Behind this one.
        start_after: Option<RequestId>,
        /// At most so many.
        limit: Option<u32>,
    },
    /// One party's answer or failure.
    #[returns(ResponseView)]
    Response {
        /// The request.
        request_id: RequestId,
        /// The party.
        party: PartyId,
    },
    /// All answers and failures to a request.
    #[returns(Vec<ResponseView>)]
    Responses {
        /// The request.
        request_id: RequestId,
    },
    /// One key.
    #[returns(KeyRecord)]
    Key {
        /// The key.
        id: KeyId,
    },
    /// All keys.
    #[returns(Page<KeyRecord, KeyId>)]
    Keys {
        /// Behind this one.
        start_after: Option<KeyId>,
        /// At most so many.
        limit: Option<u32>,
    },
    /// One common reference string.
    #[returns(CrsRecord)]
    Crs {
        /// The string.
        id: CrsId,
    },
    /// To whom a key's owner gave grants, void ones included.
    #[returns(Page<GrantView, String>)]
    Grants {
        /// The key.
        key_id: KeyId,
        /// Behind this address.
        start_after: Option<String>,
        /// At most so many.
        limit: Option<u32>,
    },
    /// The key that a domain belongs to.
    #[returns(DomainView)]
    Domain {
        /// The domain separator.
        separator: Digest,
    },
    /// Entries of the log.
    #[returns(LogPage)]
    Log {
        /// Number of the first entry, from 1.
        from: u64,
        /// At most so many.
        limit: Option<u32>,
    },
    /// Length and hash of the log.
    #[returns(LogHead)]
    LogHead {},
    /// What an operation would cost now.
    #[returns(Quote)]
    Quote {
        /// The operation.
        operation: Box<Operation>,
        /// With a callback.
        callback: Option<Callback>,
    },
    /// What keeps a request pending.
    #[returns(WhyPending)]
    WhyPending {
        /// The request.
        request_id: RequestId,
    },
    /// What an address can withdraw.
    #[returns(Credit)]
    Credit {
        /// The address.
        address: String,
    },
    /// Who governs, and what is announced.
    #[returns(Governance)]
    Governance {},
    /// Whether the contract holds what it owes.
    #[returns(Solvency)]
    Solvency {},
    /// Which contract this is.
    #[returns(Version)]
    Version {},
}

/// A page of a list.
#[cw_serde]
pub struct Page<T, C> {
    /// The items.
    pub items: Vec<T>,
    /// `start_after` of the next page; absent on the last.
    pub next: Option<C>,
}

/// A request and what has become of it.
#[cw_serde]
pub struct RequestView {
    /// What was asked.
    pub body: RequestBody,
    /// SHA-256 of the body's stored bytes.
    pub request_hash: Digest,
    /// Where it stands now: a pending request past its end shows the state that closing it will give.
    pub state: State,
    /// Whether it is due but nobody has closed it yet.
    pub due: bool,
    /// Number of the failure code or denial reason, if any.
    pub code: Option<u8>,
    /// Name of the failure code or denial reason, if any.
    pub reason: Option<String>,
    /// Block height of the last recorded change of state.
    pub height: u64,
    /// Block time of the last recorded change of state, seconds.
    pub time: u64,
    /// When a requested cancellation takes effect.
    pub cancel_at: Option<u64>,
    /// Parties that answered in time.
    pub answered: Vec<PartyId>,
    /// Parties that reported a failure in time.
    pub failed: Vec<PartyId>,
    /// Parties that signed two different receipts.
    pub equivocated: Vec<PartyId>,
    /// First party with the payload that decided.
    pub winner: Option<PartyId>,
}

/// One party's answer or failure.
#[cw_serde]
pub struct ResponseView {
    /// The request.
    pub request_id: RequestId,
    /// Who speaks.
    pub party: PartyId,
    /// For which epoch.
    pub epoch: EpochId,
    /// 0 for an answer, else the failure code.
    pub outcome: u32,
    /// Whether it came too late to count.
    pub late: bool,
    /// The party's receipt.
    pub receipt: Signature,
    /// The statement for the outside world.
    pub external_signature: Option<Signature>,
    /// The answer; absent for failures and late items.
    pub payload: Option<Binary>,
    /// SHA-256 of the payload, as the receipt signs it.
    pub payload_digest: Digest,
    /// Position of the ciphertext at fault.
    pub index: Option<u16>,
}

/// A grant and whether it holds.
#[cw_serde]
pub struct GrantView {
    /// The grant.
    pub grant: GrantRecord,
    /// Whether it holds now: under the key's present generation, and not past its last second.
    pub holds: bool,
}

/// What keeps a request pending, or what ended it.
#[cw_serde]
pub struct WhyPending {
    /// The request.
    pub request_id: RequestId,
    /// Where it stands now.
    pub state: State,
    /// Whether anybody may close it now.
    pub due: bool,
    /// Block time from which nothing counts any more; absent if denied.
    pub end: Option<u64>,
    /// Seconds until then; 0 if that has passed or the request is terminal.
    pub seconds_left: u64,
    /// How many parties decide.
    pub needed: u32,
    /// What each party of the epoch has said, by ascending number.
    pub parties: Vec<PartyStanding>,
}

/// What one party has said to a request.
#[cw_serde]
pub struct PartyStanding {
    /// The party.
    pub party: PartyId,
    /// Its name.
    pub name: String,
    /// What it has said in time.
    pub standing: Standing,
}

/// What one party has said in time.
#[cw_serde]
pub enum Standing {
    /// An answer.
    Answered,
    /// That it cannot answer.
    Failed {
        /// Why.
        code: FailureCode,
    },
    /// Nothing.
    Silent,
}

/// Who governs, and what is announced.
#[cw_serde]
pub struct Governance {
    /// Who governs parameters and operators.
    pub admin: String,
    /// To whom the office is offered.
    pub proposed_admin: Option<String>,
    /// Whether new requests are refused.
    pub paused: bool,
    /// New code that was announced.
    pub migration: Option<MigrationRecord>,
}

/// The key that a domain belongs to.
#[cw_serde]
pub struct DomainView {
    /// The key.
    pub key_id: KeyId,
}

/// A page of the log.
#[cw_serde]
pub struct LogPage {
    /// The entries' bytes, as they are hashed.
    pub entries: Vec<Binary>,
    /// Number of the entry behind the last one here; absent at the end of the log.
    pub next: Option<u64>,
}

/// A price.
#[cw_serde]
pub struct Quote {
    /// What the request costs.
    pub price: Uint128,
    /// In this denomination.
    pub denom: String,
    /// What is kept if the request is denied.
    pub denial_fee: Uint128,
}

/// What an address can withdraw.
#[cw_serde]
pub struct Credit {
    /// How much.
    pub amount: Uint128,
    /// In this denomination.
    pub denom: String,
}

/// `balance = escrow + credits + treasury + surplus`.
#[cw_serde]
pub struct Solvency {
    /// The denomination.
    pub denom: String,
    /// What the contract holds.
    pub balance: Uint128,
    /// Prices of pending requests.
    pub escrow: Uint128,
    /// What can be withdrawn.
    pub credits: Uint128,
    /// What the admin can withdraw.
    pub treasury: Uint128,
    /// What was sent to the contract by no request.
    pub surplus: Uint128,
}

/// Which contract this is.
#[cw_serde]
pub struct Version {
    /// Its name.
    pub contract: String,
    /// Its version.
    pub version: String,
    /// Version of the layout of its state.
    pub state: u32,
}
