//! Operators without programs: what their cores would sign, signed here.

use anyhow::{Context, Result, bail};
use k256::ecdsa::SigningKey;
use kms_asc_api::{
    Answer, Digest, Eip712Domain, Epoch, EpochId, EpochMode, EvmAddress, Failure, FailureCode, KeyDomain,
    KeyId, Operation, Outcome, Party, PartyId, RequestBody, Signature, UserDecrypt,
    eip712::{Receipt, user_link, user_request_hash},
    payload::{UserItem, UserPayload, user_payload_shape, user_plaintext_len},
    request_hash, signing,
};
use kms_chain::Wallet;

/// Operators of one contract, with the keys that sign their answers.
#[derive(Clone, Debug)]
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
        let external = request.statement(&self.domain_of(&request)?, payload)?;
        Ok(Answer {
            request_id: request.id,
            epoch: self.epoch.id,
            party,
            payload: payload.into(),
            external_signature: external.map(|hash| sign(party, &hash)).transpose()?.map(Into::into),
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

    /// What a party says to a user, of the right form; what it encrypts is nothing.
    ///
    /// # Errors
    /// If the bytes are no body of a decryption for a user, or the epoch has no such party.
    pub fn user_payload(&self, body: &[u8], party: PartyId) -> Result<Vec<u8>> {
        let request = RequestBody::parse(body)?;
        let domain = self.domain_of(&request)?;
        let Operation::UserDecrypt(op) = request.operation else {
            bail!("the request is no decryption for a user")
        };
        let plaintexts = op.ciphertexts.iter().map(|c| user_plaintext_len(c.fhe_type, self.epoch.mode));
        let wires = plaintexts.map(wire).collect::<Result<Vec<_>>>()?;
        let items = op.ciphertexts.iter().zip(&wires).map(|(ciphertext, wire)| UserItem {
            fhe_type: ciphertext.fhe_type,
            wire,
            handle: ciphertext.handle,
            packing_factor: 1,
        });
        let (party_id, degree) = user_payload_shape(&self.epoch, party);
        let payload = UserPayload {
            verification_key: self.epoch.party(party).context("no such party")?.signer,
            link: user_link(&domain, &op),
            items: items.collect(),
            party_id,
            degree,
        };
        Ok(payload.encode())
    }

    /// Has the user's wallet sign what the request says.
    ///
    /// # Errors
    /// Never for a domain of this chain.
    pub fn consent(&self, op: &mut UserDecrypt) -> Result<()> {
        let domain = op.domain.clone().map_or_else(|| self.own_domain(op.key_id), Ok)?;
        op.user_signature = signing::sign(&user_key()?, &user_request_hash(&domain, op))?;
        Ok(())
    }

    /// The domain under which a request is answered.
    fn domain_of(&self, request: &RequestBody) -> Result<Eip712Domain> {
        if let Some(domain) = request.named_domain() {
            return Ok(domain.clone());
        }
        self.own_domain(request.statement_key())
    }

    /// The domain that a key has from birth.
    fn own_domain(&self, key_id: KeyId) -> Result<Eip712Domain> {
        let domain = self.key_domain.for_key(&self.chain_id, &self.contract, key_id);
        domain.map_err(|what| anyhow::anyhow!("the {what} is too long"))
    }
}

/// A signcryption of so many bytes, framed as clients read it: `nonce(12) || u64 768 || kem_ct || u64 len || body`.
fn wire(plaintext: usize) -> Result<Vec<u8>> {
    const BODY_OVERHEAD: usize = 164;
    let length = |length: usize| Ok::<_, std::num::TryFromIntError>(u64::try_from(length)?.to_le_bytes());
    let body = BODY_OVERHEAD + plaintext;
    Ok([&[0; 12][..], &length(768)?, &[0; 768], &length(body)?, &vec![0; body]].concat())
}

/// The key of the user's wallet.
fn user_key() -> Result<SigningKey> {
    let secret = Digest::sha256(b"wallet of the user");
    SigningKey::from_slice(secret.as_bytes()).context("the hash is no secret key")
}

/// The user's wallet.
pub(crate) fn user() -> Result<EvmAddress> {
    let point = user_key()?.verifying_key().to_encoded_point(false);
    let point = point.as_bytes().get(1..).and_then(|point| point.try_into().ok());
    Ok(EvmAddress::of_point(point.context("the key's point is not 64 bytes")?))
}

fn sign(party: PartyId, hash: &Digest) -> Result<Signature> {
    Ok(signing::sign(&key(party)?, hash)?)
}
