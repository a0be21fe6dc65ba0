//! A refund that outlives a bank's refusal.

use cosmwasm_std::{Addr, BankMsg, SubMsg, Uint128, to_json_binary};
use kms_asc_api::RequestId;
use serde::{Deserialize, Serialize};

use crate::ContractError;

/// The bank refused a refund.
pub const REFUND_REPLY: u64 = 2;

/// A refund on its way, carried by the submessage.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refund {
    /// Of this request.
    pub request_id: RequestId,
    /// To this address.
    pub address: Addr,
    /// So much.
    pub amount: Uint128,
}

impl Refund {
    /// The submessage that pays it, with a reply if the bank refuses.
    pub fn submessage(&self, payment: BankMsg) -> Result<SubMsg, ContractError> {
        Ok(SubMsg::reply_on_error(payment, REFUND_REPLY).with_payload(to_json_binary(self)?))
    }
}
