//! Whether what the contract has on record was really said by its operators: both signatures of every answer,
//! and the agreement that decided.

use std::collections::BTreeMap;

use kms_asc_api::{
    Digest, Eip712Domain, Epoch, EpochMode, KeyId, Operation, Outcome, PartyId, ResponseView, Signature,
    eip712, key_contract_address, request_hash, signing,
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
        match (self.statement(answer)?, &response.external_signature) {
            (Some(hash), Some(signature)) if by_party(&hash, signature) => Ok(()),
            (None, None) => Ok(()),
            _ => Err(Fault::External),
        }
    }

    /// The payload on which enough answers that verify agree, empty where each party's is its own; `None` if
    /// they are too few.
    pub fn decided<'a>(&self, responses: &'a [ResponseView]) -> Option<&'a [u8]> {
        let mut votes: BTreeMap<&[u8], Vec<PartyId>> = BTreeMap::new();
        for response in responses.iter().filter(|response| !response.late && response.outcome == 0) {
            if let (Some(payload), Ok(())) = (&response.payload, self.response(response)) {
                let said = if self.each_is_its_own() { &[] } else { payload.as_slice() };
                let parties = votes.entry(said).or_default();
                if !parties.contains(&response.party) {
                    parties.push(response.party);
                }
            }
        }
        let needed = usize::try_from(self.needed()).unwrap_or(usize::MAX);
        votes.into_iter().find(|(_, parties)| parties.len() >= needed).map(|(payload, _)| payload)
    }

    /// Whether answers are for the user to put together, and cannot be compared.
    const fn each_is_its_own(&self) -> bool {
        matches!(self.stored.body.operation, Operation::UserDecrypt(_))
    }

    /// How many parties decide.
    pub fn needed(&self) -> u32 {
        if self.each_is_its_own() && self.epoch.mode != EpochMode::Replicated {
            self.epoch.reconstruction
        } else {
            self.epoch.majority
        }
    }

    /// The hash that an answer's external signature signs; `None` for an answer without.
    fn statement(&self, answer: &[u8]) -> Result<Option<Digest>, Fault> {
        self.stored.body.statement(self.domain, answer).map_err(|_| Fault::Payload)
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
