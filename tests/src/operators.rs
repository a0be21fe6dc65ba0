//! Operators without programs: what their cores would sign, signed here.

use anyhow::{Context, Result, bail};
use k256::ecdsa::SigningKey;
use kms_asc_api::{
    Answer, Digest, Epoch, EpochId, EpochMode, Failure, FailureCode, KeyDomain, KeyId, Operation, Outcome,
    Party, PartyId, RequestBody, Signature,
    eip712::{Receipt, key_gen_hash, public_decrypt_hash},
    payload::decode_key_digests,
    request_hash, signing,
};
use kms_chain::Wallet;

/// Operators of one contract, with the keys that sign their answers.
#[derive(Debug)]
pub struct Operators {
    /// Id of the chain.
    pub chain_id: String,
    /// Address of the contract.
    pub contract: String,
    /// The domain under which keys answer, less the key's own address.
    pub key_domain: KeyDomain,
    /// Who they are.
    pub epoch: Epoch,
}

/// The key of a party: always the same one, so that two measurements sign alike.
fn key(party: PartyId) -> Result<SigningKey> {
    let secret = Digest::sha256(format!("operator {party}").as_bytes());
    SigningKey::from_slice(secret.as_bytes()).context("the hash is no secret key")
}

/// The first epoch of this many operators: one is centralized, more are a threshold of those who may be faulty.
///
/// # Errors
/// If a number is none that an epoch can have.
pub fn epoch(parties: u32) -> Result<Epoch> {
    let faulty = parties.saturating_sub(1) / 3;
    let majority = parties - faulty;
    let mode = if parties == 1 { EpochMode::Centralized } else { EpochMode::Threshold };
    let parties = (1..=parties).map(|number| party(PartyId(number))).collect::<Result<_>>()?;
    Ok(Epoch { id: EpochId(1), mode, faulty, majority, reconstruction: majority, parties, revoked_at: None })
}

fn party(number: PartyId) -> Result<Party> {
    let key = key(number)?;
    Ok(Party {
        party: number,
        name: format!("operator-{number}"),
        signer: signing::public_key(key.verifying_key()),
        payout: payout(number)?.address().to_owned(),
    })
}

/// The account to which a party's earnings are credited.
///
/// # Errors
/// Never for a party's number.
pub fn payout(party: PartyId) -> Result<Wallet> {
    let secret = Digest::sha256(format!("payout of operator {party}").as_bytes());
    Ok(Wallet::from_secret(secret.as_bytes(), "wasm")?)
}

impl Operators {
    /// A party's answer to the request with these stored bytes.
    ///
    /// # Errors
    /// If the bytes are no body, or the payload is none of its operation.
    pub fn answer(&self, body: &[u8], party: PartyId, payload: &[u8]) -> Result<Answer> {
        let request = RequestBody::parse(body)?;
        let external = self.external_hash(&request, payload)?;
        Ok(Answer {
            request_id: request.id,
            epoch: self.epoch.id,
            party,
            payload: payload.into(),
            external_signature: Some(sign(party, &external)?.into()),
            receipt: self.receipt(&request, body, party, Outcome::Answer, payload)?.into(),
        })
    }

    /// A party's word that the request with these stored bytes cannot be answered.
    ///
    /// # Errors
    /// If the bytes are no body.
    pub fn failure(&self, body: &[u8], party: PartyId, code: FailureCode, index: u16) -> Result<Failure> {
        let request = RequestBody::parse(body)?;
        let outcome = Outcome::Failure(code);
        Ok(Failure {
            request_id: request.id,
            epoch: self.epoch.id,
            party,
            code: code.number().into(),
            index: index.into(),
            receipt: self.receipt(&request, body, party, outcome, &index.to_be_bytes())?.into(),
        })
    }

    fn receipt(
        &self,
        request: &RequestBody,
        body: &[u8],
        party: PartyId,
        outcome: Outcome,
        payload: &[u8],
    ) -> Result<Signature> {
        let receipt = Receipt {
            chain_id: &self.chain_id,
            contract: &self.contract,
            request_id: request.id,
            request_hash: request_hash(body),
            epoch: self.epoch.id,
            party,
            outcome,
            payload_digest: Digest::sha256(payload),
        };
        sign(party, &receipt.signing_hash())
    }

    /// The hash of the statement for the outside world.
    fn external_hash(&self, request: &RequestBody, payload: &[u8]) -> Result<Digest> {
        let domain = |key_id: KeyId| {
            let domain = self.key_domain.for_key(&self.chain_id, &self.contract, key_id);
            domain.map_err(|what| anyhow::anyhow!("the {what} is too long"))
        };
        match &request.operation {
            Operation::KeyGen(_) => {
                let key_id = KeyId::from(request.id);
                Ok(key_gen_hash(&domain(key_id)?, key_id, &decode_key_digests(payload)?))
            }
            Operation::PublicDecrypt(op) => {
                let domain = op.domain.clone().map_or_else(|| domain(op.key_id), Ok)?;
                let handles = op.ciphertexts.iter().map(|ciphertext| &ciphertext.handle);
                Ok(public_decrypt_hash(&domain, handles, payload, &op.extra_data))
            }
            other => bail!("no operator of these measurements answers {}", other.kind()),
        }
    }
}

fn sign(party: PartyId, hash: &Digest) -> Result<Signature> {
    Ok(signing::sign(&key(party)?, hash)?)
}
