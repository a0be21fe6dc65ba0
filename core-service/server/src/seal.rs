//! Signs what this party found, in the two ways that the contract checks.

use kms_asc_api::{Digest, Outcome, eip712::Receipt};
use kms_core_proto::{
    NO_INDEX,
    v1::{self, answer},
};

use crate::{
    Error, Identity, Signer,
    operation::{Failure, Finding},
    request::Request,
};

/// What a receipt says beside whose request it is about.
struct Said {
    outcome: Outcome,
    payload_digest: Digest,
    message: answer::Outcome,
}

/// The signed answer to a request. The same finding gives the same bytes.
pub(crate) fn seal(
    identity: &Identity,
    signer: &Signer,
    request: &Request,
    finding: Finding,
) -> Result<v1::Answer, Error> {
    let sign = |hash: &Digest| -> Result<Vec<u8>, Error> {
        let signature = signer.sign(hash).map_err(|error| Error::internal("signing an answer", &error))?;
        Ok(signature.as_bytes().to_vec())
    };
    let Said { outcome, payload_digest, message } = match finding {
        Finding::Answer { payload, statement } => {
            let external = statement.as_ref().map(sign).transpose()?;
            answered(payload, external.unwrap_or_default())
        }
        Finding::Failure(failure) => failed(failure),
    };
    let receipt = Receipt {
        chain_id: &identity.chain_id,
        contract: &identity.contract,
        request_id: request.body.id,
        request_hash: request.hash,
        epoch: request.membership.epoch,
        party: request.membership.party,
        outcome,
        payload_digest,
    };
    Ok(v1::Answer {
        request_id: request.id(),
        request_hash: request.hash.as_bytes().to_vec(),
        epoch: request.membership.epoch.get(),
        party: request.membership.party.get(),
        receipt: sign(&receipt.signing_hash())?,
        outcome: Some(message),
    })
}

fn answered(payload: Vec<u8>, external_signature: Vec<u8>) -> Said {
    Said {
        outcome: Outcome::Answer,
        payload_digest: Digest::sha256(&payload),
        message: answer::Outcome::Success(v1::Success { payload, external_signature }),
    }
}

/// A failure's payload is the index of the ciphertext at fault, u16 big-endian, 0xFFFF for none.
fn failed(Failure { code, index }: Failure) -> Said {
    Said {
        outcome: Outcome::Failure(code),
        payload_digest: Digest::sha256(&index.unwrap_or(u16::MAX).to_be_bytes()),
        message: answer::Outcome::Failure(v1::Failure {
            code: u32::from(code.number()),
            index: index.map_or(NO_INDEX, u32::from),
        }),
    }
}
