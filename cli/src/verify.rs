//! Whether what the contract has on record was really said by its operators: both signatures of every answer,
//! and the agreement that decided.

use std::collections::BTreeMap;

use kms_asc_api::{
    CrsGen, CrsSource, Digest, Eip712Domain, Epoch, EpochMode, KeyGen, KeyId, KeySource, Operation, Outcome,
    PartyId, PublicKey, ResponseView, Signature, eip712, key_contract_address,
    payload::{self, UserPayload},
    request_hash, signing,
};

use crate::ledger::StoredBody;

/// What answers to a request are judged by.
#[derive(Debug)]
pub struct Judge<'a> {
    /// Id of the chain.
    pub chain_id: &'a str,
    /// The contract's address.
    pub contract: &'a str,
    /// The request.
    pub stored: &'a StoredBody,
    /// The operators that the request is bound to.
    pub epoch: &'a Epoch,
    /// The domain of the external signatures.
    pub domain: &'a Eip712Domain,
}

/// A party's answer to a user, whose outer signatures were checked. Only the user can read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserAnswer {
    pub party: PartyId,
    /// The party's key on record, with which it signed within, too.
    pub signer: PublicKey,
    pub payload: Vec<u8>,
}

/// Why an answer is not its party's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The record is of another request or epoch.
    #[error("it is not bound to this request and its epoch")]
    Binding,
    /// The epoch has no such party.
    #[error("epoch {epoch} has no such party")]
    UnknownParty {
        /// The epoch.
        epoch: u32,
    },
    /// The outcome's number has no meaning.
    #[error("outcome {0} has no meaning")]
    Outcome(u32),
    /// The payload is not the one that was signed, or is missing.
    #[error("its payload does not have the digest on record")]
    Payload,
    /// The receipt is somebody else's, or over something else.
    #[error("its receipt is not the party's signature")]
    Receipt,
    /// The statement for the outside world is missing, somebody else's, or over something else.
    #[error("its external signature is not the party's")]
    External,
}

