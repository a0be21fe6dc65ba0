//! For tests alone: a contract that sends what it is told to, is called back, and then behaves as badly as it was
//! told to. It guards nothing.

use cosmwasm_schema::cw_serde;
use cosmwasm_std::{
    Binary, CosmosMsg, Deps, DepsMut, Empty, Env, MessageInfo, Response, StdError, StdResult, entry_point,
    to_json_binary,
};
use cw_storage_plus::Item;
use kms_callback::KmsResult;

/// What it does when it is called back.
#[cw_serde]
#[schemaifier(mute_warnings)]
pub enum Manner {
    /// Remembers the result.
    Accept,
    /// Fails with this text.
    Fail(String),
    /// Never ends.
    Loop,
    /// Never ends in blocks of odd height, accepts in others: simulation and block differ.
    Moody,
    /// Remembers the result, and returns so many bytes as data.
    Shout(u32),
    /// Remembers the result, and sends these messages.
    Send(Vec<CosmosMsg>),
}

/// What it can be told.
#[cw_serde]
#[schemaifier(mute_warnings)]
pub enum ExecuteMsg {
    /// Sends these messages.
    Send(Vec<CosmosMsg>),
    /// Behaves so from now on.
    Behave(Manner),
    /// The callback.
    KmsResult(KmsResult),
}

/// What it can be asked.
#[cw_serde]
#[schemaifier(mute_warnings)]
pub enum QueryMsg {
    /// The results that it took, in order.
    Results {},
}

const MANNER: Item<Manner> = Item::new("manner");
const RESULTS: Item<Vec<KmsResult>> = Item::new("results");

/// Makes one that accepts.
#[entry_point]
pub fn instantiate(deps: DepsMut, _env: Env, _info: MessageInfo, _msg: Empty) -> StdResult<Response> {
    MANNER.save(deps.storage, &Manner::Accept)?;
    RESULTS.save(deps.storage, &vec![])?;
    Ok(Response::new())
}

/// Does what it is told.
#[entry_point]
pub fn execute(deps: DepsMut, env: Env, _info: MessageInfo, msg: ExecuteMsg) -> StdResult<Response> {
    match msg {
        ExecuteMsg::Send(messages) => Ok(Response::new().add_messages(messages)),
        ExecuteMsg::Behave(manner) => {
            MANNER.save(deps.storage, &manner)?;
            Ok(Response::new())
        }
        ExecuteMsg::KmsResult(result) => take(deps, &env, result),
    }
}

fn take(deps: DepsMut, env: &Env, result: KmsResult) -> StdResult<Response> {
    let mut results = RESULTS.load(deps.storage)?;
    results.push(result);
    RESULTS.save(deps.storage, &results)?;
    match MANNER.load(deps.storage)? {
        Manner::Accept => Ok(Response::new()),
        Manner::Fail(text) => Err(StdError::msg(text)),
        Manner::Moody if env.block.height.is_multiple_of(2) => Ok(Response::new()),
        Manner::Loop | Manner::Moody => loop {
            deps.storage.get(b"nothing");
        },
        Manner::Shout(bytes) => {
            let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
            Ok(Response::new().set_data(Binary::new(vec![b'a'; bytes])))
        }
        Manner::Send(messages) => Ok(Response::new().add_messages(messages)),
    }
}

/// Tells what it took.
#[entry_point]
pub fn query(deps: Deps, _env: Env, msg: QueryMsg) -> StdResult<Binary> {
    match msg {
        QueryMsg::Results {} => to_json_binary(&RESULTS.load(deps.storage)?),
    }
}
