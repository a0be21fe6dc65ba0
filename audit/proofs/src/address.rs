use std::fmt;

use bech32::primitives::decode::CheckedHrpstring;
use thiserror::Error;

/// The address of a contract: 32 bytes, and the bech32 text that people and the contract use.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ContractAddress {
    text: String,
    bytes: [u8; 32],
}

/// A text that names no contract.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{text:?} is not a contract's address: {reason}")]
pub struct NoContractAddress {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl ContractAddress {
    /// Length of a contract's address in bytes.
    pub const LEN: usize = 32;

    /// Reads bech32 text.
    ///
    /// # Errors
    /// If it is no bech32 in lower case, or does not hold 32 bytes.
    pub fn parse(text: &str) -> Result<Self, NoContractAddress> {
        let wrong = |reason: String| NoContractAddress { text: text.to_owned(), reason };
        let checked =
            CheckedHrpstring::new::<bech32::Bech32>(text).map_err(|error| wrong(error.to_string()))?;
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(wrong("upper case given, lower case allowed".to_owned()));
        }
        let bytes: Vec<u8> = checked.byte_iter().collect();
        let length = bytes.len();
        let bytes = bytes.try_into().map_err(|_| wrong(format!("{length} bytes given, 32 allowed")))?;
        Ok(Self { text: text.to_owned(), bytes })
    }

    /// The address of 32 bytes under a chain's prefix, such as `wasm`.
    ///
    /// # Errors
    /// If no bech32 has such a prefix.
    pub fn of_bytes(prefix: &str, bytes: [u8; 32]) -> Result<Self, NoContractAddress> {
        let wrong = |reason: String| NoContractAddress { text: prefix.to_owned(), reason };
        let prefix = bech32::Hrp::parse(prefix).map_err(|error| wrong(error.to_string()))?;
        let text =
            bech32::encode::<bech32::Bech32>(prefix, &bytes).map_err(|error| wrong(error.to_string()))?;
        Ok(Self { text, bytes })
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The bytes, as they stand in keys of the store.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }
}

impl fmt::Display for ContractAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for ContractAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_name_the_same_contract() {
        // The first contract of every wasmd chain.
        let text = "wasm14hj2tavq8fpesdwxxcu44rty3hh90vhujrvcmstl4zr3txmfvw9s0phg4d";
        let address = ContractAddress::parse(text).unwrap();
        assert_eq!(
            hex::encode(address.bytes()),
            "ade4a5f5803a439835c636395a8d648dee57b2fc90d98dc17fa887159b69638b"
        );
        assert_eq!(ContractAddress::of_bytes("wasm", *address.bytes()), Ok(address));
    }

    #[test]
    fn what_is_no_contract_is_refused_with_the_reason() {
        let text = "wasm14hj2tavq8fpesdwxxcu44rty3hh90vhujrvcmstl4zr3txmfvw9s0phg4d";
        for wrong in ["", "wasm1contract", &text.replace("phg4d", "phg4e"), &text.to_uppercase()] {
            assert!(ContractAddress::parse(wrong).is_err(), "{wrong}");
        }
        let account =
            bech32::encode::<bech32::Bech32>(bech32::Hrp::parse("wasm").unwrap(), &[7; 20]).unwrap();
        assert!(ContractAddress::parse(&account).unwrap_err().to_string().contains("20 bytes given"));
    }
}
