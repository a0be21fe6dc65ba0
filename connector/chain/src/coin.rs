//! Amounts of money.

use std::fmt;

use cosmrs::proto::cosmos::base::v1beta1::Coin as ProtoCoin;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// An amount of one denomination, in its smallest unit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Coin {
    /// Denomination, for instance `ucosm`.
    pub denom: String,
    /// Amount.
    pub amount: u128,
}

impl Coin {
    /// `amount` of `denom`.
    pub fn new(amount: u128, denom: impl Into<String>) -> Self {
        Self { denom: denom.into(), amount }
    }

    pub(crate) fn to_proto(&self) -> ProtoCoin {
        ProtoCoin { denom: self.denom.clone(), amount: self.amount.to_string() }
    }

    pub(crate) fn from_proto(coin: &ProtoCoin) -> Result<Self> {
        let amount = coin.amount.parse().map_err(|_| Error::InvalidValue {
            what: "amount",
            value: coin.amount.clone(),
            reason: "not a whole number of at most 128 bits".into(),
        })?;
        Ok(Self { denom: coin.denom.clone(), amount })
    }
}

impl fmt::Display for Coin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.amount, self.denom)
    }
}

/// Coins as the chain wants them in a message: ascending by denomination, each once, none zero.
pub(crate) fn sorted_protos(coins: &[Coin]) -> Result<Vec<ProtoCoin>> {
    let mut sums = std::collections::BTreeMap::<&str, u128>::new();
    for coin in coins {
        let sum = sums.entry(coin.denom.as_str()).or_default();
        *sum = sum.checked_add(coin.amount).ok_or_else(|| Error::InvalidValue {
            what: "amount",
            value: coin.to_string(),
            reason: "the sum is above 128 bits".into(),
        })?;
    }
    let positive = sums.into_iter().filter(|(_, amount)| *amount > 0);
    Ok(positive.map(|(denom, amount)| Coin::new(amount, denom).to_proto()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coins_of_a_message_are_sorted_summed_and_positive() {
        let coins = [Coin::new(2, "b"), Coin::new(1, "a"), Coin::new(3, "b"), Coin::new(0, "c")];
        let protos = sorted_protos(&coins).unwrap();
        let texts: Vec<_> = protos.iter().map(|c| format!("{}{}", c.amount, c.denom)).collect();
        assert_eq!(texts, ["1a", "5b"]);
    }

    #[test]
    fn a_sum_above_128_bits_is_refused() {
        assert!(sorted_protos(&[Coin::new(u128::MAX, "a"), Coin::new(1, "a")]).is_err());
    }

    #[test]
    fn an_amount_that_is_no_number_is_refused() {
        let coin = ProtoCoin { denom: "a".into(), amount: "1.5".into() };
        assert!(Coin::from_proto(&coin).is_err());
    }
}
