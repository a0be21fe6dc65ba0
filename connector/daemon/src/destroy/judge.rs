//! Whether what a core says of a destroyed key is the word of an operator on record.

use kms_asc_api::{Digest, Epoch, EpochId, PartyId, Signature, eip712::KeyDestruction, signing};
use kms_core_proto::v1;

use crate::{
    inbox::Attestation,
    item::{ItemError, form, same},
    ledger::StoredKey,
    machine::Operator,
};

/// What an attestation must be about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    /// Id of the chain.
    pub(super) chain_id: &'a str,
    /// Address of the contract.
    pub(super) contract: &'a str,
    /// The key, whose record says that it is destroyed.
    pub(super) key: &'a StoredKey,
}

impl Subject<'_> {
    /// Takes over the core's word. Who signed it is still to be checked.
    ///
    /// # Errors
    /// When it is about something else, or a field has a wrong form.
    pub(super) fn take_over(&self, word: v1::KeyDestruction) -> Result<Attestation, ItemError> {
        let v1::KeyDestruction { key_id, record_hash, epoch, party, time, held, signature } = word;
        let record = &self.key.record;
        same("key id", key_id, record.id.get())?;
        let record_hash = Digest::try_from(record_hash.as_slice()).map_err(|e| form("record hash", e))?;
        same("record hash", record_hash, self.key.hash)?;
        // A core that had the key before a takeover may speak as what it was then.
        if epoch > record.epoch.get() {
            let expected = format!("{} or earlier", record.epoch);
            return Err(ItemError::Foreign { field: "epoch", given: epoch.to_string(), expected });
        }
        let signature = Signature::try_from(signature.as_slice()).map_err(|e| form("signature", e))?;
        Ok(Attestation { record_hash, epoch, party, time, held, signature })
    }

    /// Checks that this operator's key signed, which is the one in the record of the operator's epoch.
    ///
    /// # Errors
    /// When another one did, or the contract does not know the operator.
    pub(super) fn check_signer(
        &self,
        attestation: &Attestation,
        Operator { epoch, party }: Operator,
        on_record: Option<&Epoch>,
    ) -> Result<(), ItemError> {
        let unknown = || ItemError::Foreign {
            field: "party",
            given: format!("{party} of epoch {epoch}"),
            expected: "one on record".to_owned(),
        };
        let expected = on_record.and_then(|epoch| epoch.party(party)).ok_or_else(unknown)?.signer;
        let hash = self.signing_hash(attestation);
        let signer = signing::recover(&hash, &attestation.signature).map_err(|e| form("signature", e))?;
        same("signer", signer, expected)
    }

    fn signing_hash(&self, attestation: &Attestation) -> Digest {
        let statement = KeyDestruction {
            chain_id: self.chain_id,
            contract: self.contract,
            key_id: self.key.record.id,
            record_hash: attestation.record_hash,
            epoch: EpochId(attestation.epoch),
            party: PartyId(attestation.party),
            time: attestation.time,
            held: attestation.held,
        };
        statement.signing_hash()
    }
}

#[cfg(test)]
mod tests;
