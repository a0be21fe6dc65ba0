//! What makes a message fail as a whole. Nothing is recorded then, and all funds stay with the sender.

use std::fmt;

use cosmwasm_std::{Coin, OverflowError, StdError, Uint128};
use kms_asc_api::{DecodeError, KeyId, PricingError, RequestId};

/// An error with a stable code. Its text is `[code] message`: clients read the code from the node's log.
#[derive(Debug, PartialEq)]
pub enum ContractError {
    /// `unsupported`: a message or field that this version does not act on.
    Unsupported(&'static str),
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
            Self::Unsupported(_) => "unsupported",
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
            Self::Unsupported(what) => write!(f, "this version does not support {what}"),
            Self::NotOwnAdmin => {
                f.write_str("the contract must be its own wasm admin: instantiate2 with the predicted address")
            }
            Self::InvalidConfig(why) | Self::InvalidEpoch(why) | Self::Malformed(why) | Self::Std(why) => {
                f.write_str(why)
            }
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
