//! What became of submessages.

use cosmwasm_std::{Binary, DepsMut, Env, Reply, Response, from_json};
use kms_asc_api::event::{Event, MoneyEvent};
use kms_asc_api::log::LogBody;
use kms_asc_api::{Digest, EpochId, state_key};

use crate::ContractError;
use crate::callback::{self, CALLBACK_REPLY};
use crate::refund::{REFUND_REPLY, Refund};
use crate::session::Session;
use crate::version::CONTRACT_VERSION;

/// The contract is in the chain's registry.
pub const REGISTERED_REPLY: u64 = 1;

/// Dispatches by id.
pub fn reply(deps: DepsMut, env: Env, msg: Reply) -> Result<Response, ContractError> {
    let contract = env.contract.address.clone();
    let mut session = Session::open(deps, env, contract)?;
    match msg.id {
        REGISTERED_REPLY => begin_log(&mut session)?,
        REFUND_REPLY => credit_refund(&mut session, &from_json(&msg.payload)?)?,
        CALLBACK_REPLY => {
            let error = msg.result.into_result().err().unwrap_or_default();
            callback::failed(&mut session, &msg.payload, &error)?;
        }
        other => return Err(ContractError::NotFound(format!("submessage {other}"))),
    }
    session.commit(Binary::default())
}

/// Only now does the registry say under which code the contract runs and who its wasm admin is.
fn begin_log(session: &mut Session) -> Result<(), ContractError> {
    let querier = session.deps.querier;
    let info = querier.query_wasm_contract_info(&session.env.contract.address)?;
    if info.admin.as_ref() != Some(&session.env.contract.address) {
        return Err(ContractError::NotOwnAdmin);
    }
    let code = querier.query_wasm_code_info(info.code_id)?;
    let checksum =
        Digest::try_from(code.checksum.as_slice()).map_err(|error| ContractError::Std(error.to_string()))?;
    let stored_config = session.deps.storage.get(state_key::CONFIG.as_slice()).unwrap_or_default();
    session.record(
        None,
        LogBody::Instantiated {
            code_id: info.code_id,
            checksum,
            version: CONTRACT_VERSION.to_owned(),
            config_hash: Digest::sha256(&stored_config),
            admin: state_key::ADMIN.load(session.deps.storage)?.into_string(),
        },
    )?;
    let config = Box::new(session.config.clone());
    session.record(None, LogBody::ConfigSet { config })?;
    let epoch = session.epoch(EpochId(1))?.clone();
    session.emit(Event::Epoch { epoch: epoch.id });
    session.record(None, LogBody::EpochSet { epoch })
}

fn credit_refund(session: &mut Session, refund: &Refund) -> Result<(), ContractError> {
    session.credit(&refund.address, refund.amount)?;
    let address = refund.address.to_string();
    session.emit(Event::Money { what: MoneyEvent::RefundCredited, address: address.clone() });
    session.record(Some(refund.request_id), LogBody::RefundCredited { address, amount: refund.amount })
}
