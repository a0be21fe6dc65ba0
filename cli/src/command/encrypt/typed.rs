//! Values as they are typed, with or without their types.

use std::str::FromStr;

use kms_core_engine::{FheType, Plaintext, UnknownName};

use crate::error::{Error, Result};

/// `TYPE:VALUE`, or `VALUE` alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    fhe_type: Option<FheType>,
    value: String,
}

impl Typed {
    /// The value, of its own type or else of the one given.
    pub fn plaintext(&self, otherwise: Option<FheType>) -> Result<Plaintext> {
        let untyped = || {
            let value = &self.value;
            Error::Usage(format!(
                "the value {value} has no type: give --type, or write uint64:{value} for one"
            ))
        };
        let fhe_type = self.fhe_type.or(otherwise).ok_or_else(untyped)?;
        Ok(Plaintext::parse(fhe_type, &self.value)?)
    }
}

impl FromStr for Typed {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        // No value has a colon.
        let (fhe_type, value) = match text.split_once(':') {
            Some((fhe_type, value)) => (Some(parse_type(fhe_type)?), value),
            None => (None, text),
        };
        Ok(Self { fhe_type, value: value.to_owned() })
    }
}

/// A type by its name, or by the one that an address has among integers.
pub fn parse_type(text: &str) -> Result<FheType, UnknownName> {
    if text == "uint160" { Ok(FheType::Address) } else { text.parse() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, otherwise: Option<FheType>) -> Result<(FheType, String)> {
        let value = text.parse::<Typed>().unwrap().plaintext(otherwise)?;
        Ok((value.fhe_type(), value.to_string()))
    }

    #[test]
    fn an_address_has_two_names() {
        assert_eq!(parse_type("uint160"), Ok(FheType::Address));
        assert_eq!(parse_type("address"), Ok(FheType::Address));
        assert!(parse_type("uint7").unwrap_err().to_string().contains("uint64"));
    }

    #[test]
    fn a_value_is_of_its_own_type_or_else_of_the_common_one() {
        let common = Some(FheType::Uint8);
        assert_eq!(read("201", common).unwrap(), (FheType::Uint8, "201".to_owned()));
        assert_eq!(read("bool:true", common).unwrap(), (FheType::Bool, "true".to_owned()));
        assert_eq!(read("uint16:0x0102", None).unwrap(), (FheType::Uint16, "258".to_owned()));
        let address = "0x52908400098527886E0F7030069857D2E4169EE7";
        let typed = format!("address:{address}");
        assert_eq!(read(&typed, common).unwrap(), (FheType::Address, address.to_owned()));
    }

    #[test]
    fn a_value_without_a_type_or_with_an_unknown_one_is_a_usage_error() {
        let error = read("7", None).unwrap_err();
        assert_eq!(error.exit().number(), 2);
        assert!(error.to_string().contains("--type") && error.to_string().contains("uint64:7"), "{error}");
        let error = "uint7:1".parse::<Typed>().unwrap_err();
        assert!(error.to_string().contains("uint7") && error.to_string().contains("uint64"), "{error}");
        assert!(read("uint8:256", None).is_err());
        assert!(read("uint8:", None).is_err());
    }
}
