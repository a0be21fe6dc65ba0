//! The key, the opening of bids, and every way in which a request can end.

use cosmwasm_std::{Binary, DepsMut, Env, Event, MessageInfo, Reply, Response, Uint128, ensure};
use kms_asc_api::{
    FailureCode, KeyGen, KeyId, KeyParams, KeySource, Operation, PublicDecrypt, QueryMsg, RequestId,
    RequestView, ResponseView, State,
};
use kms_callback::{EndState, KmsResult};

use crate::AuctionError;
use crate::asc;
use crate::auction::end_if_opened;
use crate::msg::Seal;
use crate::state::{AUCTION, BID, CIPHERTEXT, Purpose, REQUEST, TERMS, Terms};

/// Has the contract's own key made: nobody but this contract may have anything decrypted under it.
pub fn make_key(deps: DepsMut, info: &MessageInfo) -> Result<Response, AuctionError> {
    let (terms, auction) = (TERMS.load(deps.storage)?, AUCTION.load(deps.storage)?);
    ensure!(info.sender == terms.seller, AuctionError::Unauthorized("the seller"));
    ensure!(auction.key_id.is_none(), AuctionError::NotNow("there is a key"));
    ensure!(REQUEST.is_empty(deps.storage), AuctionError::NotNow("a key is being made"));
    let operation = Operation::KeyGen(KeyGen { params: KeyParams::Default, source: KeySource::Generate });
    let (submit, _) = asc::request(deps.as_ref(), &terms, Purpose::Key, operation)?;
    Ok(Response::new().add_submessage(submit))
}

/// Asks for every sealed bid that is not asked for, as far as the money goes: deposits are not touched.
pub fn open(deps: DepsMut, env: &Env) -> Result<Response, AuctionError> {
    let (terms, auction) = (TERMS.load(deps.storage)?, AUCTION.load(deps.storage)?);
    let now = env.block.time.seconds();
    let (Some(key_id), true) = (auction.key_id, now >= terms.bidding_ends && auction.end.is_none()) else {
        return Err(AuctionError::NotNow("bids are opened when bidding has ended, until the auction has"));
    };
    let balance = deps.querier.query_balance(&env.contract.address, &terms.denom)?.amount;
    let mut left = Uint128::try_from(balance).unwrap_or(Uint128::MAX).checked_sub(auction.deposits)?;
    let mut response = Response::new();
    for number in 0..auction.bids {
        if !matches!(BID.load(deps.storage, number)?.seal, Seal::Sealed {}) {
            continue;
        }
        let operation = Operation::PublicDecrypt(PublicDecrypt {
            key_id,
            ciphertexts: vec![CIPHERTEXT.load(deps.storage, number)?],
            domain: None,
            extra_data: Binary::default(),
        });
        let (submit, price) = asc::request(deps.as_ref(), &terms, Purpose::Bid(number), operation)?;
        let Ok(rest) = left.checked_sub(price) else { break };
        left = rest;
        response = response.add_submessage(submit);
    }
    ensure!(!response.messages.is_empty(), AuctionError::NotNow("no bid is sealed, or no money is left"));
    Ok(response)
}

/// Remembers a request that was accepted. One that was denied is none: what it was for can be asked for again.
pub fn submitted(deps: DepsMut, reply: Reply) -> Result<Response, AuctionError> {
    let (purpose, submitted) = asc::submitted(reply)?;
    let request_id = submitted.request_id.get();
    if submitted.state != State::Pending {
        let denied = Event::new("denied").add_attribute("request_id", request_id.to_string());
        return Ok(Response::new().add_event(denied));
    }
    REQUEST.save(deps.storage, request_id, &purpose)?;
    if let Purpose::Bid(number) = purpose {
        set_seal(deps, number, Seal::Asked { request_id })?;
    }
    Ok(Response::new())
}

/// The callback: from the ASC, and from nobody else.
pub fn called(deps: DepsMut, info: &MessageInfo, result: &KmsResult) -> Result<Response, AuctionError> {
    let Terms { asc, .. } = TERMS.load(deps.storage)?;
    ensure!(info.sender == asc, AuctionError::Unauthorized("the ASC"));
    take(deps, result)
}

