//! New code, announced and then run.

use cosmwasm_std::{Binary, WasmMsg, to_json_binary};
use kms_asc_api::event::Event;
use kms_asc_api::log::LogBody;
use kms_asc_api::{Digest, MigrateMsg, MigrationRecord, state_key};

use crate::ContractError;
use crate::session::Session;
use crate::version::CONTRACT_VERSION;

/// Announces new code, in place of what was announced before.
pub fn schedule_migration(
    session: &mut Session,
    code_id: u64,
    checksum: Digest,
) -> Result<Binary, ContractError> {
    session.require_admin()?;
    check_code(session, code_id, checksum)?;
    let not_before = session.now().checked_add(session.config.migration_delay);
    let not_before = not_before.ok_or(ContractError::Overflow)?;
    let migration = MigrationRecord { code_id, checksum, not_before };
    state_key::MIGRATION.save(session.deps.storage, &migration)?;
    let body = LogBody::MigrationScheduled { migration };
    session.emit(Event::Config { kind: body.kind().to_owned() });
    session.record(None, body)?;
    Ok(Binary::default())
}

/// Runs the announced code, after the delay. The contract is its own wasm admin, so nobody else can.
pub fn migrate_now(session: &mut Session) -> Result<Binary, ContractError> {
    session.require_admin()?;
    let migration = state_key::MIGRATION.may_load(session.deps.storage)?;
    let migration = migration.ok_or_else(|| refused("no code is announced".to_owned()))?;
    let now = session.now();
    if now < migration.not_before {
        return Err(refused(format!(
            "it is {now}, and the announced code runs from {}",
            migration.not_before
        )));
    }
    check_code(session, migration.code_id, migration.checksum)?;
    let body = LogBody::MigrationStarted { migration, version: CONTRACT_VERSION.to_owned() };
    session.emit(Event::Config { kind: body.kind().to_owned() });
    session.record(None, body)?;
    session.send(WasmMsg::Migrate {
        contract_addr: session.env.contract.address.to_string(),
        new_code_id: migration.code_id,
        msg: to_json_binary(&MigrateMsg {})?,
    });
    Ok(Binary::default())
}

/// The chain knows the code, and it is the one that people can have read.
fn check_code(session: &Session, code_id: u64, checksum: Digest) -> Result<(), ContractError> {
    let code = session.deps.querier.query_wasm_code_info(code_id);
    let code = code.map_err(|_| refused(format!("the chain has no code {code_id}")))?;
    if code.checksum.as_slice() != checksum.as_bytes() {
        return Err(refused(format!("code {code_id} has the checksum {}, not {checksum}", code.checksum)));
    }
    Ok(())
}

fn refused(why: String) -> ContractError {
    ContractError::Migration(why)
}
