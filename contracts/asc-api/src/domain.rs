//! EIP-712 domains, and the one that every key has from birth.

use cosmwasm_schema::cw_serde;

use crate::{Digest, EvmAddress, KeyDomain, KeyId};

/// `EIP712Domain(string name,string version,uint256 chainId,address verifyingContract[,bytes32 salt])`.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Eq)]
pub struct Eip712Domain {
    /// For example `Decryption`.
    pub name: String,
    /// For example `1`.
    pub version: String,
    /// Chain id of the EVM chain on which signatures are checked.
    pub chain_id: u64,
    /// The contract there that checks them.
    pub verifying_contract: EvmAddress,
    /// Left out of the domain type if absent.
    pub salt: Option<Digest>,
}

/// The address that stands for a key in its default domain: the first 20 bytes of
/// SHA-256(`"kms-key-domain-v1" || len u16 || chain id || len u16 || contract || key id u64`), integers
/// big-endian. No two keys of any two contracts share it, so a signature of one never passes for another's.
///
/// # Errors
/// The name of the text that is longer than 65,535 bytes; no chain has one.
pub fn key_contract_address(
    chain_id: &str,
    contract: &str,
    key_id: KeyId,
) -> Result<EvmAddress, &'static str> {
    let mut preimage = b"kms-key-domain-v1".to_vec();
    for (name, text) in [("chain id", chain_id), ("contract address", contract)] {
        let len = u16::try_from(text.len()).map_err(|_| name)?;
        preimage.extend_from_slice(&len.to_be_bytes());
        preimage.extend_from_slice(text.as_bytes());
    }
    preimage.extend_from_slice(&key_id.get().to_be_bytes());
    let mut address = [0u8; 20];
    address.copy_from_slice(&Digest::sha256(&preimage).as_bytes()[..20]);
    Ok(EvmAddress::new(address))
}

impl KeyDomain {
    /// The default domain of a key of `contract` on `chain_id`.
    ///
    /// # Errors
    /// As [`key_contract_address`].
    pub fn for_key(
        &self,
        chain_id: &str,
        contract: &str,
        key_id: KeyId,
    ) -> Result<Eip712Domain, &'static str> {
        Ok(Eip712Domain {
            name: self.name.clone(),
            version: self.version.clone(),
            chain_id: self.chain_id,
            verifying_contract: key_contract_address(chain_id, contract, key_id)?,
            salt: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_key_is_a_fixed_function_of_chain_contract_and_id() {
        let address = key_contract_address("kms-1", "wasm1contract", KeyId(7)).unwrap();
        let preimage = [
            b"kms-key-domain-v1".as_slice(),
            &[0, 5],
            b"kms-1",
            &[0, 13],
            b"wasm1contract",
            &[0, 0, 0, 0, 0, 0, 0, 7],
        ]
        .concat();
        assert_eq!(address.as_bytes(), &Digest::sha256(&preimage).as_bytes()[..20]);
        assert_ne!(address, key_contract_address("kms-1", "wasm1contract", KeyId(8)).unwrap());
        assert_ne!(address, key_contract_address("kms-1w", "asm1contract", KeyId(7)).unwrap());
    }
}
