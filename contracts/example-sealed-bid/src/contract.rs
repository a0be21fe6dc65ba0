//! Entry points.

use cosmwasm_std::{
    Binary, Deps, DepsMut, Env, MessageInfo, Reply, Response, StdResult, ensure, entry_point, to_json_binary,
};
use kms_asc_api::{Config, QueryMsg as AscQuery};

use crate::msg::{AuctionView, BidView, ExecuteMsg, InstantiateMsg, QueryMsg};
use crate::state::{AUCTION, Auction, BID, TERMS, Terms};
use crate::{AuctionError, auction, opening};

/// Opens the auction.
#[entry_point]
pub fn instantiate(
    deps: DepsMut,
    env: Env,
    info: MessageInfo,
    msg: InstantiateMsg,
) -> Result<Response, AuctionError> {
    let asc = deps.api.addr_validate(&msg.asc)?;
    let config: Config = deps.querier.query_wasm_smart(&asc, &AscQuery::Config {})?;
    let in_order = env.block.time.seconds() < msg.bidding_ends && msg.bidding_ends < msg.opening_ends;
    ensure!(in_order, AuctionError::NotNow("bidding ends in the future, and opening ends after it"));
    let InstantiateMsg { bidding_ends, opening_ends, callback_gas, ttl, key_id, .. } = msg;
    let (seller, denom) = (info.sender, config.denom);
    let terms = Terms { seller, asc, denom, bidding_ends, opening_ends, callback_gas, ttl };
    TERMS.save(deps.storage, &terms)?;
    AUCTION.save(deps.storage, &Auction { key_id, ..Auction::default() })?;
    Ok(Response::new())
}

/// Acts on a message.
#[entry_point]
pub fn execute(
    deps: DepsMut,
    env: Env,
    info: MessageInfo,
    msg: ExecuteMsg,
) -> Result<Response, AuctionError> {
    match msg {
        ExecuteMsg::MakeKey {} => opening::make_key(deps, &info),
        ExecuteMsg::Bid { ciphertext } => auction::bid(deps, &env, &info, &ciphertext),
        ExecuteMsg::EndBidding {} => auction::end_bidding(deps, &env, &info),
        ExecuteMsg::Open {} => opening::open(deps, &env),
        ExecuteMsg::KmsResult(result) => opening::called(deps, &info, &result),
        ExecuteMsg::Fetch { request_id } => opening::fetch(deps, request_id),
        ExecuteMsg::CallOff {} => auction::call_off(deps, &env),
        ExecuteMsg::Withdraw {} => auction::withdraw(deps, &env, &info),
    }
}

/// Learns the id of a request.
#[entry_point]
pub fn reply(deps: DepsMut, _env: Env, reply: Reply) -> Result<Response, AuctionError> {
    opening::submitted(deps, reply)
}

/// Answers a query.
#[entry_point]
pub fn query(deps: Deps, _env: Env, msg: QueryMsg) -> StdResult<Binary> {
    let auction = AUCTION.load(deps.storage)?;
    match msg {
        QueryMsg::Auction {} => {
            let Auction { key_id, bids, sealed, end, .. } = auction;
            to_json_binary(&AuctionView { key_id, bids, sealed, end })
        }
        QueryMsg::Bids {} => {
            let bids = (0..auction.bids).map(|number| {
                let bid = BID.load(deps.storage, number)?;
                Ok(BidView { bidder: bid.bidder.into_string(), deposit: bid.deposit, seal: bid.seal })
            });
            to_json_binary(&bids.collect::<StdResult<Vec<_>>>()?)
        }
    }
}
