//! Messages to the contract and what it returns as data.

use cosmwasm_schema::cw_serde;
use cosmwasm_std::{Binary, Uint128};

use crate::{
    Callback, Config, CrsId, Digest, Eip712Domain, Epoch, EpochId, EvmAddress, KeyId, KeyState, Operation,
    PartyId, RequestId, State,
};

/// The contract's first state. The contract must become its own wasm admin with this message
/// (instantiate2 with the predicted address), or it refuses to exist.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
pub struct InstantiateMsg {
    /// Who governs parameters and operators.
    pub admin: String,
    /// The parameters.
    pub config: Config,
    /// The first operators; id 1.
    pub epoch: Epoch,
}

/// What the contract can be told. Only `submit_request` and `submit_requests` take funds.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
pub enum ExecuteMsg {
    /// By anyone, with the price: puts a request on record. Data: [`SubmitRequestData`].
    SubmitRequest {
        /// What is asked.
        operation: Box<Operation>,
        /// Seconds to answer; the configuration's default if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ttl: Option<u64>,
        /// How a requesting contract wants to be told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        callback: Option<Callback>,
    },
    /// By anyone, with the sum of the prices: puts requests on record in this order, each as if it came alone, or none if
    /// one of them is an error. Data: [`SubmitRequestsData`].
    SubmitRequests {
        /// One to [`MAX_REQUESTS`] requests.
        requests: Vec<NewRequest>,
    },
    /// By anyone: the receipts are the authority. Data: [`OutcomesData`] of [`ItemOutcome`].
    SubmitResponses {
        /// Answers of operators.
        responses: Vec<Answer>,
    },
    /// By anyone: the receipts are the authority. Data: [`OutcomesData`] of [`ItemOutcome`].
    SubmitFailures {
        /// Failures of operators.
        failures: Vec<Failure>,
    },
    /// By anyone: makes due requests terminal and refunds them. Data: [`OutcomesData`] of [`CloseOutcome`].
    Close {
        /// Requests past their end, or of a revoked epoch.
        request_ids: Vec<RequestId>,
    },
    /// By the requester: asks to take a request back.
    Cancel {
        /// The request.
        request_id: RequestId,
    },
    /// By whoever has credit: pays it out.
    Withdraw {
        /// Where to; the sender if absent.
        to: Option<String>,
    },
    /// By the key's owner: trusts somebody with the key.
    Grant {
        /// The key.
        key_id: KeyId,
        /// Whom.
        grantee: String,
        /// Last second of the grant; open end if absent.
        until: Option<u64>,
    },
    /// By the key's owner: takes a grant back.
    Revoke {
        /// The key.
        key_id: KeyId,
        /// Whose.
        grantee: String,
    },
    /// By the key's owner: names those who vouch for ciphertexts.
    SetAttesters {
        /// The key.
        key_id: KeyId,
        /// Their signing addresses.
        attesters: Vec<EvmAddress>,
        /// How many must sign.
        threshold: u32,
    },
    /// By the key's owner: allows reference strings, at most 8.
    SetCrs {
        /// The key.
        key_id: KeyId,
        /// All that are allowed from now on.
        crs_ids: Vec<CrsId>,
    },
    /// By the key's owner: changes the key's state.
    SetKeyState {
        /// The key.
        key_id: KeyId,
        /// The new state.
        state: KeyState,
    },
    /// By the key's owner: offers the key to somebody.
    OfferKey {
        /// The key.
        key_id: KeyId,
        /// To whom.
        to: String,
    },
    /// By whom a key was offered.
    AcceptKey {
        /// The key.
        key_id: KeyId,
    },
    /// By the admin: the next set of operators.
    SetEpoch {
        /// The epoch.
        epoch: Box<Epoch>,
    },
    /// By the admin: ends an epoch.
    RevokeEpoch {
        /// The epoch.
        epoch: EpochId,
    },
    /// By the admin: replaces the parameters.
    UpdateConfig {
        /// The parameters.
        config: Box<Config>,
    },
    /// By the admin: allows a key to answer under a domain.
    RegisterDomain {
        /// The key.
        key_id: KeyId,
        /// The domain.
        domain: Eip712Domain,
    },
    /// By the admin: stops new requests.
    Pause {},
    /// By the admin: allows new requests again.
    Unpause {},
    /// By the admin: pays out of the treasury.
    WithdrawTreasury {
        /// To whom; the admin if absent.
        to: Option<String>,
        /// How much.
        amount: Uint128,
    },
    /// By the admin: pays out what was sent to the contract by no request.
    SweepSurplus {
        /// Of this denomination.
        denom: String,
        /// To whom; the admin if absent.
        to: Option<String>,
    },
    /// By the admin: announces new code.
    ScheduleMigration {
        /// The code.
        code_id: u64,
        /// SHA-256 of the code.
        checksum: Digest,
    },
    /// By the admin, after the delay: runs the announced migration.
    MigrateNow {},
    /// By the admin: offers the office.
    ProposeAdmin {
        /// To whom.
        admin: String,
    },
    /// By whom the office was offered.
    AcceptAdmin {},
}

