//! What became of a transaction that is in a block.

use base64::{Engine, engine::general_purpose::STANDARD};
use cosmrs::proto::{
    cosmos::base::abci::v1beta1::TxMsgData,
    cosmwasm::wasm::v1::{MsgExecuteContractResponse, MsgInstantiateContract2Response, MsgStoreCodeResponse},
    prost::{Message, Name},
};
use tendermint::abci::types::ExecTxResult;

use crate::{Error, Event, Result, TxHash, client::unreadable, event, log_text};

/// A transaction in a block: succeeded if `code` is 0, else failed as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxOutcome {
    /// Hash.
    pub hash: TxHash,
    /// Height of the block.
    pub height: u64,
    /// 0, or the code of the failure.
    pub code: u32,
    /// Module that gave the code.
    pub codespace: String,
    /// The node's text, whole; empty on success.
    pub log: String,
    /// Gas limit.
    pub gas_wanted: u64,
    /// Gas used.
    pub gas_used: u64,
    /// What each message returned, in order; empty on failure.
    pub responses: Vec<MsgResponse>,
    /// Events, in order; of a failed transaction those of the fee at most.
    pub events: Vec<Event>,
}

/// What a message returned, encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MsgResponse {
    /// Type, for instance `/cosmwasm.wasm.v1.MsgExecuteContractResponse`.
    pub type_url: String,
    /// Protobuf.
    pub value: Vec<u8>,
}

/// Why a transaction failed in its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The gas limit was too low; the fee is paid. More gas may help.
    OutOfGas,
    /// The contract refused; the fee is paid.
    Contract,
    /// No such contract; the fee is paid.
    NoSuchContract,
    /// The account could no longer pay the fee. No effect, nothing paid, sequence unused.
    FeeNotPayable,
    /// An earlier transaction of the account failed before it. No effect, nothing paid.
    Sequence,
    /// It came after its timeout height. No effect, nothing paid.
    TimedOut,
    /// Anything else; code, codespace and log tell.
    Other,
}

impl Failure {
    /// Stable name.
    pub fn code(self) -> &'static str {
        match self {
            Self::OutOfGas => "out_of_gas",
            Self::Contract => "contract_refused",
            Self::NoSuchContract => "no_such_contract",
            Self::FeeNotPayable => "insufficient_funds",
            Self::Sequence => "sequence_mismatch",
            Self::TimedOut => "not_included",
            Self::Other => "tx_failed",
        }
    }

    /// Whether the same content, signed anew, may succeed: the transaction had no effect, by no
    /// fault of its content.
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Sequence | Self::TimedOut)
    }
}

impl TxOutcome {
    /// Reads a block's result for a transaction.
    pub(crate) fn from_rpc(hash: TxHash, height: u64, result: ExecTxResult) -> Result<Self> {
        let gas = |value: i64| u64::try_from(value).map_err(|e| unreadable("gas of a transaction", &e));
        Ok(Self {
            hash,
            height,
            code: result.code.value(),
            codespace: result.codespace,
            log: result.log,
            gas_wanted: gas(result.gas_wanted)?,
            gas_used: gas(result.gas_used)?,
            responses: responses(&result.data)?,
            events: event::from_rpc(result.events),
        })
    }

    /// Why it failed; `None` if it succeeded.
    pub fn failure(&self) -> Option<Failure> {
        Some(match (self.code, self.codespace.as_str()) {
            (0, _) => return None,
            (11, "sdk") => Failure::OutOfGas,
            (5, "wasm") => Failure::Contract,
            (22, "wasm") => Failure::NoSuchContract,
            // A message may lack funds too, with the same code; but then the fee's events are there.
            (5, "sdk") if self.events.is_empty() => Failure::FeeNotPayable,
            (30, "sdk") => Failure::TimedOut,
            (32, "sdk") => Failure::Sequence,
            _ => Failure::Other,
        })
    }

    /// Itself if it succeeded, else [`Error::TxFailed`].
    pub fn into_result(self) -> Result<Self> {
        if self.code == 0 { Ok(self) } else { Err(Error::TxFailed(Box::new(self))) }
    }

    /// The contract's own error text, if a contract refused.
    pub fn contract_message(&self) -> Option<&str> {
        log_text::contract_error(&self.log)
    }

    /// The contract's own text if there is one, else the node's.
    pub fn reason(&self) -> &str {
        self.contract_message().unwrap_or(&self.log)
    }

