//! Where ciphertexts come from, as far as their evidence shows. A decryption oracle for chosen ciphertexts gives
//! the secret key away, whatever checks of shape are made; so evidence that does not hold is refused, however
//! much the sender is trusted.

use std::collections::BTreeMap;

use kms_asc_api::eip712::Attestation;
use kms_asc_api::payload::input_handle;
use kms_asc_api::{
    Ciphertext, CiphertextFormat, DenialReason, EvmAddress, KeyRecord, Operation, Provenance, RequestBody,
    RequestId, Signature, State, Status, StoredResponse, VerifyInput, state_key,
};

use super::Refused;
use crate::ContractError;
use crate::session::Session;
use crate::signer::wallet_of;

/// Where a ciphertext comes from.
pub enum Origin {
    /// An element of a verified input.
    Input { user: EvmAddress, contract: EvmAddress },
    /// The key's attesters computed it; `user` is absent if it is for nobody in particular.
    Attested { user: Option<EvmAddress>, contract: EvmAddress },
    /// Nobody knows.
    Unproven,
}

/// A verified input and the payload that names its elements.
struct Input {
    op: VerifyInput,
    payload: Vec<u8>,
}

/// The origin of each ciphertext, in order.
pub fn origins(
    session: &Session,
    key: &KeyRecord,
    ciphertexts: &[Ciphertext],
) -> Result<Vec<Origin>, Refused> {
    let mut inputs = BTreeMap::new();
    ciphertexts.iter().map(|ciphertext| origin(session, key, ciphertext, &mut inputs)).collect()
}

fn origin(
    session: &Session,
    key: &KeyRecord,
    ciphertext: &Ciphertext,
    inputs: &mut BTreeMap<RequestId, Option<Input>>,
) -> Result<Origin, Refused> {
    let shown = match &ciphertext.provenance {
        Provenance::Unproven => Some(Origin::Unproven),
        Provenance::Attested { user, contract, valid_until, signatures } => {
            // Zero is how signatures say "nobody".
            let (user, app) = (user.unwrap_or(EvmAddress::ZERO), contract.unwrap_or(EvmAddress::ZERO));
            let attestation = Attestation {
                chain_id: &session.env.block.chain_id,
                contract: session.env.contract.address.as_str(),
                key_id: key.id,
                ciphertext,
                user,
                app,
                valid_until: *valid_until,
            };
            let holds = session.now() <= *valid_until && attested(session, key, &attestation, signatures);
            let user = (user != EvmAddress::ZERO).then_some(user);
            holds.then_some(Origin::Attested { user, contract: app })
        }
        Provenance::Verified { request_id } => {
            if !inputs.contains_key(request_id) {
                inputs.insert(*request_id, load_input(session, *request_id)?);
            }
            let input = inputs.get(request_id).and_then(Option::as_ref);
            let input = input.filter(|input| input.op.key_id == key.id && input.contains(ciphertext));
            input.map(|input| Origin::Input { user: input.op.user, contract: input.op.contract })
        }
    };
    shown.ok_or_else(|| DenialReason::Provenance.into())
}

/// Whether so many of the key's attesters of today as must signed, each once, in ascending order, and nobody
/// else.
fn attested(
    session: &Session,
    key: &KeyRecord,
    attestation: &Attestation<'_>,
    signatures: &[Signature],
) -> bool {
    let enough = usize::try_from(key.attester_threshold).is_ok_and(|needed| signatures.len() >= needed);
    if key.attester_threshold == 0 || !enough {
        return false;
    }
    let hash = attestation.signing_hash();
    let mut last = None;
    signatures.iter().all(|signature| {
        let signer = wallet_of(session.deps.api, &hash, signature);
        let next = signer.is_some_and(|signer| key.attesters.contains(&signer)) && signer > last;
        last = signer;
        next
    })
}

/// The input that a fulfilled request verified; none if the request is another, or its input was refused.
fn load_input(session: &Session, id: RequestId) -> Result<Option<Input>, ContractError> {
    let storage = &*session.deps.storage;
    let Some(status) = state_key::STATUS.may_load(storage, id.get()) else { return Ok(None) };
    let status = Status::decode(&status)?;
    if status.state != State::Fulfilled {
        return Ok(None);
    }
    let missing = |what| ContractError::NotFound(format!("{what} of request {id}"));
    let body = state_key::REQUEST.may_load(storage, id.get()).ok_or_else(|| missing("body"))?;
    let Operation::VerifyInput(op) = RequestBody::parse(&body)?.operation else { return Ok(None) };
    let response = state_key::RESPONSE.may_load(storage, (id.get(), status.winner));
    let payload = StoredResponse::decode(&response.ok_or_else(|| missing("deciding answer"))?)?.payload;
    Ok(Some(Input { op, payload }))
}

impl Input {
    /// Whether the ciphertext is the element that it says it is.
    fn contains(&self, ciphertext: &Ciphertext) -> bool {
        (ciphertext.digest, ciphertext.size) == (self.op.digest, self.op.size)
            && ciphertext.format == CiphertextFormat::Compact
            && input_handle(&self.payload, ciphertext.index) == Some(ciphertext.handle)
    }
}
