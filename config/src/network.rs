use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

/// The one description of a network that every program of it reads: where things are and what they
/// are called. It holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// The chain's name, which every transaction signs.
    pub chain_id: String,
    /// RPC endpoint of a node.
    pub rpc_url: Url,
    /// The coin in which fees and prices are paid.
    pub denom: String,
    /// What a unit of gas costs, in `denom`.
    pub gas_price: Decimal,
    /// The ASC's address; absent until it is deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<String>,
    /// Where the operator's core listens (gRPC).
    pub core_url: Url,
    /// The store of ciphertexts and public material.
    pub store_url: Url,
    /// The EIP-712 domain under which key material is signed; the same as in the ASC's `config`.
    pub key_domain: KeyDomain,
}

impl Network {
    /// The price of gas with its coin, such as `0.025ukms`.
    pub fn gas_price_coin(&self) -> String {
        format!("{}{}", self.gas_price, self.denom)
    }

    /// The file's text.
    ///
    /// # Errors
    /// None that a `Network` can cause; the type comes from the TOML library.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }
}

/// The parts of a default EIP-712 domain that are the same for every key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyDomain {
    /// EIP-712 `name`.
    pub name: String,
    /// EIP-712 `version`.
    pub version: String,
    /// EIP-712 `chainId`.
    pub chain_id: u64,
}

/// A decimal number as it was written, such as `0.025`: money is never a floating-point number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Decimal(String);

impl Decimal {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Decimal {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
        let is_number =
            |part: &str| (1..=18).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        if is_number(whole) && is_number(fraction) {
            Ok(Self(text))
        } else {
            Err(format!("{text:?} is not a decimal number such as \"0.025\""))
        }
    }
}

impl From<Decimal> for String {
    fn from(decimal: Decimal) -> Self {
        decimal.0
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network() -> Network {
        Network {
            chain_id: "kms-local-default".into(),
            rpc_url: Url::parse("http://127.0.0.1:26657").unwrap(),
            denom: "ukms".into(),
            gas_price: Decimal::try_from("0.025".to_owned()).unwrap(),
            contract: None,
            core_url: Url::parse("https://127.0.0.1:50051").unwrap(),
            store_url: Url::parse("file:///var/lib/kms/store").unwrap(),
            key_domain: KeyDomain { name: "KMSGeneration".into(), version: "1".into(), chain_id: 1 },
        }
    }

    #[test]
    fn a_network_written_is_the_network_read() {
        for contract in [None, Some("wasm1contract".to_owned())] {
            let written = Network { contract, ..network() };
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("network.toml");
            std::fs::write(&path, written.to_toml().unwrap()).unwrap();
            assert_eq!(crate::load::<Network>(&path).unwrap(), written);
        }
    }

    #[test]
    fn the_template_is_a_network_and_shows_every_field() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("network.toml");
        std::fs::write(&path, crate::NETWORK_TEMPLATE).unwrap();
        let shown: Network = crate::load(&path).unwrap();
        assert_eq!(shown.contract.as_deref(), Some("wasm1contract"));
        let written = Network { contract: shown.contract, ..network() }.to_toml().unwrap();
        for field in written.lines().filter_map(|line| line.split_once(" = ")) {
            assert!(
                crate::NETWORK_TEMPLATE.contains(&format!("\n{} = ", field.0)),
                "{} is not shown",
                field.0
            );
        }
    }

    #[test]
    fn the_price_of_gas_names_its_coin() {
        assert_eq!(network().gas_price_coin(), "0.025ukms");
    }

    #[test]
    fn only_plain_decimal_numbers_are_prices() {
        for text in ["0", "1", "0.025", "12.5"] {
            assert_eq!(Decimal::try_from(text.to_owned()).unwrap().as_str(), text);
        }
        for text in ["", ".", "1.", ".5", "-1", "+1", "1e3", "0.025ukms", "0,5", "1.2.3"] {
            assert!(Decimal::try_from(text.to_owned()).is_err(), "{text:?} was accepted");
        }
    }
}