impl ExecuteMsg {
    /// The message's name in JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SubmitRequest { .. } => "submit_request",
            Self::SubmitRequests { .. } => "submit_requests",
            Self::SubmitResponses { .. } => "submit_responses",
            Self::SubmitFailures { .. } => "submit_failures",
            Self::Close { .. } => "close",
            Self::Cancel { .. } => "cancel",
            Self::Withdraw { .. } => "withdraw",
            Self::Grant { .. } => "grant",
            Self::Revoke { .. } => "revoke",
            Self::SetAttesters { .. } => "set_attesters",
            Self::SetCrs { .. } => "set_crs",
            Self::SetKeyState { .. } => "set_key_state",
            Self::OfferKey { .. } => "offer_key",
            Self::AcceptKey { .. } => "accept_key",
            Self::SetEpoch { .. } => "set_epoch",
            Self::RevokeEpoch { .. } => "revoke_epoch",
            Self::UpdateConfig { .. } => "update_config",
            Self::RegisterDomain { .. } => "register_domain",
            Self::Pause {} => "pause",
            Self::Unpause {} => "unpause",
            Self::WithdrawTreasury { .. } => "withdraw_treasury",
            Self::SweepSurplus { .. } => "sweep_surplus",
            Self::ScheduleMigration { .. } => "schedule_migration",
            Self::MigrateNow {} => "migrate_now",
            Self::ProposeAdmin { .. } => "propose_admin",
            Self::AcceptAdmin {} => "accept_admin",
        }
    }
}

/// What the contract tells itself when announced code takes over. Nobody else may send it.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Eq)]
pub struct MigrateMsg {}

/// Most requests of one message.
pub const MAX_REQUESTS: u64 = 100;

/// What is to be put on record.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
pub struct NewRequest {
    /// What is asked.
    pub operation: Operation,
    /// Seconds to answer; the configuration's default if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u64>,
    /// How a requesting contract wants to be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback: Option<Callback>,
}

/// An operator's answer.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Eq)]
pub struct Answer {
    /// To which request.
    pub request_id: RequestId,
    /// The epoch that the request is bound to.
    pub epoch: EpochId,
    /// Who answers.
    pub party: PartyId,
    /// The answer; its form is the operation's.
    pub payload: Binary,
    /// The statement for the outside world, where the operation has one: 65 bytes. Of another length it is
    /// this item's fault alone.
    pub external_signature: Option<Binary>,
    /// The operator's signature over the answer, for this contract: 65 bytes. Of another length it is this
    /// item's fault alone.
    pub receipt: Binary,
}

/// An operator's word that it cannot answer.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Eq)]
pub struct Failure {
    /// To which request.
    pub request_id: RequestId,
    /// The epoch that the request is bound to.
    pub epoch: EpochId,
    /// Who says so.
    pub party: PartyId,
    /// The failure code's number.
    pub code: u32,
    /// Position of the ciphertext at fault; 65535 if none is.
    pub index: u32,
    /// The operator's signature over the failure: 65 bytes. Of another length it is this item's fault alone.
    pub receipt: Binary,
}

impl Failure {
    /// The index that means "no ciphertext in particular".
    pub const NO_INDEX: u16 = u16::MAX;
}

/// What `submit_request` returns.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Eq)]
pub struct SubmitRequestData {
    /// The new request.
    pub request_id: RequestId,
    /// `pending` or `denied`.
    pub state: State,
    /// What was kept of the funds.
    pub charged: Uint128,
}

/// What `submit_requests` returns.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Eq)]
pub struct SubmitRequestsData {
    /// The new requests, in the order of the message.
    pub requests: Vec<SubmitRequestData>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_messages_are_their_json_tags() {
        let msg = ExecuteMsg::SubmitFailures { failures: vec![] };
        assert_eq!(
            serde_json::to_string(&msg).unwrap(),
            format!("{{\"{}\":{{\"failures\":[]}}}}", msg.name())
        );
        let msg = ExecuteMsg::Pause {};
        assert_eq!(serde_json::to_string(&msg).unwrap(), format!("{{\"{}\":{{}}}}", msg.name()));
    }

    #[test]
    fn an_unknown_field_or_message_is_refused() {
        assert!(serde_json::from_str::<ExecuteMsg>(r#"{"withdraw":{"to":null,"amount":"1"}}"#).is_err());
        assert!(serde_json::from_str::<ExecuteMsg>(r#"{"mint":{}}"#).is_err());
        assert!(serde_json::from_str::<ExecuteMsg>(r#"{"withdraw":{}}"#).is_ok());
    }
}
