//! What an input is bound to.

use clap::Args;
use kms_asc_api::{CrsId, EvmAddress, KeyRecord, payload::InputBinding};

use crate::{
    error::{Error, Result},
    reference::InputClaim,
};

/// What the proof of an input binds.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Inputs")]
pub struct InputArgs {
    /// The reference string, which the key's owner must have allowed
    #[arg(long, value_name = "ID", requires = "proven")]
    crs: Option<CrsId>,
    /// The application that may use the input: its account or contract on this chain, or an EVM contract
    #[arg(long, value_name = "ADDRESS", requires = "proven", value_parser = parse_app)]
    contract: Option<EvmAddress>,
    /// Whose input it is: an EVM wallet
    #[arg(long, value_name = "ADDRESS", requires = "proven")]
    user: Option<EvmAddress>,
    /// The access-control contract [default: zero]
    #[arg(long, value_name = "ADDRESS", requires = "proven")]
    acl: Option<EvmAddress>,
    /// The EVM chain [default: that of the key's domain]
    #[arg(long, value_name = "NUMBER", requires = "proven")]
    chain_id: Option<u64>,
}

impl InputArgs {
    /// All of it, completed from the key's record.
    pub fn claim(&self, key: &KeyRecord) -> Result<InputClaim> {
        let (Some(crs_id), Some(contract), Some(user)) = (self.crs, self.contract, self.user) else {
            return Err(Error::Usage("--proven needs --crs, --contract and --user".to_owned()));
        };
        if user == EvmAddress::ZERO {
            return Err(Error::Usage("--user is zero, which stands for nobody".to_owned()));
        }
        if !key.crs_ids.contains(&crs_id) {
            return Err(Error::CrsNotAllowed { crs: crs_id, key: key.id });
        }
        Ok(InputClaim {
            crs_id,
            binding: InputBinding {
                contract,
                user,
                acl: self.acl.unwrap_or(EvmAddress::ZERO),
                chain_id: self.chain_id.unwrap_or(key.domain.chain_id),
            },
        })
    }
}

/// An address of this chain stands for its application; `0x` begins an EVM address.
fn parse_app(text: &str) -> Result<EvmAddress, String> {
    if text.starts_with("0x") {
        return text.parse().map_err(|error| format!("{error}"));
    }
    match kms_chain::check_address(text) {
        Ok(()) => Ok(EvmAddress::of_app(text)),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_is_named_by_its_address_on_this_chain_or_on_an_evm_chain() {
        let here = "wasm1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc547at0h";
        assert_eq!(parse_app(here), Ok(EvmAddress::of_app(here)));
        assert_eq!(parse_app("0x1111111111111111111111111111111111111111"), Ok(EvmAddress::new([0x11; 20])));
        for mistyped in ["wasm1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc547at0x", "", "0x11", "alice"] {
            assert!(parse_app(mistyped).is_err(), "{mistyped}");
        }
    }
}
