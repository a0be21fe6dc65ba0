//! Inputs to be verified.

use kms_asc_api::{EvmAddress, VerifyInput, state_key};

use super::{malformed, signed_texts};
use crate::ContractError;
use crate::session::Session;

pub fn check(session: &Session, op: &VerifyInput) -> Result<(), ContractError> {
    signed_texts(op.domain.as_ref(), &op.extra_data)?;
    if op.user == EvmAddress::ZERO {
        return malformed("user is zero, which stands for nobody");
    }
    if op.size == 0 {
        return malformed("size 0 given");
    }
    let allowed = session.config.limits.bytes;
    if op.size > allowed {
        return Err(ContractError::OverLimit { what: "bytes of the input", given: op.size, allowed });
    }
    if !state_key::CRS.has(session.deps.storage, op.crs_id.get()) {
        return Err(ContractError::UnknownCrs(op.crs_id));
    }
    Ok(())
}
