//! Entry points: they only dispatch.

use cosmwasm_std::{Binary, Deps, DepsMut, Env, MessageInfo, MigrateInfo, Reply, Response, entry_point};
use kms_asc_api::{ExecuteMsg, InstantiateMsg, MigrateMsg, NewRequest, QueryMsg};

use crate::ContractError;
use crate::error::coins_text;
use crate::session::Session;
use crate::{execute, instantiate, migrate, query, reply};

/// Makes the contract. It must become its own wasm admin, or it refuses to exist.
#[entry_point]
pub fn instantiate(
    deps: DepsMut,
    env: Env,
    info: MessageInfo,
    msg: InstantiateMsg,
) -> Result<Response, ContractError> {
    refuse_funds(&info)?;
    instantiate::instantiate(deps, &env, msg)
}

/// Acts on a message. Who may send what stands in `docs/contract.md`.
#[entry_point]
pub fn execute(
    deps: DepsMut,
    env: Env,
    info: MessageInfo,
    msg: ExecuteMsg,
) -> Result<Response, ContractError> {
    if !matches!(msg, ExecuteMsg::SubmitRequest { .. } | ExecuteMsg::SubmitRequests { .. }) {
        refuse_funds(&info)?;
    }
    let mut session = Session::open(deps, env, info.sender.clone())?;
    let data = match msg {
        ExecuteMsg::SubmitRequest { operation, ttl, callback } => {
            let request = NewRequest { operation: *operation, ttl, callback };
            execute::submit_request(&mut session, &info, request)?
        }
        ExecuteMsg::SubmitRequests { requests } => execute::submit_requests(&mut session, &info, requests)?,
        ExecuteMsg::SubmitResponses { responses } => execute::submit_responses(&mut session, responses)?,
        ExecuteMsg::SubmitFailures { failures } => execute::submit_failures(&mut session, failures)?,
        ExecuteMsg::Close { request_ids } => execute::close(&mut session, &request_ids)?,
        ExecuteMsg::Withdraw { to } => execute::withdraw(&mut session, &info.sender, to)?,
        ExecuteMsg::Cancel { request_id } => execute::cancel(&mut session, request_id)?,
        ExecuteMsg::Grant { key_id, grantee, until } => {
            execute::grant(&mut session, key_id, &grantee, until)?
        }
        ExecuteMsg::Revoke { key_id, grantee } => execute::revoke(&mut session, key_id, &grantee)?,
        ExecuteMsg::SetAttesters { key_id, attesters, threshold } => {
            execute::set_attesters(&mut session, key_id, attesters, threshold)?
        }
        ExecuteMsg::SetCrs { key_id, crs_ids } => execute::set_crs(&mut session, key_id, crs_ids)?,
        ExecuteMsg::SetKeyState { key_id, state } => execute::set_key_state(&mut session, key_id, state)?,
        ExecuteMsg::OfferKey { key_id, to } => execute::offer_key(&mut session, key_id, &to)?,
        ExecuteMsg::AcceptKey { key_id } => execute::accept_key(&mut session, key_id)?,
        ExecuteMsg::SetEpoch { epoch } => execute::set_epoch(&mut session, *epoch)?,
        ExecuteMsg::RevokeEpoch { epoch } => execute::revoke_epoch(&mut session, epoch)?,
        ExecuteMsg::UpdateConfig { config } => execute::update_config(&mut session, *config)?,
        ExecuteMsg::RegisterDomain { key_id, domain } => {
            execute::register_domain(&mut session, key_id, domain)?
        }
        ExecuteMsg::Pause {} => execute::pause(&mut session)?,
        ExecuteMsg::Unpause {} => execute::unpause(&mut session)?,
        ExecuteMsg::WithdrawTreasury { to, amount } => execute::withdraw_treasury(&mut session, to, amount)?,
        ExecuteMsg::SweepSurplus { denom, to } => execute::sweep_surplus(&mut session, denom, to)?,
        ExecuteMsg::ScheduleMigration { code_id, checksum } => {
            execute::schedule_migration(&mut session, code_id, checksum)?
        }
        ExecuteMsg::MigrateNow {} => execute::migrate_now(&mut session)?,
        ExecuteMsg::ProposeAdmin { admin } => execute::propose_admin(&mut session, &admin)?,
        ExecuteMsg::AcceptAdmin {} => execute::accept_admin(&mut session)?,
    };
    session.commit(data)
}

/// Learns what became of a submessage.
#[entry_point]
pub fn reply(deps: DepsMut, env: Env, msg: Reply) -> Result<Response, ContractError> {
    reply::reply(deps, env, msg)
}

/// Takes over from earlier code; only the contract itself may ask for that.
///
/// There is no `migrate_version` attribute: with it, the chain would skip this where two versions agree.
#[entry_point]
pub fn migrate(
    deps: DepsMut,
    env: Env,
    _msg: MigrateMsg,
    info: MigrateInfo,
) -> Result<Response, ContractError> {
    migrate::migrate(deps, env, info)
}

/// Answers a query.
#[entry_point]
pub fn query(deps: Deps, env: Env, msg: QueryMsg) -> Result<Binary, ContractError> {
    query::query(deps, &env, msg)
}

fn refuse_funds(info: &MessageInfo) -> Result<(), ContractError> {
    if info.funds.is_empty() {
        return Ok(());
    }
    Err(ContractError::UnexpectedFunds(coins_text(&info.funds)))
}
