//! What a request must look like to be one at all. Anything else is an error: nothing is recorded.

mod decrypt;
mod generate;
mod verify_input;

use kms_asc_api::{Eip712Domain, KeyRecord, Operation};

use crate::ContractError;
use crate::session::Session;

/// Most bytes of extra data and of a domain's texts: they are signed and stored with the request.
const MAX_EXTRA_DATA: u64 = 1024;
const MAX_DOMAIN_TEXT: u64 = 64;

/// Checks that an operation's fields make sense; gives the record of the key that it uses.
pub fn check(session: &mut Session, operation: &Operation) -> Result<Option<KeyRecord>, ContractError> {
    let key = match operation.key_id() {
        Some(id) => Some(session.used_key(id)?),
        None => None,
    };
    match (operation, &key) {
        (Operation::KeyGen(op), key) => generate::key_gen(session, op, key.as_ref())?,
        (Operation::CrsGen(op), _) => generate::crs_gen(session, op)?,
        (Operation::PublicDecrypt(op), _) => decrypt::public(&session.config, op, operation)?,
        (Operation::UserDecrypt(op), Some(key)) => {
            let mode = session.epoch(key.epoch)?.mode;
            decrypt::user(&session.config, mode, op, operation)?;
        }
        (Operation::VerifyInput(op), _) => verify_input::check(session, op)?,
        (Operation::UserDecrypt(op), None) => return Err(ContractError::UnknownKey(op.key_id)),
    }
    Ok(key)
}

/// What every answer signs beside the answer itself.
fn signed_texts(domain: Option<&Eip712Domain>, extra_data: &[u8]) -> Result<(), ContractError> {
    at_most("bytes of extra_data", extra_data.len(), MAX_EXTRA_DATA)?;
    if let Some(domain) = domain {
        at_most("bytes of the domain's name", domain.name.len(), MAX_DOMAIN_TEXT)?;
        at_most("bytes of the domain's version", domain.version.len(), MAX_DOMAIN_TEXT)?;
    }
    Ok(())
}

fn malformed(why: impl Into<String>) -> Result<(), ContractError> {
    Err(ContractError::Malformed(why.into()))
}

/// Refuses more than is allowed of something.
pub fn at_most(what: &'static str, given: usize, allowed: u64) -> Result<(), ContractError> {
    let given = u64::try_from(given).map_err(|_| ContractError::Overflow)?;
    if given > allowed {
        return Err(ContractError::OverLimit { what, given, allowed });
    }
    Ok(())
}
