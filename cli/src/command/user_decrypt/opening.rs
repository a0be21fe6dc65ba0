//! What the operators encrypted, opened.

use kms_asc_api::{EpochMode, UserDecrypt, payload::UserPayload};
use kms_core_engine::{FheType, Plaintext};
use kms_signcrypt::{Expected, UserKey};

use crate::{
    error::{Error, Result},
    report::{RequestReport, Sealed, Value},
    verify::UserAnswer,
};

/// The values on which enough verified answers agree.
pub fn values(report: &RequestReport, key: &UserKey, asked: &UserDecrypt) -> Result<Vec<Value>> {
    let sealed = report.sealed.as_ref().filter(|sealed| !sealed.answers.is_empty());
    let sealed = sealed.ok_or_else(|| Error::Unverified(format!("request {} has no answer", report.id)))?;
    if sealed.mode == EpochMode::Threshold {
        let id = report.id;
        return Err(Error::Internal(format!(
            "request {id} was answered in shares, which this version cannot join"
        )));
    }
    let opened: Vec<_> = sealed.answers.iter().map(|answer| open(sealed, answer, key, asked)).collect();
    let votes = |values: &[Plaintext]| {
        opened.iter().filter(|other| other.as_deref().is_ok_and(|other| other == values)).count()
    };
    let decided = opened.iter().flatten().find(|values| votes(values) >= sealed.needed);
    match (decided, opened.iter().find_map(|answer| answer.as_ref().err())) {
        (Some(values), _) => Ok(values.iter().map(shown).collect()),
        (None, Some(fault)) => Err(Error::Unverified(fault.clone())),
        (None, None) => Err(Error::Unverified(format!(
            "request {} is fulfilled, but fewer than {} parties encrypted the same values",
            report.id, sealed.needed
        ))),
    }
}

fn open(
    sealed: &Sealed,
    answer: &UserAnswer,
    key: &UserKey,
    asked: &UserDecrypt,
) -> Result<Vec<Plaintext>, String> {
    let fault = |error: &dyn std::fmt::Display| format!("the answer of party {}: {error}", answer.party);
    let payload = UserPayload::decode(&answer.payload).map_err(|error| fault(&error))?;
    let expected = Expected { signer: &answer.signer, user: &asked.user, link: &sealed.link };
    let mut values = Vec::with_capacity(payload.items.len());
    for (item, ciphertext) in payload.items.iter().zip(&asked.ciphertexts) {
        let opened = key.open(item.wire, &expected).map_err(|error| fault(&error))?;
        let declared = ciphertext.fhe_type;
        if opened.fhe_type != declared {
            return Err(fault(&format!(
                "it encrypts a {} where a {declared} was asked for",
                opened.fhe_type
            )));
        }
        let fhe_type = FheType::from_number(declared.number());
        let fhe_type = fhe_type.ok_or_else(|| fault(&format!("{declared} is unknown to this version")))?;
        values
            .push(Plaintext::from_little_endian(fhe_type, &opened.plaintext).map_err(|error| fault(&error))?);
    }
    // The payload has as many items as the request has ciphertexts: that was judged with the signatures.
    Ok(values)
}

fn shown(value: &Plaintext) -> Value {
    Value { fhe_type: value.fhe_type().name().to_owned(), value: value.to_string() }
}

#[cfg(test)]
mod tests;
