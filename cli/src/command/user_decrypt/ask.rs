//! The request, signed by the user.

use std::{collections::BTreeSet, path::Path};

use kms_asc_api::{Eip712Domain, EvmAddress, Operation, Provenance, Signature, UserDecrypt, eip712};
use kms_signcrypt::UserKey;

use crate::{
    command::decrypt::one_key,
    context::Context,
    error::{Error, Result},
    ledger::Ledger,
    life,
    reference::Reference,
    user_wallet::UserWallet,
};

/// What somebody wants to see.
pub struct Asked {
    pub references: Vec<Reference>,
    pub contracts: Vec<EvmAddress>,
    pub valid_days: u64,
}

impl Asked {
    /// A fresh key and the request to encrypt to it, signed by the wallet in `user`, from the newest block's time on.
    pub async fn sign(self, context: &Context, user: &Path) -> Result<(UserKey, UserDecrypt)> {
        let key_id = one_key(&self.references)?;
        let wallet = UserWallet::load(user)?;
        let ledger = context.ledger().await?;
        let domain = life::key_domain(&ledger, key_id).await?;
        let contracts = match self.contracts.is_empty() {
            true => contracts_of(&ledger, &self.references, context.wallet()?.address()).await?,
            false => self.contracts,
        };
        let key = UserKey::generate().map_err(|error| Error::Internal(error.to_string()))?;
        let request = UserDecrypt {
            key_id,
            ciphertexts: self.references.into_iter().map(|reference| reference.ciphertext).collect(),
            enc_key: key.enc_key().into(),
            user: wallet.address(),
            contracts,
            valid_from: ledger.client().status().await?.latest_time.seconds,
            valid_days: self.valid_days,
            user_signature: Signature::new([0; Signature::LEN]),
            domain: None,
            extra_data: Default::default(),
        };
        let request = signed(request, &wallet, &domain)?;
        Ok((key, request))
    }
}

fn signed(request: UserDecrypt, wallet: &UserWallet, domain: &Eip712Domain) -> Result<UserDecrypt> {
    let user_signature = wallet.sign(&eip712::user_request_hash(domain, &request))?;
    Ok(UserDecrypt { user_signature, ..request })
}

/// The applications that the ciphertexts belong to; where none is named, the one that the requester is himself.
async fn contracts_of(ledger: &Ledger, references: &[Reference], requester: &str) -> Result<Vec<EvmAddress>> {
    let mut contracts = BTreeSet::new();
    for reference in references {
        match &reference.ciphertext.provenance {
            Provenance::Attested { contract, .. } => contracts.extend(*contract),
            Provenance::Verified { request_id } => {
                let input = ledger.stored_body(*request_id).await?.body;
                let Operation::VerifyInput(input) = input.operation else {
                    return Err(Error::Usage(format!(
                        "request {request_id}, which a REF cites, is no verify_input"
                    )));
                };
                contracts.insert(input.contract);
            }
            Provenance::Unproven => (),
        }
    }
    if contracts.is_empty() {
        contracts.insert(EvmAddress::of_app(requester));
    }
    Ok(contracts.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use kms_asc_api::signing;

    use super::*;
    use crate::{reference::tests::example, user_wallet::tests::wallet};

    #[test]
    fn the_signature_is_the_users_over_the_request_that_is_sent() {
        let wallet = wallet(7);
        let reference = example(7);
        let domain = Eip712Domain {
            name: "KMSGeneration".into(),
            version: "1".into(),
            chain_id: 1,
            verifying_contract: EvmAddress::new([1; 20]),
            salt: None,
        };
        let request = UserDecrypt {
            key_id: reference.key_id,
            ciphertexts: vec![reference.ciphertext],
            enc_key: UserKey::from_seed(&[1; 64]).enc_key().into(),
            user: wallet.address(),
            contracts: vec![EvmAddress::new([2; 20])],
            valid_from: 100,
            valid_days: 2,
            user_signature: Signature::new([0; 65]),
            domain: None,
            extra_data: Default::default(),
        };
        let signed = signed(request.clone(), &wallet, &domain).unwrap();
        assert_eq!(UserDecrypt { user_signature: request.user_signature, ..signed.clone() }, request);
        let hash = eip712::user_request_hash(&domain, &signed);
        assert_eq!(signing::recover_address(&hash, &signed.user_signature), Ok(wallet.address()));
    }
}
