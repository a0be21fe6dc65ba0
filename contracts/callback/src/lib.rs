//! What the ASC tells a contract that asked it for something.
//!
//! A contract that sends `submit_request` with a [`Callback`] is called once, with [`KmsResult`], when its request
//! has ended. It needs this variant among its messages:
//!
//! ```
//! # use kms_callback::KmsResult;
//! #[cosmwasm_schema::cw_serde]
//! # #[schemaifier(mute_warnings)]
//! pub enum ExecuteMsg {
//!     KmsResult(KmsResult),
//!     // its own
//! }
//! ```
//!
//! Three things that a receiver must know:
//!
//! * **Anybody can send this message.** Refuse every sender but the ASC, and every request that is not one's own.
//! * **A call that fails is not repeated.** It is logged, and changes nothing else: the request stays as it ended, and
//!   its refund is paid. Keep a way to read the result from the ASC (queries `request` and `response`).
//! * **It is called in the transaction of whoever brought the answer or closed the request**, after all state and all
//!   refunds are written. It may call the ASC again.

use cosmwasm_schema::cw_serde;
use cosmwasm_std::{Binary, CosmosMsg, StdResult, WasmMsg, to_json_binary};

/// A call of the requesting contract when its request has ended: part of `submit_request`.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Eq)]
pub struct Callback {
    /// Gas that the call may use; paid with the request. It covers everything: loading the contract (60,000 on a
    /// common chain), reading the message, and what the contract does.
    pub gas_limit: u64,
}

/// How a request ended.
#[cw_serde]
#[derive(Copy, Eq)]
pub enum EndState {
    /// Answered.
    Fulfilled,
    /// Cannot be answered.
    Failed,
    /// Not answered in time.
    Expired,
    /// Taken back by the requester.
    Cancelled,
}

/// The end of a request. A request that is denied at submission has none: `submit_request` itself returns that.
#[cw_serde]
#[schemaifier(mute_warnings)]
#[derive(Eq)]
pub struct KmsResult {
    /// The request.
    pub request_id: u64,
    /// How it ended.
    pub state: EndState,
    /// 0, or the failure code of a failed request.
    pub outcome: u32,
    /// The answer, if it is fulfilled; null for a user's decryption, which is for the user alone.
    pub payload: Option<Binary>,
}

/// Length of a plaintext word in the answer to a public decryption.
pub const WORD: usize = 32;

impl KmsResult {
    /// The words of a public decryption's answer, 32 bytes each, big-endian: one for each ciphertext, in order; as
    /// many as they need for types of more than 256 bits. None if there is no answer.
    pub fn words(&self) -> impl Iterator<Item = &[u8]> {
        self.payload.as_ref().into_iter().flat_map(|payload| payload.as_slice().chunks(WORD))
    }

    /// The call of `contract` that tells it.
    ///
    /// # Errors
    /// Never: it is plain data.
    pub fn call(self, contract: impl Into<String>) -> StdResult<CosmosMsg> {
        let msg = to_json_binary(&Message::KmsResult(self))?;
        Ok(WasmMsg::Execute { contract_addr: contract.into(), msg, funds: vec![] }.into())
    }
}

/// The message, as the receiver sees it.
#[cw_serde]
#[schemaifier(mute_warnings)]
enum Message {
    KmsResult(KmsResult),
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;

    fn result(payload: Option<Vec<u8>>) -> KmsResult {
        KmsResult {
            request_id: 7,
            state: EndState::Fulfilled,
            outcome: 0,
            payload: payload.map(Binary::from),
        }
    }

    #[test]
    fn the_message_has_its_documented_form() {
        let json = |result: KmsResult| match result.call("wasm1me").unwrap() {
            CosmosMsg::Wasm(WasmMsg::Execute { contract_addr, msg, funds }) => {
                assert_eq!((contract_addr.as_str(), funds.len()), ("wasm1me", 0));
                String::from_utf8(msg.to_vec()).unwrap()
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(
            json(result(Some(vec![1, 2, 3]))),
            r#"{"kms_result":{"request_id":7,"state":"fulfilled","outcome":0,"payload":"AQID"}}"#
        );
        let failed = KmsResult { state: EndState::Failed, outcome: 3, ..result(None) };
        assert_eq!(
            json(failed),
            r#"{"kms_result":{"request_id":7,"state":"failed","outcome":3,"payload":null}}"#
        );
    }

    /// So that a later version of the ASC may say more.
    #[test]
    fn a_receiver_reads_what_it_knows_and_passes_over_the_rest() {
        let json = r#"{"kms_result":{"request_id":7,"state":"expired","outcome":0,"more":[1]}}"#;
        let Message::KmsResult(read) = serde_json::from_str(json).unwrap();
        assert_eq!(read, KmsResult { state: EndState::Expired, ..result(None) });
    }

    #[test]
    fn words_are_cut_in_order() {
        let payload = [[0; 31].as_slice(), &[5], &[0; 31], &[6]].concat();
        let result = result(Some(payload));
        assert_eq!(result.words().map(|word| word[WORD - 1]).collect::<Vec<_>>(), [5, 6]);
        assert_eq!(super::tests::result(None).words().count(), 0);
    }
}
