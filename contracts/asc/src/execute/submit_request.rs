//! `submit_request` and `submit_requests`: an immutable body, the price in escrow, the excess back at once; or a denial on record.

use cosmwasm_std::{Addr, Binary, Coin, MessageInfo, Uint128, to_json_binary, to_json_vec};
use kms_asc_api::event::Event;
use kms_asc_api::log::LogBody;
use kms_asc_api::{
    DenialReason, EpochId, MAX_REQUESTS, NewRequest, RequestBody, RequestId, State, Status,
    SubmitRequestData, SubmitRequestsData, price_of, request_hash, state_key,
};

use super::form;
use crate::ContractError;
use crate::error::coins_text;
use crate::permission;
use crate::session::Session;

/// Most bytes of a stored body: half of what one value of the chain's state can hold.
const MAX_BODY: u64 = 65_536;

/// What becomes of a request that is one.
enum Verdict {
    Accepted { epoch: EpochId, deadline: u64 },
    Denied(DenialReason),
}

/// Puts a request on record. Data: [`SubmitRequestData`].
pub fn submit_request(
    session: &mut Session,
    info: &MessageInfo,
    request: NewRequest,
) -> Result<Binary, ContractError> {
    let mut purse = Purse::open(session, &info.funds)?;
    let data = submit(session, &info.sender, request, &mut purse)?;
    session.pay(&info.sender, purse.rest()?);
    Ok(to_json_binary(&data)?)
}

/// Puts requests on record in their order, each as if it came alone, or none. Data: [`SubmitRequestsData`].
pub fn submit_requests(
    session: &mut Session,
    info: &MessageInfo,
    requests: Vec<NewRequest>,
) -> Result<Binary, ContractError> {
    form::at_most("requests of one message", requests.len(), MAX_REQUESTS)?;
    if requests.is_empty() {
        return Err(ContractError::Malformed("no request given, at least one needed".to_owned()));
    }
    let mut purse = Purse::open(session, &info.funds)?;
    let submitted = requests.into_iter().map(|request| submit(session, &info.sender, request, &mut purse));
    let requests = submitted.collect::<Result<_, _>>()?;
    session.pay(&info.sender, purse.rest()?);
    Ok(to_json_binary(&SubmitRequestsData { requests })?)
}

/// What was sent with a message, and what its requests take of it.
struct Purse {
    sent: Uint128,
    /// The prices so far: all must be there, also of what turns out to be denied.
    prices: Uint128,
    charged: Uint128,
}

impl Purse {
    /// One coin of the configured denomination, or nothing.
    fn open(session: &Session, funds: &[Coin]) -> Result<Self, ContractError> {
        let denom = &session.config.denom;
        let sent = match funds {
            [] => Uint128::zero(),
            [coin] if coin.denom == *denom => {
                Uint128::try_from(coin.amount).map_err(|_| ContractError::Overflow)?
            }
            other => return Err(ContractError::WrongFunds { sent: coins_text(other), denom: denom.clone() }),
        };
        Ok(Self { sent, prices: Uint128::zero(), charged: Uint128::zero() })
    }

    /// Refuses a request whose price was not sent.
    fn cover(&mut self, price: Uint128, denom: &str) -> Result<(), ContractError> {
        self.prices = self.prices.checked_add(price)?;
        if self.sent < self.prices {
            let (sent, price) = (self.sent, self.prices);
            return Err(ContractError::InsufficientFee { sent, price, denom: denom.to_owned() });
        }
        Ok(())
    }

    fn charge(&mut self, amount: Uint128) -> Result<(), ContractError> {
        self.charged = self.charged.checked_add(amount)?;
        Ok(())
    }

    /// What goes back.
    fn rest(&self) -> Result<Uint128, ContractError> {
        Ok(self.sent.checked_sub(self.charged)?)
    }
}

