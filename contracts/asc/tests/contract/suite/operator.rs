//! What operators' cores sign.

use cosmwasm_std::Binary;
use kms_asc_api::eip712::{Receipt, key_gen_hash, public_decrypt_hash};
use kms_asc_api::{
    Answer, Digest, Eip712Domain, Failure, FailureCode, KeyId, Operation, Outcome, PartyId, RequestBody,
    RequestId, Signature, request_hash, signing, state_key,
};

use super::Suite;
use super::terms::{CHAIN_ID, signing_key};

/// Signs with the key of a seed; a party's seed is its number.
pub fn sign(seed: u32, hash: &Digest) -> Signature {
    signing::sign(&signing_key(seed), hash).unwrap()
}

/// The signature that an item carries.
pub fn signature(bytes: &Binary) -> Signature {
    Signature::try_from(bytes.as_slice()).unwrap()
}

impl Suite {
    /// The body's bytes in state.
    pub fn stored_body(&self, id: RequestId) -> Vec<u8> {
        state_key::REQUEST.may_load(&*self.storage(), id.get()).unwrap()
    }

    pub fn body(&self, id: RequestId) -> RequestBody {
        RequestBody::parse(&self.stored_body(id)).unwrap()
    }

    /// What an honest receipt of a party says.
    pub fn receipt(&self, id: RequestId, party: u32, outcome: Outcome, payload: &[u8]) -> Receipt<'_> {
        Receipt {
            chain_id: CHAIN_ID,
            contract: self.contract.as_str(),
            request_id: id,
            request_hash: request_hash(&self.stored_body(id)),
            epoch: self.epoch.id,
            party: PartyId(party),
            outcome,
            payload_digest: Digest::sha256(payload),
        }
    }

    /// The domain that a key has from birth.
    pub fn default_domain(&self, key_id: KeyId) -> Eip712Domain {
        self.config.key_domain.for_key(CHAIN_ID, self.contract.as_str(), key_id).unwrap()
    }

    /// The hash of the statement for the outside world.
    pub fn external_hash(&self, id: RequestId, payload: &[u8]) -> Digest {
        match self.body(id).operation {
            Operation::KeyGen(_) => {
                let digests = kms_asc_api::payload::decode_key_digests(payload).unwrap_or_default();
                key_gen_hash(&self.default_domain(id.into()), id.into(), &digests)
            }
            Operation::PublicDecrypt(op) => {
                let domain = op.domain.unwrap_or_else(|| self.default_domain(op.key_id));
                let handles = op.ciphertexts.iter().map(|ciphertext| &ciphertext.handle);
                public_decrypt_hash(&domain, handles, payload, &op.extra_data)
            }
            other => panic!("no operator of these tests answers {}", other.kind()),
        }
    }

    /// An honest answer.
    pub fn answer(&self, id: RequestId, party: u32, payload: &[u8]) -> Answer {
        self.answer_signed_by(id, party, party, payload)
    }

    /// An answer in the name of a party, signed with the key of a seed.
    pub fn answer_signed_by(&self, id: RequestId, party: u32, seed: u32, payload: &[u8]) -> Answer {
        Answer {
            request_id: id,
            epoch: self.epoch.id,
            party: PartyId(party),
            payload: payload.into(),
            external_signature: Some(sign(seed, &self.external_hash(id, payload)).into()),
            receipt: sign(seed, &self.receipt(id, party, Outcome::Answer, payload).signing_hash()).into(),
        }
    }

    /// An honest failure.
    pub fn failure(&self, id: RequestId, party: u32, code: FailureCode, index: u16) -> Failure {
        let outcome = Outcome::Failure(code);
        let receipt = self.receipt(id, party, outcome, &index.to_be_bytes());
        Failure {
            request_id: id,
            epoch: self.epoch.id,
            party: PartyId(party),
            code: code.number().into(),
            index: index.into(),
            receipt: sign(party, &receipt.signing_hash()).into(),
        }
    }
}