    /// The data that the contract returned to the execute message at this position.
    pub fn execute_data(&self, message: usize) -> Result<Vec<u8>> {
        self.response::<MsgExecuteContractResponse>(message).map(|response| response.data)
    }

    /// Id and checksum that the store-code message at this position returned.
    pub fn stored_code(&self, message: usize) -> Result<(u64, [u8; 32])> {
        let response: MsgStoreCodeResponse = self.response(message)?;
        let checksum = response.checksum.as_slice().try_into();
        Ok((response.code_id, checksum.map_err(|_| unreadable("store code", &"no checksum of 32 bytes"))?))
    }

    /// Address of the contract that the instantiate message at this position made.
    pub fn instantiated_address(&self, message: usize) -> Result<String> {
        self.response::<MsgInstantiateContract2Response>(message).map(|response| response.address)
    }

    fn response<M: Message + Name + Default>(&self, message: usize) -> Result<M> {
        let what = || format!("response {message} of transaction {}", self.hash);
        let response = self.responses.get(message).ok_or_else(|| unreadable(&what(), &"there is none"))?;
        if response.type_url != M::type_url() {
            return Err(unreadable(&what(), &format!("it is a {}", response.type_url)));
        }
        M::decode(response.value.as_slice()).map_err(|e| unreadable(&what(), &e))
    }
}

/// The field holds base64 text, not bytes.
fn responses(data: &[u8]) -> Result<Vec<MsgResponse>> {
    let bad = |e: &dyn std::fmt::Display| unreadable("data of a transaction", e);
    let bytes = STANDARD.decode(data).map_err(|e| bad(&e))?;
    let data = TxMsgData::decode(bytes.as_slice()).map_err(|e| bad(&e))?;
    let convert = |any: cosmrs::Any| MsgResponse { type_url: any.type_url, value: any.value };
    Ok(data.msg_responses.into_iter().map(convert).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the node sent it for a bank send.
    const BANK_SEND: &str = "EiYKJC9jb3Ntb3MuYmFuay52MWJldGExLk1zZ1NlbmRSZXNwb25zZQ==";

    fn outcome(code: u32, codespace: &str, events: Vec<Event>) -> TxOutcome {
        TxOutcome {
            hash: TxHash([1; 32]),
            height: 1,
            code,
            codespace: codespace.into(),
            log: String::new(),
            gas_wanted: 1,
            gas_used: 1,
            responses: Vec::new(),
            events,
        }
    }

    #[test]
    fn data_is_base64_text_of_the_messages_responses() {
        let responses = responses(BANK_SEND.as_bytes()).unwrap();
        assert_eq!(responses.len(), 1);
        assert_eq!(responses[0].type_url, "/cosmos.bank.v1beta1.MsgSendResponse");
        assert!(super::responses(b"").unwrap().is_empty());
        assert!(super::responses(&[0xff]).is_err());
    }

    #[test]
    fn a_contracts_data_is_read_from_the_response_of_its_message_only() {
        let mut outcome = outcome(0, "", Vec::new());
        let response = MsgExecuteContractResponse { data: b"result".to_vec() };
        let type_url = MsgExecuteContractResponse::type_url();
        outcome.responses.push(MsgResponse { type_url, value: response.encode_to_vec() });
        assert_eq!(outcome.execute_data(0).unwrap(), b"result");
        assert_eq!(outcome.execute_data(1).unwrap_err().code(), "bad_response");
        assert_eq!(outcome.stored_code(0).unwrap_err().code(), "bad_response");
    }

    #[test]
    fn a_fee_that_was_no_longer_payable_differs_from_a_message_without_funds_by_its_events() {
        assert_eq!(outcome(5, "sdk", Vec::new()).failure(), Some(Failure::FeeNotPayable));
        let fee = Event { kind: "tx".into(), attributes: Vec::new() };
        assert_eq!(outcome(5, "sdk", vec![fee]).failure(), Some(Failure::Other));
    }

    #[test]
    fn only_what_had_no_effect_by_no_fault_of_its_content_is_retryable() {
        for (code, codespace, retryable) in
            [(32, "sdk", true), (30, "sdk", true), (11, "sdk", false), (5, "wasm", false), (5, "sdk", false)]
        {
            let error = outcome(code, codespace, Vec::new()).into_result().unwrap_err();
            assert_eq!(error.is_retryable(), retryable, "{code} {codespace}");
        }
        assert!(outcome(0, "", Vec::new()).into_result().is_ok());
    }
}
