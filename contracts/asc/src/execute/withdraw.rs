//! `withdraw`: pays credit out.

use cosmwasm_std::{Addr, Binary};
use kms_asc_api::event::{Event, MoneyEvent};
use kms_asc_api::log::LogBody;

use crate::ContractError;
use crate::session::Session;
use crate::validate;

/// Pays all of the sender's credit to `to`, or to the sender.
pub fn withdraw(session: &mut Session, sender: &Addr, to: Option<String>) -> Result<Binary, ContractError> {
    let to = match to {
        Some(to) => validate::address(session.deps.api, &to)?,
        None => sender.clone(),
    };
    let amount = session.take_credit(sender)?;
    if amount.is_zero() {
        return Err(ContractError::NoCredit(sender.to_string()));
    }
    session.pay(&to, amount);
    let address = sender.to_string();
    session.emit(Event::Money { what: MoneyEvent::Withdrawn, address: address.clone() });
    session.record(None, LogBody::Withdrawn { address, to: to.to_string(), amount })?;
    Ok(Binary::default())
}