fn submit(
    session: &mut Session,
    requester: &Addr,
    request: NewRequest,
    purse: &mut Purse,
) -> Result<SubmitRequestData, ContractError> {
    let NewRequest { operation, ttl, callback } = request;
    if session.is_paused() {
        return Err(ContractError::Paused);
    }
    if let Some(callback) = &callback {
        crate::callback::check(session, requester, callback)?;
    }
    let key = form::check(session, &operation)?;
    let deadline = deadline(session, ttl)?;
    let price = price_of(&session.config, &operation, callback.as_ref())?;
    purse.cover(price, &session.config.denom)?;
    let verdict = match permission::judge(session, requester, key.as_ref(), &operation)? {
        Ok(epoch) => Verdict::Accepted { epoch, deadline },
        Err(reason) => Verdict::Denied(reason),
    };
    let (state, charged, epoch, deadline) = match verdict {
        Verdict::Accepted { epoch, deadline } => (State::Pending, price, Some(epoch), Some(deadline)),
        Verdict::Denied(_) => (State::Denied, session.config.denial_fee, None, None),
    };
    let body = RequestBody {
        v: RequestBody::VERSION,
        id: next_id(session)?,
        requester: requester.to_string(),
        operation,
        epoch,
        price: charged,
        deadline,
        height: session.height(),
        time: session.now(),
        callback,
    };
    session.emit(Event::Request { request_id: body.id, operation: body.operation.kind(), state, epoch });
    match verdict {
        Verdict::Accepted { epoch, deadline } => accept(session, requester, &body, epoch, deadline)?,
        Verdict::Denied(reason) => deny(session, &body, reason)?,
    }
    purse.charge(charged)?;
    Ok(SubmitRequestData { request_id: body.id, state, charged })
}

fn deadline(session: &Session, ttl: Option<u64>) -> Result<u64, ContractError> {
    let (min, max) = (session.config.ttl_min, session.config.ttl_max);
    let given = ttl.unwrap_or(session.config.ttl_default);
    if given < min || given > max {
        return Err(ContractError::Ttl { given, min, max });
    }
    session.now().checked_add(given).ok_or(ContractError::Overflow)
}

fn next_id(session: &mut Session) -> Result<RequestId, ContractError> {
    let id = state_key::NEXT_ID.load(session.deps.storage)?;
    let next = id.checked_add(1).ok_or(ContractError::Overflow)?;
    state_key::NEXT_ID.save(session.deps.storage, &next)?;
    Ok(RequestId(id))
}

fn accept(
    session: &mut Session,
    requester: &Addr,
    body: &RequestBody,
    epoch: EpochId,
    deadline: u64,
) -> Result<(), ContractError> {
    count_pending(session, requester)?;
    session.escrow(body.price)?;
    let bytes = store(session, body, State::Pending, 0)?;
    state_key::OPEN.save(session.deps.storage, body.id.get(), &[1]);
    let submitted = LogBody::RequestSubmitted {
        operation: body.operation.kind(),
        key_id: body.operation.key_id(),
        price: body.price,
        deadline,
        epoch,
        request_hash: request_hash(&bytes),
    };
    session.record(Some(body.id), submitted)
}

fn deny(session: &mut Session, body: &RequestBody, reason: DenialReason) -> Result<(), ContractError> {
    session.add_to_treasury(body.price)?;
    let bytes = store(session, body, State::Denied, reason.number())?;
    let denied = LogBody::RequestDenied {
        operation: body.operation.kind(),
        key_id: body.operation.key_id(),
        price: body.price,
        deadline: body.deadline,
        epoch: body.epoch,
        request_hash: request_hash(&bytes),
        reason,
    };
    session.record(Some(body.id), denied)
}

/// Writes body and status; gives the body's stored bytes.
fn store(
    session: &mut Session,
    body: &RequestBody,
    state: State,
    code: u8,
) -> Result<Vec<u8>, ContractError> {
    let bytes = to_json_vec(body)?;
    form::at_most("bytes of the request's body", bytes.len(), MAX_BODY)?;
    let status = Status::new(state, code, session.height(), session.now());
    let storage = &mut *session.deps.storage;
    state_key::REQUEST.save(storage, body.id.get(), &bytes);
    state_key::STATUS.save(storage, body.id.get(), &status.encode());
    Ok(bytes)
}

fn count_pending(session: &mut Session, requester: &Addr) -> Result<(), ContractError> {
    let allowed = session.config.limits.pending_per_requester;
    let pending = session.pending(requester)?;
    *pending = pending.checked_add(1).ok_or(ContractError::Overflow)?;
    let given = *pending;
    if given > allowed {
        let (given, allowed) = (given.into(), allowed.into());
        return Err(ContractError::OverLimit { what: "pending requests of one requester", given, allowed });
    }
    Ok(())
}