impl Judge<'_> {
    /// Checks one answer or failure: the payload against its digest, the receipt, and the external signature of
    /// an answer that counts.
    pub fn response(&self, response: &ResponseView) -> Result<(), Fault> {
        let body = &self.stored.body;
        if response.request_id != body.id
            || Some(response.epoch) != body.epoch
            || self.epoch.id != response.epoch
        {
            return Err(Fault::Binding);
        }
        let epoch = self.epoch.id.get();
        let party = self.epoch.party(response.party).ok_or(Fault::UnknownParty { epoch })?;
        let outcome = Outcome::try_from(response.outcome).map_err(|_| Fault::Outcome(response.outcome))?;
        check_payload(response, outcome)?;

        let receipt = eip712::Receipt {
            chain_id: self.chain_id,
            contract: self.contract,
            request_id: body.id,
            request_hash: request_hash(&self.stored.bytes),
            epoch: response.epoch,
            party: response.party,
            outcome,
            payload_digest: response.payload_digest,
        };
        let by_party =
            |hash: &Digest, signature: &Signature| signing::recover(hash, signature) == Ok(party.signer);
        if !by_party(&receipt.signing_hash(), &response.receipt) {
            return Err(Fault::Receipt);
        }
        let Some(answer) = response.payload.as_deref().filter(|_| outcome == Outcome::Answer) else {
            return Ok(());
        };
        match (self.statement(response.party, answer)?, &response.external_signature) {
            (Some(hash), Some(signature)) if by_party(&hash, signature) => Ok(()),
            (None, None) => Ok(()),
            _ => Err(Fault::External),
        }
    }

    /// The answers to a user that verify, one for each party; no two are equal. Empty for other operations.
    pub fn user_answers(&self, responses: &[ResponseView]) -> Vec<UserAnswer> {
        let mut answers: BTreeMap<PartyId, UserAnswer> = BTreeMap::new();
        let is_user = matches!(self.stored.body.operation, Operation::UserDecrypt(_));
        for response in responses.iter().filter(|response| is_user && !response.late && response.outcome == 0)
        {
            let signer = self.epoch.party(response.party).map(|party| party.signer);
            if let (Some(payload), Some(signer), Ok(())) =
                (&response.payload, signer, self.response(response))
            {
                let answer = UserAnswer { party: response.party, signer, payload: payload.to_vec() };
                answers.insert(response.party, answer);
            }
        }
        answers.into_values().collect()
    }

    /// How many parties must answer: with equal payloads, but for a user.
    pub fn needed(&self) -> usize {
        let user = matches!(self.stored.body.operation, Operation::UserDecrypt(_));
        let needed = match self.epoch.mode {
            EpochMode::Centralized | EpochMode::Threshold if user => self.epoch.reconstruction,
            _ => self.epoch.majority,
        };
        usize::try_from(needed).unwrap_or(usize::MAX)
    }

    /// What ties answers to the user who asked for them; none for other operations.
    pub fn user_link(&self) -> Option<Digest> {
        match &self.stored.body.operation {
            Operation::UserDecrypt(op) => Some(eip712::user_link(self.domain, op)),
            _ => None,
        }
    }

    /// The payload on which enough answers that verify agree; `None` if there is none.
    pub fn decided<'a>(&self, responses: &'a [ResponseView]) -> Option<&'a [u8]> {
        let mut votes: BTreeMap<&[u8], Vec<PartyId>> = BTreeMap::new();
        for response in responses.iter().filter(|response| !response.late && response.outcome == 0) {
            if let (Some(payload), Ok(())) = (&response.payload, self.response(response)) {
                let parties = votes.entry(payload.as_slice()).or_default();
                if !parties.contains(&response.party) {
                    parties.push(response.party);
                }
            }
        }
        votes.into_iter().find(|(_, parties)| parties.len() >= self.needed()).map(|(payload, _)| payload)
    }

    /// The hash that an answer's external signature signs; `None` for an answer without.
    fn statement(&self, party: PartyId, answer: &[u8]) -> Result<Option<Digest>, Fault> {
        if !self.is_what_was_asked(party, answer) {
            return Err(Fault::Payload);
        }
        self.stored.body.statement(self.domain, answer).map_err(|_| Fault::Payload)
    }

    /// Whether an answer gives what the request names: the material to import, an envelope of this party for this user.
    fn is_what_was_asked(&self, party: PartyId, answer: &[u8]) -> bool {
        match &self.stored.body.operation {
            Operation::KeyGen(KeyGen { source: KeySource::Import { digests }, .. }) => {
                payload::decode_key_digests(answer).is_ok_and(|found| found == *digests)
            }
            Operation::CrsGen(CrsGen { source: CrsSource::Import { digest }, .. }) => {
                payload::decode_crs_digest(answer).is_ok_and(|found| found == *digest)
            }
            Operation::UserDecrypt(op) => {
                let link = eip712::user_link(self.domain, op);
                UserPayload::decode(answer)
                    .is_ok_and(|found| found.check(op, &link, self.epoch, party).is_ok())
            }
            _ => true,
        }
    }
}

/// Late items keep their digest only.
fn check_payload(response: &ResponseView, outcome: Outcome) -> Result<(), Fault> {
    let digest = match (outcome, &response.payload, response.index) {
        _ if response.late => return Ok(()),
        (Outcome::Answer, Some(payload), None) => Digest::sha256(payload),
        (Outcome::Failure(_), None, Some(index)) => Digest::sha256(&index.to_be_bytes()),
        // The contract shows "no ciphertext in particular" as no index.
        (Outcome::Failure(_), None, None) => Digest::sha256(&kms_asc_api::Failure::NO_INDEX.to_be_bytes()),
        _ => return Err(Fault::Payload),
    };
    if digest == response.payload_digest { Ok(()) } else { Err(Fault::Payload) }
}

/// Whether a domain is the default one of a key of this contract, as far as the contract cannot choose.
pub fn is_domain_of(domain: &Eip712Domain, chain_id: &str, contract: &str, key: KeyId) -> bool {
    domain.salt.is_none() && key_contract_address(chain_id, contract, key) == Ok(domain.verifying_contract)
}

#[cfg(test)]
pub mod tests;
