//! Entry points: they only dispatch.

use cosmwasm_std::{Binary, Deps, DepsMut, Env, MessageInfo, Reply, Response, entry_point};
use kms_asc_api::{ExecuteMsg, InstantiateMsg, QueryMsg};

use crate::ContractError;
use crate::error::coins_text;
use crate::session::Session;
use crate::{execute, instantiate, query, reply};

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
    let unsupported = Err(ContractError::Unsupported(msg.name()));
    if !matches!(msg, ExecuteMsg::SubmitRequest { .. }) {
        refuse_funds(&info)?;
    }
    let mut session = Session::open(deps, env, info.sender.clone())?;
    let data = match msg {
        ExecuteMsg::SubmitRequest { operation, ttl, callback } => {
            execute::submit_request(&mut session, &info, *operation, ttl, callback)?
        }
        ExecuteMsg::SubmitResponses { responses } => execute::submit_responses(&mut session, responses)?,
        ExecuteMsg::SubmitFailures { failures } => execute::submit_failures(&mut session, failures)?,
        ExecuteMsg::Close { request_ids } => execute::close(&mut session, &request_ids)?,
        ExecuteMsg::Withdraw { to } => execute::withdraw(&mut session, &info.sender, to)?,
        ExecuteMsg::Cancel { .. }
        | ExecuteMsg::Grant { .. }
        | ExecuteMsg::Revoke { .. }
        | ExecuteMsg::SetAttesters { .. }
        | ExecuteMsg::SetCrs { .. }
        | ExecuteMsg::SetKeyState { .. }
        | ExecuteMsg::OfferKey { .. }
        | ExecuteMsg::AcceptKey { .. }
        | ExecuteMsg::SetEpoch { .. }
        | ExecuteMsg::RevokeEpoch { .. }
        | ExecuteMsg::UpdateConfig { .. }
        | ExecuteMsg::RegisterDomain { .. }
        | ExecuteMsg::Pause {}
        | ExecuteMsg::Unpause {}
        | ExecuteMsg::WithdrawTreasury { .. }
        | ExecuteMsg::SweepSurplus { .. }
        | ExecuteMsg::ScheduleMigration { .. }
        | ExecuteMsg::MigrateNow {}
        | ExecuteMsg::ProposeAdmin { .. }
        | ExecuteMsg::AcceptAdmin {} => return unsupported,
    };
    session.commit(data)
}

/// Learns what became of a submessage.
#[entry_point]
pub fn reply(deps: DepsMut, env: Env, msg: Reply) -> Result<Response, ContractError> {
    reply::reply(deps, env, msg)
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
