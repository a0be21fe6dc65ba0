//! Speaking with the ASC: the price, the request, its id.

use cosmwasm_std::{Coin, Deps, Reply, StdError, SubMsg, Uint128, WasmMsg, from_json, to_json_binary};
use cw_utils::parse_execute_response_data;
use kms_asc_api::{ExecuteMsg, Operation, QueryMsg, Quote, SubmitRequestData};
use kms_callback::Callback;

use crate::AuctionError;
use crate::state::{Purpose, Terms};

/// The reply to a submission.
pub const SUBMITTED: u64 = 1;

/// A request with its exact price as funds, so that no excess comes back; and that price.
pub fn request(
    deps: Deps,
    terms: &Terms,
    purpose: Purpose,
    operation: Operation,
) -> Result<(SubMsg, Uint128), AuctionError> {
    let operation = Box::new(operation);
    let callback = Some(Callback { gas_limit: terms.callback_gas });
    let quote = QueryMsg::Quote { operation: operation.clone(), callback: callback.clone() };
    let quote: Quote = deps.querier.query_wasm_smart(&terms.asc, &quote)?;
    let msg = ExecuteMsg::SubmitRequest { operation, ttl: terms.ttl, callback };
    let submit = WasmMsg::Execute {
        contract_addr: terms.asc.to_string(),
        msg: to_json_binary(&msg)?,
        funds: vec![Coin::new(quote.price, quote.denom)],
    };
    // If the ASC refuses, all of this message fails, and nothing is paid: the default of a submessage.
    let submit = SubMsg::reply_on_success(submit, SUBMITTED).with_payload(to_json_binary(&purpose)?);
    Ok((submit, quote.price))
}

/// What became of a submission, and what it was for.
pub fn submitted(reply: Reply) -> Result<(Purpose, SubmitRequestData), AuctionError> {
    let purpose: Purpose = from_json(&reply.payload)?;
    let response = reply.result.into_result().map_err(StdError::msg)?;
    let response = response.msg_responses.into_iter().next();
    let response = response.ok_or_else(|| StdError::msg("the ASC's reply holds no response"))?;
    let data = parse_execute_response_data(response.value.as_slice())?.data;
    Ok((purpose, from_json(data.unwrap_or_default())?))
}
