//! What makes a message fail as a whole. Nothing is recorded then, and all funds stay with the sender.

use std::fmt;

use cosmwasm_std::{Coin, OverflowError, StdError, Uint128};
use kms_asc_api::{CrsId, DecodeError, Digest, KeyId, KeyState, PricingError, RequestId, State};

/// An error with a stable code. Its text is `[code] message`: clients read the code from the node's log.
#[derive(Debug, PartialEq)]
pub enum ContractError {
    /// `not_own_admin`: the contract was instantiated with another wasm admin than itself.
    NotOwnAdmin,
    /// `invalid_config`: the parameters contradict each other or a rule.
    InvalidConfig(String),
    /// `invalid_epoch`: the operators contradict each other or a rule.
    InvalidEpoch(String),
    /// `invalid_address`: not an address of this chain.
    InvalidAddress(String),
    /// `malformed`: a field holds what no request may hold.
    Malformed(String),
    /// `over_limit`: more than the parameters allow.
    OverLimit {
        /// What there is too much of.
        what: &'static str,
        /// How much was given.
        given: u64,
        /// How much is allowed.
        allowed: u64,
    },
    /// `ttl_out_of_range`: the time to answer is too short or too long.
    Ttl {
        /// Seconds given.
        given: u64,
        /// Fewest seconds allowed.
        min: u64,
        /// Most seconds allowed.
        max: u64,
    },
    /// `insufficient_fee`: less than the price.
    InsufficientFee {
        /// What was sent.
        sent: Uint128,
        /// What it costs.
        price: Uint128,
        /// In this denomination.
        denom: String,
    },
    /// `wrong_funds`: another denomination, or more than one.
    WrongFunds {
        /// What was sent.
        sent: String,
        /// The one denomination allowed.
        denom: String,
    },
    /// `unexpected_funds`: only `submit_request` takes funds.
    UnexpectedFunds(String),
    /// `unauthorized`: the sender may not do this.
    Unauthorized {
        /// Who asked.
        sender: String,
        /// Who may.
        needed: &'static str,
    },
    /// `not_pending`: the request is not waiting for answers any more.
    NotPending {
        /// The request.
        id: RequestId,
        /// Where it stands.
        state: State,
    },
    /// `cancel_pending`: the request's cancellation is under way already.
    CancelPending {
        /// When it takes effect.
        cancel_at: u64,
    },
    /// `callback_refused`: only a contract is called back, within the limit of gas.
    CallbackRefused(String),
    /// `key_state`: the key's state does not allow that.
    KeyState {
        /// The state it is in.
        from: KeyState,
        /// What was wanted of it.
        wanted: &'static str,
    },
    /// `not_offered`: nobody offered this to the sender.
    NotOffered(String),
    /// `domain_registered`: the domain belongs to another key, for good.
    DomainRegistered {
        /// Its separator.
        separator: Digest,
        /// The key it belongs to.
        key_id: KeyId,
    },
    /// `over_treasury`: more than the treasury holds.
    OverTreasury {
        /// What was asked for.
        given: Uint128,
        /// What there is.
        allowed: Uint128,
    },
    /// `no_surplus`: nothing came but by requests.
    NoSurplus(String),
    /// `migration`: not what was announced, not yet, or not from this version.
    Migration(String),
    /// `unknown_crs`
    UnknownCrs(CrsId),
    /// `unknown_key`
    UnknownKey(KeyId),
    /// `unknown_request`
    UnknownRequest(RequestId),
    /// `not_found`: nothing else is stored under what was asked for.
    NotFound(String),
    /// `generate_refused`: the newest epoch cannot generate.
    GenerateRefused,
    /// `paused`: no new requests for now.
    Paused,
    /// `no_credit`: nothing to withdraw.
    NoCredit(String),
    /// `overflow`: an amount, height or count left its range.
    Overflow,
    /// `state`: stored bytes cannot be read; the contract is damaged.
    State(DecodeError),
    /// `std`: the chain's own word.
    Std(String),
}

