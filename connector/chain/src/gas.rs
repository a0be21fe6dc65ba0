//! Gas prices and fees, in whole numbers.

use std::{fmt, str::FromStr};

use crate::{Coin, Error, Result};

/// A positive rational number: exact arithmetic on prices, never floating point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fraction {
    numerator: u64,
    denominator: u64,
}

impl Fraction {
    /// `numerator / denominator`; the denominator must not be zero.
    pub fn new(numerator: u64, denominator: u64) -> Result<Self> {
        if denominator == 0 {
            return Err(invalid("fraction", &format!("{numerator}/0"), "the denominator is zero"));
        }
        Ok(Self { numerator, denominator })
    }

    /// A constant of this crate. The caller sees to it that the denominator is not zero.
    pub(crate) const fn constant(numerator: u64, denominator: u64) -> Self {
        Self { numerator, denominator }
    }

    /// `value * self`, rounded up.
    pub fn mul_ceil(self, value: u64) -> u128 {
        let product = u128::from(value) * u128::from(self.numerator);
        product.div_ceil(u128::from(self.denominator))
    }
}

impl FromStr for Fraction {
    type Err = Error;

    /// Parses a decimal such as `0.025`, `1.3` or `2`, with at most 18 decimals.
    fn from_str(text: &str) -> Result<Self> {
        let bad = |reason| invalid("decimal number", text, reason);
        let (whole, decimals) = match text.split_once('.') {
            Some((_, "")) => return Err(bad("no digits after the point")),
            Some(parts) => parts,
            None => (text, ""),
        };
        if whole.is_empty() || !whole.bytes().chain(decimals.bytes()).all(|b| b.is_ascii_digit()) {
            return Err(bad("write digits, and digits after a point"));
        }
        let places = u32::try_from(decimals.len()).ok().filter(|n| *n <= 18);
        let denominator = places.and_then(|n| 10u64.checked_pow(n)).ok_or_else(|| bad("over 18 decimals"))?;
        let numerator = format!("{whole}{decimals}").parse().map_err(|_| bad("too many digits"))?;
        Ok(Self { numerator, denominator })
    }
}

/// Price of one unit of gas, for instance `0.025ucosm`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GasPrice {
    price: Fraction,
    text: String,
    denom: String,
}

impl GasPrice {
    /// Denomination in which fees are paid.
    pub fn denom(&self) -> &str {
        &self.denom
    }

    /// Fee for a gas limit, rounded up.
    pub fn fee(&self, gas_limit: u64) -> Coin {
        Coin::new(self.price.mul_ceil(gas_limit), &self.denom)
    }
}

impl FromStr for GasPrice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bad = |reason| invalid("gas price such as 0.025ucosm", text, reason);
        let split = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(|| bad("no denomination"))?;
        let (price, denom) = text.split_at(split);
        let letters = denom.bytes().all(|b| b.is_ascii_alphanumeric() || b"/:._-".contains(&b));
        if !letters || !(3..=128).contains(&denom.len()) {
            return Err(bad("a denomination has 3 to 128 letters, digits and / : . _ - only"));
        }
        let fraction = price.parse().map_err(|_| bad("the number is not a decimal"))?;
        Ok(Self { price: fraction, text: price.to_owned(), denom: denom.to_owned() })
    }
}

impl fmt::Display for GasPrice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.text, self.denom)
    }
}

fn invalid(what: &'static str, value: &str, reason: &str) -> Error {
    Error::InvalidValue { what, value: value.to_owned(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fee_is_the_exact_product_rounded_up() {
        let price: GasPrice = "0.025ucosm".parse().unwrap();
        assert_eq!(price.fee(200_000), Coin::new(5_000, "ucosm"));
        assert_eq!(price.fee(200_001), Coin::new(5_001, "ucosm"));
        assert_eq!(price.fee(0), Coin::new(0, "ucosm"));
        assert_eq!(price.to_string(), "0.025ucosm");
    }

    #[test]
    fn a_fee_of_the_largest_gas_limit_does_not_overflow() {
        let price: GasPrice = "18446744073709551615ucosm".parse().unwrap();
        assert_eq!(price.fee(u64::MAX).amount, u128::from(u64::MAX) * u128::from(u64::MAX));
    }

    #[test]
    fn a_factor_without_decimals_or_with_is_exact() {
        assert_eq!("1.3".parse::<Fraction>().unwrap().mul_ceil(100_001), 130_002);
        assert_eq!("2".parse::<Fraction>().unwrap().mul_ceil(7), 14);
    }

    #[test]
    fn prices_that_are_no_prices_are_refused() {
        for text in [
            "",
            "ucosm",
            "0.025",
            ".5ucosm",
            "1.ucosm",
            "-1ucosm",
            "1e3",
            "1 ucosm",
            "0.0000000000000000001u",
        ] {
            assert!(text.parse::<GasPrice>().is_err(), "{text:?} was accepted");
        }
        assert!(Fraction::new(1, 0).is_err());
    }
}
