//! New code, announced and then run.

use cosmwasm_std::Binary;
use kms_asc_api::Digest;

use crate::ContractError;
use crate::session::Session;

/// Announces new code.
pub fn schedule_migration(
    _session: &mut Session,
    _code_id: u64,
    _checksum: Digest,
) -> Result<Binary, ContractError> {
    Err(ContractError::Unsupported("schedule_migration"))
}

/// Runs the announced code, after the delay.
pub fn migrate_now(_session: &mut Session) -> Result<Binary, ContractError> {
    Err(ContractError::Unsupported("migrate_now"))
}
