//! Answers to queries, from state alone.

mod ledger;
mod list;
mod request;
mod why_pending;

use cosmwasm_std::{Addr, Binary, Deps, Env, Storage, to_json_binary};
use kms_asc_api::{DomainView, Governance, Quote, Version};
use kms_asc_api::{EpochId, QueryMsg, price_of, state_key};

use crate::ContractError;
use crate::session::load_log_head;
use crate::version::{CONTRACT_NAME, CONTRACT_VERSION};

/// Dispatches.
pub fn query(deps: Deps, env: &Env, msg: QueryMsg) -> Result<Binary, ContractError> {
    let storage = deps.storage;
    let json = match msg {
        QueryMsg::Config {} => to_json_binary(&state_key::CONFIG.load(storage)?),
        QueryMsg::Epoch { id } => to_json_binary(&epoch(deps, id)?),
        QueryMsg::Request { id } => to_json_binary(&request::view(storage, env, id)?),
        QueryMsg::Requests { state, requester, start_after, limit } => {
            to_json_binary(&list::requests(storage, env, state, requester.as_deref(), start_after, limit)?)
        }
        QueryMsg::Open { start_after, limit } => to_json_binary(&list::open(storage, start_after, limit)?),
        QueryMsg::Response { request_id, party } => {
            to_json_binary(&request::response(storage, request_id, party)?)
        }
        QueryMsg::Responses { request_id } => to_json_binary(&request::responses(storage, request_id)?),
        QueryMsg::Key { id } => {
            let key = state_key::KEY.may_load(storage, id.get())?;
            to_json_binary(&key.ok_or(ContractError::UnknownKey(id))?)
        }
        QueryMsg::Keys { start_after, limit } => to_json_binary(&list::keys(storage, start_after, limit)?),
        QueryMsg::Domain { separator } => {
            let key = state_key::DOMAIN.may_load(storage, separator.as_bytes().as_slice())?;
            let key_id = key.ok_or_else(|| ContractError::NotFound(format!("domain {separator}")))?;
            to_json_binary(&DomainView { key_id })
        }
        QueryMsg::Log { from, limit } => to_json_binary(&list::log(storage, from, limit)?),
        QueryMsg::LogHead {} => to_json_binary(&load_log_head(storage)?),
        QueryMsg::Quote { operation, callback } => {
            let config = state_key::CONFIG.load(storage)?;
            let price = price_of(&config, &operation, callback.as_ref())?;
            to_json_binary(&Quote { price, denom: config.denom, denial_fee: config.denial_fee })
        }
        QueryMsg::Credit { address } => to_json_binary(&ledger::credit(deps, &address)?),
        QueryMsg::Solvency {} => to_json_binary(&ledger::solvency(deps, env)?),
        QueryMsg::Version {} => to_json_binary(&Version {
            contract: CONTRACT_NAME.to_owned(),
            version: CONTRACT_VERSION.to_owned(),
            state: state_key::STATE_VERSION.load(storage)?,
        }),
        QueryMsg::Governance {} => to_json_binary(&governance(storage)?),
        QueryMsg::Epochs { start_after, limit } => {
            to_json_binary(&list::epochs(storage, start_after, limit)?)
        }
        QueryMsg::Crs { id } => {
            let crs = state_key::CRS.may_load(storage, id.get())?;
            to_json_binary(&crs.ok_or(ContractError::UnknownCrs(id))?)
        }
        QueryMsg::Grants { key_id, start_after, limit } => {
            to_json_binary(&list::grants(deps, env, key_id, start_after, limit)?)
        }
        QueryMsg::WhyPending { request_id } => {
            to_json_binary(&why_pending::why_pending(storage, env, request_id)?)
        }
    };
    Ok(json?)
}

fn epoch(deps: Deps, id: Option<EpochId>) -> Result<kms_asc_api::Epoch, ContractError> {
    let id = match id {
        Some(id) => id.get(),
        None => state_key::NEWEST_EPOCH.load(deps.storage)?,
    };
    let epoch = state_key::EPOCH.may_load(deps.storage, id)?;
    epoch.ok_or_else(|| ContractError::NotFound(format!("epoch {id}")))
}

fn governance(storage: &dyn Storage) -> Result<Governance, ContractError> {
    Ok(Governance {
        admin: state_key::ADMIN.load(storage)?.into_string(),
        proposed_admin: state_key::PROPOSED_ADMIN.may_load(storage)?.map(Addr::into_string),
        paused: state_key::PAUSED.load(storage)?,
        migration: state_key::MIGRATION.may_load(storage)?,
    })
}
