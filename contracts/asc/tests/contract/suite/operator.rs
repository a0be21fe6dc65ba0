//! What operators' cores sign.

use cosmwasm_std::Binary;
use kms_asc_api::eip712::{
    Receipt, crs_gen_hash, key_gen_hash, public_decrypt_hash, user_decrypt_hash, user_link, verify_input_hash,
};
use kms_asc_api::payload::{self, UserItem, UserPayload};
use kms_asc_api::{
    Answer, Ciphertext, Digest, Eip712Domain, Epoch, Failure, FailureCode, Handle, KeyId, KeySource,
    Operation, Outcome, PartyId, RequestBody, RequestId, Signature, request_hash, signing, state_key,
};

use super::Suite;
use super::terms::{self, CHAIN_ID, signing_key};

/// A signcryption of so many bytes, which only its user could tell from a real one.
fn wire(plaintext: usize) -> Vec<u8> {
    let body = vec![3; plaintext + 164];
    let len = u64::try_from(body.len()).unwrap().to_le_bytes();
    [&[1; 12][..], &768u64.to_le_bytes(), &[2; 768], &len, &body].concat()
}

/// Signs with the key of a seed; a party's seed is its number.
pub fn sign(seed: u32, hash: &Digest) -> Signature {
    signing::sign(&signing_key(seed), hash).unwrap()
}

/// The signature that an item carries.
pub fn signature(bytes: &Binary) -> Signature {
    Signature::try_from(bytes.as_slice()).unwrap()
}

/// The other forms of one signature: high s, and v as 0 or 1 or shifted.
pub fn other_forms(signature: &Signature) -> [Signature; 5] {
    let high = k256::ecdsa::Signature::from_slice(&signature.as_bytes()[..64]).unwrap();
    let (r, s) = (high.r(), -*high.s());
    let high = k256::ecdsa::Signature::from_scalars(r.to_bytes(), s.to_bytes()).unwrap().to_bytes();
    let (low, v) = (&signature.as_bytes()[..64], signature.as_bytes()[64]);
    let form = |rs: &[u8], v: u8| Signature::try_from([rs, &[v]].concat().as_slice()).unwrap();
    [form(&high, 55 - v), form(&high, v), form(low, 55 - v), form(low, v - 27), form(low, v + 4)]
}

impl Suite {
    /// The body's bytes in state.
    pub fn stored_body(&self, id: RequestId) -> Vec<u8> {
        state_key::REQUEST.may_load(&*self.storage(), id.get()).unwrap()
    }

    pub fn body(&self, id: RequestId) -> RequestBody {
        RequestBody::parse(&self.stored_body(id)).unwrap()
    }

    /// The operators that have to answer a request; those of today if it was denied.
    pub fn epoch_of(&self, id: RequestId) -> Epoch {
        let epoch = self.body(id).epoch.unwrap_or(self.epoch.id);
        state_key::EPOCH.load(&*self.storage(), epoch.get()).unwrap()
    }

    /// What an honest receipt of a party says.
    pub fn receipt(&self, id: RequestId, party: u32, outcome: Outcome, payload: &[u8]) -> Receipt<'_> {
        Receipt {
            chain_id: CHAIN_ID,
            contract: self.contract.as_str(),
            request_id: id,
            request_hash: request_hash(&self.stored_body(id)),
            epoch: self.epoch_of(id).id,
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
        let domain = |key_id, domain: &Option<Eip712Domain>| {
            domain.clone().unwrap_or_else(|| self.key_record(key_id).domain)
        };
        match self.body(id).operation {
            Operation::KeyGen(op) => {
                let key_id = match op.source {
                    KeySource::Takeover { key_id } => key_id,
                    KeySource::Generate | KeySource::Import { .. } => id.into(),
                };
                let digests = payload::decode_key_digests(payload).unwrap_or_default();
                key_gen_hash(&self.default_domain(key_id), key_id, &digests)
            }
            Operation::CrsGen(op) => {
                let digest = Digest::try_from(payload).unwrap_or(Digest::new([0; 32]));
                crs_gen_hash(&self.default_domain(id.into()), id.into(), op.max_bits, &digest)
            }
            Operation::PublicDecrypt(op) => {
                let handles = op.ciphertexts.iter().map(|ciphertext| &ciphertext.handle);
                public_decrypt_hash(&domain(op.key_id, &op.domain), handles, payload, &op.extra_data)
            }
            Operation::UserDecrypt(op) => user_decrypt_hash(&domain(op.key_id, &op.domain), &op, payload),
            Operation::VerifyInput(op) => {
                let (handles, _) = payload.get(1..).unwrap_or_default().as_chunks::<32>();
                let handles: Vec<_> = handles.iter().copied().map(Handle::new).collect();
                verify_input_hash(&domain(op.key_id, &op.domain), &op, &handles)
            }
        }
    }

    /// What a party answers to a user, after a change.
    pub fn changed_user_payload(
        &self,
        id: RequestId,
        party: u32,
        change: impl FnOnce(&mut UserPayload<'_>),
    ) -> Vec<u8> {
        let Operation::UserDecrypt(op) = self.body(id).operation else { panic!("a user decryption") };
        let domain = op.domain.clone().unwrap_or_else(|| self.default_domain(op.key_id));
        let epoch = self.epoch_of(id);
        let wires: Vec<_> = op
            .ciphertexts
            .iter()
            .map(|c| wire(payload::user_plaintext_len(c.fhe_type, epoch.mode)))
            .collect();
        let item = |(ciphertext, wire): (&Ciphertext, _)| UserItem {
            fhe_type: ciphertext.fhe_type,
            wire,
            handle: ciphertext.handle,
            packing_factor: 1,
        };
        let (party_id, degree) = payload::user_payload_shape(&epoch, PartyId(party));
        let mut payload = UserPayload {
            verification_key: terms::party(party).signer,
            link: user_link(&domain, &op),
            items: op.ciphertexts.iter().zip(wires.iter().map(Vec::as_slice)).map(item).collect(),
            party_id,
            degree,
        };
        change(&mut payload);
        payload.encode()
    }

    /// What a party answers to a user.
    pub fn user_payload(&self, id: RequestId, party: u32) -> Vec<u8> {
        self.changed_user_payload(id, party, |_| {})
    }

    /// An honest answer to a user.
    pub fn user_answer(&self, id: RequestId, party: u32) -> Answer {
        self.answer(id, party, &self.user_payload(id, party))
    }

    /// An honest answer.
    pub fn answer(&self, id: RequestId, party: u32, payload: &[u8]) -> Answer {
        self.answer_signed_by(id, party, party, payload)
    }

    /// An answer in the name of a party, signed with the key of a seed.
    pub fn answer_signed_by(&self, id: RequestId, party: u32, seed: u32, payload: &[u8]) -> Answer {
        Answer {
            request_id: id,
            epoch: self.epoch_of(id).id,
            party: PartyId(party),
            payload: payload.into(),
            external_signature: (payload != [0]).then(|| sign(seed, &self.external_hash(id, payload)).into()),
            receipt: sign(seed, &self.receipt(id, party, Outcome::Answer, payload).signing_hash()).into(),
        }
    }

    /// An honest failure.
    pub fn failure(&self, id: RequestId, party: u32, code: FailureCode, index: u16) -> Failure {
        let outcome = Outcome::Failure(code);
        let receipt = self.receipt(id, party, outcome, &index.to_be_bytes());
        Failure {
            request_id: id,
            epoch: self.epoch_of(id).id,
            party: PartyId(party),
            code: code.number().into(),
            index: index.into(),
            receipt: sign(party, &receipt.signing_hash()).into(),
        }
    }
}
