//! What a request must look like to be one at all. Anything else is an error: nothing is recorded.

use cosmwasm_std::Storage;
use kms_asc_api::payload::public_decrypt_len;
use kms_asc_api::{
    Ciphertext, CiphertextFormat, Config, EpochId, EpochMode, KeyGen, KeyId, KeyParams, KeyRecord, KeySource,
    Operation, Provenance, PublicDecrypt, RequestSize, state_key,
};

use crate::ContractError;
use crate::session::Session;

/// Most bytes of extra data and of a domain's texts: they are signed and stored with the request.
const MAX_EXTRA_DATA: u64 = 1024;
const MAX_DOMAIN_TEXT: u64 = 64;

/// Checks that this version can act on an operation and that its fields make sense.
pub fn check(session: &mut Session, newest: EpochId, operation: &Operation) -> Result<(), ContractError> {
    match operation {
        Operation::KeyGen(op) => key_gen(session.epoch(newest)?.mode, op),
        Operation::PublicDecrypt(op) => public_decrypt(&session.config, op, operation),
        Operation::CrsGen(_) | Operation::UserDecrypt(_) | Operation::VerifyInput(_) => {
            Err(ContractError::Unsupported(operation.kind().name()))
        }
    }
}

fn key_gen(mode: EpochMode, op: &KeyGen) -> Result<(), ContractError> {
    match (op.params, &op.source) {
        (KeyParams::Test, _) => Err(ContractError::Unsupported("params test")),
        (_, KeySource::Import { .. }) => Err(ContractError::Unsupported("source import")),
        (_, KeySource::Takeover { .. }) => Err(ContractError::Unsupported("source takeover")),
        (KeyParams::Default, KeySource::Generate) if mode == EpochMode::Replicated => {
            Err(ContractError::GenerateRefused)
        }
        (KeyParams::Default, KeySource::Generate) => Ok(()),
    }
}

fn public_decrypt(config: &Config, op: &PublicDecrypt, operation: &Operation) -> Result<(), ContractError> {
    let limits = &config.limits;
    at_most("ciphertexts", op.ciphertexts.len(), limits.ciphertexts.into())?;
    at_most("bytes of extra_data", op.extra_data.len(), MAX_EXTRA_DATA)?;
    if op.ciphertexts.is_empty() {
        return Err(ContractError::Malformed("no ciphertext given, at least one needed".to_owned()));
    }
    if let Some(domain) = &op.domain {
        at_most("bytes of the domain's name", domain.name.len(), MAX_DOMAIN_TEXT)?;
        at_most("bytes of the domain's version", domain.version.len(), MAX_DOMAIN_TEXT)?;
    }
    for (position, ciphertext) in op.ciphertexts.iter().enumerate() {
        check_ciphertext(position, ciphertext)?;
    }
    // The same bytes named twice are paid for once, but travel to the core twice.
    RequestSize::of(operation)?;
    let given = op.ciphertexts.iter().try_fold(0u64, |sum, ciphertext| sum.checked_add(ciphertext.size));
    let (given, allowed) = (given.ok_or(ContractError::Overflow)?, limits.bytes);
    if given > allowed {
        return Err(ContractError::OverLimit { what: "bytes of ciphertexts", given, allowed });
    }
    // An answer that cannot be taken in is paid for and never comes.
    at_most("bytes of the answer", public_decrypt_len(&op.ciphertexts), limits.payload.into())
}

fn check_ciphertext(position: usize, ciphertext: &Ciphertext) -> Result<(), ContractError> {
    let malformed = |why: String| Err(ContractError::Malformed(format!("ciphertext {position}: {why}")));
    match ciphertext.provenance {
        Provenance::Unproven => {}
        Provenance::Verified { .. } => return Err(ContractError::Unsupported("provenance verified")),
        Provenance::Attested { .. } => return Err(ContractError::Unsupported("provenance attested")),
    }
    match ciphertext.format {
        CiphertextFormat::Raw => {}
        CiphertextFormat::Compressed => return Err(ContractError::Unsupported("format compressed")),
        CiphertextFormat::Compact => return Err(ContractError::Unsupported("format compact")),
    }
    if ciphertext.index != 0 {
        return malformed(format!("index {} given, a raw ciphertext has only 0", ciphertext.index));
    }
    if ciphertext.size == 0 {
        return malformed("size 0 given".to_owned());
    }
    let (in_handle, declared) = (ciphertext.handle.fhe_type_number(), ciphertext.fhe_type.number());
    if in_handle != declared {
        return malformed(format!("byte 30 of the handle is {in_handle}, the type's number is {declared}"));
    }
    Ok(())
}

/// Refuses more than is allowed of something.
pub fn at_most(what: &'static str, given: usize, allowed: u64) -> Result<(), ContractError> {
    let given = u64::try_from(given).map_err(|_| ContractError::Overflow)?;
    if given > allowed {
        return Err(ContractError::OverLimit { what, given, allowed });
    }
    Ok(())
}

/// The record of a key that must exist.
pub fn existing_key(storage: &dyn Storage, id: KeyId) -> Result<KeyRecord, ContractError> {
    state_key::KEY.may_load(storage, id.get())?.ok_or(ContractError::UnknownKey(id))
}
