//! Bidding, and the end.

use cosmwasm_std::{Addr, BankMsg, Coin, DepsMut, Env, Event, MessageInfo, Response, Uint128, ensure};
use kms_asc_api::{Ciphertext, FheType};

use crate::AuctionError;
use crate::msg::{End, Seal};
use crate::state::{AUCTION, Auction, BID, BIDDER, Bid, CIPHERTEXT, DIGEST, TERMS};

/// Most bids of an auction: so many are opened by one message.
const MOST_BIDS: u32 = 32;

/// Takes a bid. What it says is checked when it is opened.
pub fn bid(
    deps: DepsMut,
    env: &Env,
    info: &MessageInfo,
    ciphertext: &Ciphertext,
) -> Result<Response, AuctionError> {
    let (terms, mut auction) = (TERMS.load(deps.storage)?, AUCTION.load(deps.storage)?);
    let open = auction.key_id.is_some() && env.block.time.seconds() < terms.bidding_ends;
    ensure!(open, AuctionError::NotNow("bids are taken when there is a key, and until bidding ends"));
    ensure!(auction.bids < MOST_BIDS, AuctionError::Bid("there are as many bids as can be"));
    ensure!(ciphertext.fhe_type == FheType::Uint64, AuctionError::Bid("a bid is a uint64"));
    let deposit = match info.funds.as_slice() {
        [coin] if coin.denom == terms.denom => Uint128::try_from(coin.amount).unwrap_or_default(),
        _ => Uint128::zero(),
    };
    ensure!(!deposit.is_zero(), AuctionError::Bid("a bid comes with a deposit of the one denomination"));
    let digest = ciphertext.digest.as_bytes().as_slice();
    ensure!(!DIGEST.has(deps.storage, digest), AuctionError::Bid("this ciphertext was bid before"));
    ensure!(!BIDDER.has(deps.storage, &info.sender), AuctionError::Bid("one bid each"));

    let number = auction.bids;
    auction.bids = number.saturating_add(1);
    auction.sealed = auction.sealed.saturating_add(1);
    auction.deposits = auction.deposits.checked_add(deposit)?;
    AUCTION.save(deps.storage, &auction)?;
    DIGEST.save(deps.storage, digest, &number)?;
    BIDDER.save(deps.storage, &info.sender, &number)?;
    CIPHERTEXT.save(deps.storage, number, ciphertext)?;
    let (bidder, seal) = (info.sender.clone(), Seal::Sealed {});
    BID.save(deps.storage, number, &Bid { bidder, deposit, seal, paid_back: false })?;
    Ok(Response::new().add_event(Event::new("bid").add_attribute("number", number.to_string())))
}

/// The seller has seen enough bids.
pub fn end_bidding(deps: DepsMut, env: &Env, info: &MessageInfo) -> Result<Response, AuctionError> {
    let mut terms = TERMS.load(deps.storage)?;
    ensure!(info.sender == terms.seller, AuctionError::Unauthorized("the seller"));
    terms.bidding_ends = terms.bidding_ends.min(env.block.time.seconds());
    TERMS.save(deps.storage, &terms)?;
    Ok(Response::new())
}

/// Ends the auction if every bid was opened. The caller stores it.
pub fn end_if_opened(deps: &DepsMut, auction: &mut Auction) -> Result<(), AuctionError> {
    if auction.sealed > 0 || auction.end.is_some() {
        return Ok(());
    }
    auction.end = Some(match auction.best {
        Some((number, amount)) => {
            auction.deposits = auction.deposits.checked_sub(amount.into())?;
            End::Sold { to: BID.load(deps.storage, number)?.bidder.into_string(), amount }
        }
        None => End::NoSale {},
    });
    Ok(())
}

/// Gives up on bids that nobody opened in time.
pub fn call_off(deps: DepsMut, env: &Env) -> Result<Response, AuctionError> {
    let (terms, mut auction) = (TERMS.load(deps.storage)?, AUCTION.load(deps.storage)?);
    let late = env.block.time.seconds() >= terms.opening_ends;
    ensure!(
        late && auction.end.is_none(),
        AuctionError::NotNow("an auction is called off when the time for opening has passed without an end")
    );
    auction.end = Some(End::CalledOff {});
    AUCTION.save(deps.storage, &auction)?;
    Ok(Response::new())
}

/// Pays a bidder's deposit back, less what he bought for; or the seller what is left beside deposits: the price, and
/// what decryptions did not use.
pub fn withdraw(deps: DepsMut, env: &Env, info: &MessageInfo) -> Result<Response, AuctionError> {
    let (terms, mut auction) = (TERMS.load(deps.storage)?, AUCTION.load(deps.storage)?);
    let end = auction.end.clone().ok_or(AuctionError::NotNow("the auction has not ended"))?;
    let mut amount = Uint128::zero();
    if let Some(number) = BIDDER.may_load(deps.storage, &info.sender)? {
        let mut bid = BID.load(deps.storage, number)?;
        if !std::mem::replace(&mut bid.paid_back, true) {
            amount = bid.deposit.checked_sub(price_of(&end, &info.sender))?;
            auction.deposits = auction.deposits.checked_sub(amount)?;
            BID.save(deps.storage, number, &bid)?;
            AUCTION.save(deps.storage, &auction)?;
        }
    }
    if info.sender == terms.seller {
        let balance = deps.querier.query_balance(&env.contract.address, &terms.denom)?.amount;
        let balance = Uint128::try_from(balance).unwrap_or(Uint128::MAX);
        let held = auction.deposits.checked_add(amount)?;
        amount = amount.checked_add(balance.checked_sub(held)?)?;
    }
    ensure!(!amount.is_zero(), AuctionError::Nothing);
    let amount = vec![Coin::new(amount, terms.denom)];
    Ok(Response::new().add_message(BankMsg::Send { to_address: info.sender.to_string(), amount }))
}

fn price_of(end: &End, bidder: &Addr) -> Uint128 {
    match end {
        End::Sold { to, amount } if bidder.as_str() == to => (*amount).into(),
        _ => Uint128::zero(),
    }
}
