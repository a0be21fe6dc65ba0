//! The price of an operation. All arithmetic is checked.

use std::collections::BTreeMap;

use cosmwasm_std::Uint128;

use crate::{Callback, Config, Digest, Operation};

/// What a request weighs in the price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestSize {
    /// Ciphertexts, each counted.
    pub ciphertexts: u64,
    /// Bytes, counted once per digest.
    pub bytes: u64,
}

/// A price that cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PricingError {
    /// Too large for the arithmetic.
    #[error("the price or size exceeds what can be computed")]
    Overflow,
    /// One digest stands for bytes of two lengths.
    #[error("digest {digest} is given with {first} and with {second} bytes")]
    SizeConflict {
        /// The digest.
        digest: Digest,
        /// One size.
        first: u64,
        /// The other.
        second: u64,
    },
}

impl RequestSize {
    /// Measures an operation.
    ///
    /// # Errors
    /// When sizes add up to more than fits, or contradict each other.
    pub fn of(operation: &Operation) -> Result<Self, PricingError> {
        let mut sizes: BTreeMap<&Digest, u64> = BTreeMap::new();
        if let Operation::VerifyInput(op) = operation {
            sizes.insert(&op.digest, op.size);
        }
        let ciphertexts = operation.ciphertexts();
        for ciphertext in ciphertexts {
            let first = *sizes.entry(&ciphertext.digest).or_insert(ciphertext.size);
            if first != ciphertext.size {
                let (digest, second) = (ciphertext.digest, ciphertext.size);
                return Err(PricingError::SizeConflict { digest, first, second });
            }
        }
        let bytes = sizes.values().try_fold(0u64, |sum, size| sum.checked_add(*size));
        Ok(Self {
            ciphertexts: u64::try_from(ciphertexts.len()).map_err(|_| PricingError::Overflow)?,
            bytes: bytes.ok_or(PricingError::Overflow)?,
        })
    }
}

/// `base + per_ciphertext * ciphertexts + per_kib * ceil(bytes / 1024) + per_callback_kgas * ceil(gas / 1000)`.
///
/// # Errors
/// As [`RequestSize::of`], or when the price does not fit 128 bits.
pub fn price_of(
    config: &Config,
    operation: &Operation,
    callback: Option<&Callback>,
) -> Result<Uint128, PricingError> {
    let size = RequestSize::of(operation)?;
    let fees = config.fees.of(operation.kind());
    let mul = |price: Uint128, count: u64| price.checked_mul(count.into());
    let compute = || {
        mul(fees.per_ciphertext, size.ciphertexts)?
            .checked_add(mul(fees.per_kib, size.bytes.div_ceil(1024))?)?
            .checked_add(callback_price(config, callback)?)?
            .checked_add(fees.base)
    };
    compute().map_err(|_| PricingError::Overflow)
}

fn callback_price(
    config: &Config,
    callback: Option<&Callback>,
) -> Result<Uint128, cosmwasm_std::OverflowError> {
    let kgas = callback.map_or(0, |callback| callback.gas_limit.div_ceil(1000));
    config.per_callback_kgas.checked_mul(kgas.into())
}

/// What all operators together get of a price, rounded down: their share of the operation and the whole
/// price of the callback. Never more than the price, also of one that was fixed under other parameters.
///
/// # Errors
/// When it does not fit 128 bits.
pub fn operators_share(
    config: &Config,
    price: Uint128,
    callback: Option<&Callback>,
) -> Result<Uint128, PricingError> {
    let compute = || {
        let callback = callback_price(config, callback)?.min(price);
        let operation = price.checked_sub(callback)?;
        let bps = u128::from(config.operator_share_bps.min(10_000));
        let share = operation.checked_mul(bps.into())?;
        share.checked_div(10_000u128.into()).unwrap_or_default().checked_add(callback)
    };
    compute().map_err(|_| PricingError::Overflow)
}

/// What each of `parties` operators gets who found the requester's input wrong: the configured fee, and never
/// more than half of what an answer would have earned him, also of a price that was fixed under other
/// parameters. So all of them together never get more than the price.
///
/// # Errors
/// When it does not fit 128 bits.
pub fn failure_fee_of(
    config: &Config,
    price: Uint128,
    callback: Option<&Callback>,
    parties: u32,
) -> Result<Uint128, PricingError> {
    let share = operators_share(config, price, callback)?;
    let half = share.checked_div(u128::from(parties).saturating_mul(2).into()).unwrap_or_default();
    Ok(config.failure_fee.min(half))
}
