//! The contract's first moment.

use cosmwasm_std::{DepsMut, Env, Response, SubMsg, WasmMsg};
use kms_asc_api::{DefaultDomains, EpochId, InstantiateMsg, Terms, Totals, state_key};

use crate::reply::REGISTERED_REPLY;
use crate::version::{CONTRACT_NAME, CONTRACT_VERSION, STATE_VERSION};
use crate::{ContractError, validate};

/// Stores the first state. The chain enters a contract into its registry after this returns and before
/// submessages run, so the log begins in the reply to one: there the contract reads under which code it runs,
/// and refuses to exist unless it is its own wasm admin. The submessage changes nothing, whether the chain
/// takes it or (as `wasmd` does, since the admin stays the same) refuses it.
pub fn instantiate(deps: DepsMut, env: &Env, msg: InstantiateMsg) -> Result<Response, ContractError> {
    if msg.epoch.id != EpochId(1) {
        return Err(ContractError::InvalidEpoch(format!("the first epoch is 1, not {}", msg.epoch.id)));
    }
    validate::epoch(deps.api, &msg.epoch)?;
    validate::config(&msg.config, &msg.epoch)?;
    let admin = validate::address(deps.api, &msg.admin)?;

    let storage = deps.storage;
    cw2::set_contract_version(storage, CONTRACT_NAME, CONTRACT_VERSION)?;
    state_key::ADMIN.save(storage, &admin)?;
    state_key::CONFIG.save(storage, &msg.config)?;
    state_key::EPOCH.save(storage, msg.epoch.id.get(), &msg.epoch)?;
    state_key::NEWEST_EPOCH.save(storage, &msg.epoch.id.get())?;
    state_key::NEXT_ID.save(storage, &1)?;
    state_key::PAUSED.save(storage, &false)?;
    state_key::STATE_VERSION.save(storage, &STATE_VERSION)?;
    state_key::TOTALS.save(storage, &Totals::default())?;
    let domains = DefaultDomains::all(&env.block.chain_id);
    let terms = Terms { config: msg.config, paused: false, revoked: vec![], domains };
    storage.set(state_key::TERMS, &terms.encode());

    let contract = env.contract.address.to_string();
    let update = WasmMsg::UpdateAdmin { contract_addr: contract.clone(), admin: contract };
    Ok(Response::new().add_submessage(SubMsg::reply_always(update, REGISTERED_REPLY)))
}
