//! Puts the ASC on the chain.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use kms_asc_api::{InstantiateMsg, signing};
use kms_chain::{Account, Message, TxOptions};

/// What explorers call the contract.
const LABEL: &str = "kms-asc";

/// A contract on the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// Its address.
    pub contract: String,
    /// The number of its code.
    pub code_id: u64,
    /// SHA-256 of its code.
    pub checksum: [u8; 32],
}

/// Stores the code and instantiates it, with the contract as its own admin from the first moment: so
/// nobody else can ever change its code.
pub(crate) async fn deploy(admin: &Account, wasm: &Path, message: &InstantiateMsg) -> Result<Deployment> {
    check_signers(message)?;
    let code = fs::read(wasm).with_context(|| format!("cannot read {}", wasm.display()))?;
    let options = TxOptions::default();
    let store = Message::store_code(admin.address(), &code)?;
    let stored = admin.send(&[store], &options).await.context("the contract's code was not stored")?;
    let (code_id, checksum) = stored.stored_code(0)?;

    let client = admin.client();
    // Tells its address from that of a contract that was made before, by whoever was interrupted before he knew.
    let salt = client.status().await?.latest_height.to_be_bytes();
    let contract = client.build_address(&checksum, admin.address(), &salt).await?;
    let instantiate = Message::instantiate2(admin.address(), code_id, &salt, LABEL, &contract, message, &[])?;
    let outcome = admin.send(&[instantiate], &options).await.context("the contract was not instantiated")?;
    let address = outcome.instantiated_address(0)?;
    ensure!(address == contract, "the contract is at {address}, and not at {contract} as predicted");

    let info = client.contract_info(&contract).await?;
    ensure!(
        info.admin.as_deref() == Some(contract.as_str()),
        "the contract's admin is {:?}, and not the contract itself",
        info.admin
    );
    Ok(Deployment { contract, code_id, checksum })
}

/// The contract takes any 33 bytes of the right form, and an operator whose key is none could never answer.
fn check_signers(message: &InstantiateMsg) -> Result<()> {
    for party in &message.epoch.parties {
        signing::check_public_key(&party.signer)
            .with_context(|| format!("the signer of party {} ({}) is wrong", party.party, party.name))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use kms_asc_api::PublicKey;
    use kms_config::NETWORK_TEMPLATE;

    use super::*;

    #[test]
    fn an_operator_whose_signer_is_no_key_is_not_deployed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("network.toml");
        fs::write(&file, NETWORK_TEMPLATE).unwrap();
        let network = kms_config::load(&file).unwrap();
        let wallet = kms_chain::Wallet::generate(crate::account::ADDRESS_PREFIX).unwrap();
        let message = |signer| crate::terms::instantiate(&network, "wasm1admin", signer, "wasm1payout");
        check_signers(&message(PublicKey::new(wallet.public_key()))).unwrap();
        let mut off_curve = [0; 33];
        (off_curve[0], off_curve[32]) = (2, 5);
        let error = check_signers(&message(PublicKey::new(off_curve))).unwrap_err();
        assert!(format!("{error:#}").contains("party 1 (operator-1)"), "{error:#}");
    }
}