impl ContractError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotOwnAdmin => "not_own_admin",
            Self::InvalidConfig(_) => "invalid_config",
            Self::InvalidEpoch(_) => "invalid_epoch",
            Self::InvalidAddress(_) => "invalid_address",
            Self::Malformed(_) => "malformed",
            Self::OverLimit { .. } => "over_limit",
            Self::Ttl { .. } => "ttl_out_of_range",
            Self::InsufficientFee { .. } => "insufficient_fee",
            Self::WrongFunds { .. } => "wrong_funds",
            Self::UnexpectedFunds(_) => "unexpected_funds",
            Self::Unauthorized { .. } => "unauthorized",
            Self::NotPending { .. } => "not_pending",
            Self::CancelPending { .. } => "cancel_pending",
            Self::CallbackRefused(_) => "callback_refused",
            Self::KeyState { .. } => "key_state",
            Self::NotOffered(_) => "not_offered",
            Self::DomainRegistered { .. } => "domain_registered",
            Self::OverTreasury { .. } => "over_treasury",
            Self::NoSurplus(_) => "no_surplus",
            Self::Migration(_) => "migration",
            Self::UnknownCrs(_) => "unknown_crs",
            Self::UnknownKey(_) => "unknown_key",
            Self::UnknownRequest(_) => "unknown_request",
            Self::NotFound(_) => "not_found",
            Self::GenerateRefused => "generate_refused",
            Self::Paused => "paused",
            Self::NoCredit(_) => "no_credit",
            Self::Overflow => "overflow",
            Self::State(_) => "state",
            Self::Std(_) => "std",
        }
    }
}

impl fmt::Display for ContractError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] ", self.code())?;
        match self {
            Self::NotOwnAdmin => {
                f.write_str("the contract must be its own wasm admin: instantiate2 with the predicted address")
            }
            Self::InvalidConfig(why)
            | Self::InvalidEpoch(why)
            | Self::Malformed(why)
            | Self::CallbackRefused(why)
            | Self::Migration(why)
            | Self::Std(why) => f.write_str(why),
            Self::Unauthorized { sender, needed } => write!(f, "{sender} may not do this, only {needed}"),
            Self::NotPending { id, state } => write!(f, "request {id} is {state}, not pending"),
            Self::CancelPending { cancel_at } => {
                write!(f, "the cancellation takes effect at {cancel_at} already")
            }
            Self::KeyState { from, wanted } => write!(f, "the key is {}: it cannot {wanted}", from.name()),
            Self::NotOffered(what) => write!(f, "{what} was not offered to the sender"),
            Self::DomainRegistered { separator, key_id } => {
                write!(f, "domain {separator} belongs to key {key_id}")
            }
            Self::OverTreasury { given, allowed } => {
                write!(f, "{given} asked for, the treasury holds {allowed}")
            }
            Self::NoSurplus(denom) => write!(f, "there is no surplus of {denom}"),
            Self::UnknownCrs(id) => write!(f, "there is no reference string {id}"),
            Self::InvalidAddress(given) => write!(f, "{given:?} is no address of this chain"),
            Self::OverLimit { what, given, allowed } => {
                write!(f, "{what}: {given} given, {allowed} allowed")
            }
            Self::Ttl { given, min, max } => {
                write!(f, "ttl of {given} seconds given, {min} to {max} allowed")
            }
            Self::InsufficientFee { sent, price, denom } => {
                write!(f, "{sent}{denom} sent, the price is {price}{denom}")
            }
            Self::WrongFunds { sent, denom } => write!(f, "{sent} sent, only {denom} is taken"),
            Self::UnexpectedFunds(sent) => write!(f, "{sent} sent, this message takes no funds"),
            Self::UnknownKey(id) => write!(f, "there is no key {id}"),
            Self::UnknownRequest(id) => write!(f, "there is no request {id}"),
            Self::NotFound(what) => write!(f, "there is no {what}"),
            Self::GenerateRefused => f.write_str(
                "operators of a replicated epoch import keys, so that all hold the same one; they do not generate",
            ),
            Self::Paused => f.write_str("the contract takes no new requests for now"),
            Self::NoCredit(address) => write!(f, "{address} has no credit"),
            Self::Overflow => f.write_str("an amount, height or count left its range"),
            Self::State(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ContractError {}

impl From<StdError> for ContractError {
    fn from(error: StdError) -> Self {
        Self::Std(error.to_string())
    }
}

impl From<OverflowError> for ContractError {
    fn from(_: OverflowError) -> Self {
        Self::Overflow
    }
}

impl From<DecodeError> for ContractError {
    fn from(error: DecodeError) -> Self {
        Self::State(error)
    }
}

impl From<PricingError> for ContractError {
    fn from(error: PricingError) -> Self {
        match error {
            PricingError::Overflow => Self::Overflow,
            conflict @ PricingError::SizeConflict { .. } => Self::Malformed(conflict.to_string()),
        }
    }
}

/// Coins as people write them: `5ukms, 1uatom`.
pub fn coins_text(coins: &[Coin]) -> String {
    let texts: Vec<String> = coins.iter().map(ToString::to_string).collect();
    if texts.is_empty() { "nothing".to_owned() } else { texts.join(", ") }
}