/// Reads from the ASC what a callback that failed would have said.
pub fn fetch(deps: DepsMut, request_id: u64) -> Result<Response, AuctionError> {
    let Terms { asc, .. } = TERMS.load(deps.storage)?;
    let id = RequestId(request_id);
    let view: RequestView = deps.querier.query_wasm_smart(&asc, &QueryMsg::Request { id })?;
    let recorded = view.state.end().filter(|_| !view.due);
    let state = recorded
        .ok_or(AuctionError::NotNow("the request has not ended; anybody can close one that is due"))?;
    let payload = match view.winner {
        Some(party) => {
            let query = QueryMsg::Response { request_id: id, party };
            deps.querier.query_wasm_smart::<ResponseView>(&asc, &query)?.payload
        }
        None => None,
    };
    take(deps, &KmsResult { request_id, state, outcome: view.code.map_or(0, u32::from), payload })
}

/// Takes the end of a request, once.
fn take(deps: DepsMut, result: &KmsResult) -> Result<Response, AuctionError> {
    let id = result.request_id;
    let purpose = REQUEST.may_load(deps.storage, id)?.ok_or(AuctionError::UnknownRequest(id))?;
    REQUEST.remove(deps.storage, id);
    match (purpose, result.state) {
        (Purpose::Key, EndState::Fulfilled) => {
            // The key's id is the id of the request that made it.
            let mut auction = AUCTION.load(deps.storage)?;
            auction.key_id = Some(KeyId(id));
            AUCTION.save(deps.storage, &auction)?;
        }
        (Purpose::Bid(number), EndState::Fulfilled) => opened(deps, number, result)?,
        (Purpose::Bid(number), EndState::Failed) if is_bidders_fault(result.outcome) => void(deps, number)?,
        // Nobody could, or nobody did: the fee came back, and it can be asked for again.
        (Purpose::Bid(number), _) => set_seal(deps, number, Seal::Sealed {})?,
        (Purpose::Key, _) => {}
    }
    Ok(Response::new())
}

fn is_bidders_fault(outcome: u32) -> bool {
    let code = u8::try_from(outcome).ok().and_then(|code| FailureCode::try_from(code).ok());
    code.is_some_and(FailureCode::is_requesters_fault)
}

fn opened(mut deps: DepsMut, number: u32, result: &KmsResult) -> Result<(), AuctionError> {
    let amount = single_u64(result).ok_or(AuctionError::Answer(result.request_id))?;
    if Uint128::from(amount) > BID.load(deps.storage, number)?.deposit {
        return void(deps, number);
    }
    set_seal(deps.branch(), number, Seal::Opened { amount })?;
    let mut auction = AUCTION.load(deps.storage)?;
    if auction.best.is_none_or(|(first, best)| amount > best || (amount == best && number < first)) {
        auction.best = Some((number, amount));
    }
    auction.sealed = auction.sealed.saturating_sub(1);
    end_if_opened(&deps, &mut auction)?;
    Ok(AUCTION.save(deps.storage, &auction)?)
}

fn void(mut deps: DepsMut, number: u32) -> Result<(), AuctionError> {
    set_seal(deps.branch(), number, Seal::Void {})?;
    let mut auction = AUCTION.load(deps.storage)?;
    auction.sealed = auction.sealed.saturating_sub(1);
    end_if_opened(&deps, &mut auction)?;
    Ok(AUCTION.save(deps.storage, &auction)?)
}

fn set_seal(deps: DepsMut, number: u32, seal: Seal) -> Result<(), AuctionError> {
    let mut bid = BID.load(deps.storage, number)?;
    bid.seal = seal;
    Ok(BID.save(deps.storage, number, &bid)?)
}

/// The one word of the answer, as a number of 64 bits.
fn single_u64(result: &KmsResult) -> Option<u64> {
    let mut words = result.words();
    let (word, None) = (words.next()?, words.next()) else { return None };
    let (zeros, number) = word.split_last_chunk::<8>()?;
    (zeros.len() == 24 && zeros.iter().all(|byte| *byte == 0)).then(|| u64::from_be_bytes(*number))
}
