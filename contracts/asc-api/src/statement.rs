//! What an answer says to the outside world, whatever was asked.

use crate::eip712::{crs_gen_hash, key_gen_hash, public_decrypt_hash, user_decrypt_hash, verify_input_hash};
use crate::payload::{InputVerdict, PayloadError, decode_crs_digest, decode_key_digests};
use crate::{CrsId, Digest, Eip712Domain, KeyId, Operation, RequestBody};

impl RequestBody {
    /// The key under whose domain the answers are signed, unless the request [names](Self::named_domain) another
    /// domain of it: the one that is used or taken over, or the one that is made; a reference string's counts as
    /// that of a key with its id.
    pub fn statement_key(&self) -> KeyId {
        self.operation.key_id().unwrap_or_else(|| KeyId::from(self.id))
    }

    /// The domain that the request asks for in place of the key's own.
    pub const fn named_domain(&self) -> Option<&Eip712Domain> {
        match &self.operation {
            Operation::PublicDecrypt(op) => op.domain.as_ref(),
            Operation::UserDecrypt(op) => op.domain.as_ref(),
            Operation::VerifyInput(op) => op.domain.as_ref(),
            Operation::KeyGen(_) | Operation::CrsGen(_) => None,
        }
    }

    /// The hash that an answer's external signature signs; none of an input that was refused.
    ///
    /// # Errors
    /// When the payload is none of the operation.
    pub fn statement(&self, domain: &Eip712Domain, payload: &[u8]) -> Result<Option<Digest>, PayloadError> {
        Ok(Some(match &self.operation {
            Operation::KeyGen(_) => key_gen_hash(domain, self.statement_key(), &decode_key_digests(payload)?),
            Operation::CrsGen(op) => {
                crs_gen_hash(domain, CrsId::from(self.id), op.max_bits, &decode_crs_digest(payload)?)
            }
            Operation::PublicDecrypt(op) => {
                let handles = op.ciphertexts.iter().map(|ciphertext| &ciphertext.handle);
                public_decrypt_hash(domain, handles, payload, &op.extra_data)
            }
            Operation::UserDecrypt(op) => user_decrypt_hash(domain, op, payload),
            Operation::VerifyInput(op) => match InputVerdict::decode(payload, op.chain_id)? {
                InputVerdict::Refused => return Ok(None),
                InputVerdict::Accepted(handles) => verify_input_hash(domain, op, &handles),
            },
        }))
    }
}
