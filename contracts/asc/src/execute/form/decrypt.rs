//! Ciphertexts to be decrypted, for everybody or for one user.

use std::collections::BTreeSet;

use kms_asc_api::payload::{USER_KEY_LEN, decode_user_key, public_decrypt_len, user_decrypt_len};
use kms_asc_api::{
    Ciphertext, CiphertextFormat, Config, EpochMode, Operation, Provenance, PublicDecrypt, RequestSize,
    UserDecrypt,
};

use super::{at_most, malformed, signed_texts};
use crate::ContractError;

/// Most applications that a user may name, and most days that his signature may hold.
const MAX_CONTRACTS: u64 = 16;
const MAX_DAYS: u64 = 365;

pub fn public(config: &Config, op: &PublicDecrypt, operation: &Operation) -> Result<(), ContractError> {
    signed_texts(op.domain.as_ref(), &op.extra_data)?;
    ciphertexts(config, operation)?;
    // An answer that cannot be taken in is paid for and never comes.
    at_most("bytes of the answer", public_decrypt_len(&op.ciphertexts), config.limits.payload.into())
}

pub fn user(
    config: &Config,
    mode: EpochMode,
    op: &UserDecrypt,
    operation: &Operation,
) -> Result<(), ContractError> {
    signed_texts(op.domain.as_ref(), &op.extra_data)?;
    if decode_user_key(&op.enc_key).is_err() {
        return malformed(format!(
            "enc_key of {} bytes given, {USER_KEY_LEN} with the fixed header allowed",
            op.enc_key.len()
        ));
    }
    at_most("contracts", op.contracts.len(), MAX_CONTRACTS)?;
    let distinct: BTreeSet<_> = op.contracts.iter().collect();
    if op.contracts.is_empty() || distinct.len() != op.contracts.len() {
        return malformed("contracts: at least one needed, each once");
    }
    if op.valid_days == 0 || op.valid_days > MAX_DAYS {
        return malformed(format!("valid_days {} given, 1 to {MAX_DAYS} allowed", op.valid_days));
    }
    if op.valid_until().is_none() {
        return malformed(format!("valid_from {} given, which leaves no room for days", op.valid_from));
    }
    ciphertexts(config, operation)?;
    at_most("bytes of the answer", user_decrypt_len(&op.ciphertexts, mode), config.limits.payload.into())
}

fn ciphertexts(config: &Config, operation: &Operation) -> Result<(), ContractError> {
    let (limits, ciphertexts) = (&config.limits, operation.ciphertexts());
    at_most("ciphertexts", ciphertexts.len(), limits.ciphertexts.into())?;
    if ciphertexts.is_empty() {
        return malformed("no ciphertext given, at least one needed");
    }
    for (position, ciphertext) in ciphertexts.iter().enumerate() {
        check_ciphertext(ciphertext).or_else(|why| malformed(format!("ciphertext {position}: {why}")))?;
    }
    // The same bytes named twice are paid for once, but travel to the core twice.
    RequestSize::of(operation)?;
    let given = ciphertexts.iter().try_fold(0u64, |sum, ciphertext| sum.checked_add(ciphertext.size));
    let (given, allowed) = (given.ok_or(ContractError::Overflow)?, limits.bytes);
    if given > allowed {
        return Err(ContractError::OverLimit { what: "bytes of ciphertexts", given, allowed });
    }
    Ok(())
}

fn check_ciphertext(ciphertext: &Ciphertext) -> Result<(), String> {
    let verified = matches!(ciphertext.provenance, Provenance::Verified { .. });
    if verified && ciphertext.format != CiphertextFormat::Compact {
        return Err("an element of a verified input has format compact".to_owned());
    }
    if ciphertext.format == CiphertextFormat::Raw && ciphertext.index != 0 {
        return Err(format!("index {} given, a raw ciphertext has only 0", ciphertext.index));
    }
    if ciphertext.size == 0 {
        return Err("size 0 given".to_owned());
    }
    let (in_handle, declared) = (ciphertext.handle.fhe_type_number(), ciphertext.fhe_type.number());
    if in_handle != declared {
        return Err(format!("byte 30 of the handle is {in_handle}, the type's number is {declared}"));
    }
    Ok(())
}
