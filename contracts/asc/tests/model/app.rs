//! The requesting contract: passes messages on, and is called back.

use cosmwasm_std::{
    Binary, Coin, Deps, DepsMut, Empty, Env, MessageInfo, Response, StdError, StdResult, WasmMsg,
    to_json_binary, to_json_vec,
};
use cw_storage_plus::Item;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Clone, Debug, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AppMsg {
    /// Sends this to that contract.
    Pass {
        to: String,
        msg: Binary,
        funds: Vec<Coin>,
    },
    /// Whether callbacks fail from now on.
    Fail(bool),
    KmsResult(serde_json::Value),
}

const FAILS: Item<bool> = Item::new("fails");
const RESULTS: Item<(u64, String)> = Item::new("results");

pub fn instantiate(deps: DepsMut, _: Env, _: MessageInfo, _: Empty) -> StdResult<Response> {
    FAILS.save(deps.storage, &false)?;
    RESULTS.save(deps.storage, &(0, String::new()))?;
    Ok(Response::new())
}

pub fn execute(deps: DepsMut, _: Env, _: MessageInfo, msg: AppMsg) -> StdResult<Response> {
    match msg {
        AppMsg::Pass { to, msg, funds } => {
            return Ok(Response::new().add_message(WasmMsg::Execute { contract_addr: to, msg, funds }));
        }
        AppMsg::Fail(fails) => FAILS.save(deps.storage, &fails)?,
        AppMsg::KmsResult(_) if FAILS.load(deps.storage)? => return Err(StdError::msg("not now")),
        AppMsg::KmsResult(result) => {
            let text = String::from_utf8(to_json_vec(&result)?).unwrap();
            RESULTS.update(deps.storage, |(count, _)| StdResult::Ok((count + 1, text)))?;
        }
    }
    Ok(Response::new())
}

/// How many results came, and the last one.
pub fn query(deps: Deps, _: Env, _: Empty) -> StdResult<Binary> {
    to_json_binary(&RESULTS.load(deps.storage)?)
}
