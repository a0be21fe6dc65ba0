//! Messages that a transaction carries.

use std::io::Write;

use cosmrs::{
    Any,
    proto::{
        cosmos::bank::v1beta1::MsgSend,
        cosmwasm::wasm::v1::{MsgExecuteContract, MsgInstantiateContract2, MsgMigrateContract, MsgStoreCode},
        prost::Name,
    },
};
use flate2::{Compression, write::GzEncoder};
use serde::Serialize;

use crate::{Coin, Error, Result, coin, wallet::address_bytes};

/// First bytes of a gzip file.
const GZIP_MAGIC: [u8; 3] = [0x1f, 0x8b, 0x08];

/// One message, encoded. `sender` is always the account that signs the transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Message(pub(crate) Any);

impl Message {
    /// Calls a contract with a JSON message and funds.
    pub fn execute<M: Serialize + ?Sized>(
        sender: &str,
        contract: &str,
        message: &M,
        funds: &[Coin],
    ) -> Result<Self> {
        address_bytes(contract)?;
        Self::encode(&MsgExecuteContract {
            sender: sender.to_owned(),
            contract: contract.to_owned(),
            msg: json(message)?,
            funds: coin::sorted_protos(funds)?,
        })
    }

    /// Stores contract code, compressed on the way unless it is compressed already. Anybody may
    /// instantiate it (the chain's default).
    pub fn store_code(sender: &str, wasm: &[u8]) -> Result<Self> {
        let wasm_byte_code = if wasm.starts_with(&GZIP_MAGIC) { wasm.to_vec() } else { gzip(wasm)? };
        Self::encode(&MsgStoreCode {
            sender: sender.to_owned(),
            wasm_byte_code,
            instantiate_permission: None,
        })
    }

    /// Makes a contract at the address that code, `sender` and `salt` determine (see
    /// [`Client::build_address`](crate::Client::build_address)); the message has no part in it.
    /// `admin` may be that very address, or empty for none.
    pub fn instantiate2<M: Serialize + ?Sized>(
        sender: &str,
        code_id: u64,
        salt: &[u8],
        label: &str,
        admin: &str,
        message: &M,
        funds: &[Coin],
    ) -> Result<Self> {
        Self::encode(&MsgInstantiateContract2 {
            sender: sender.to_owned(),
            admin: admin.to_owned(),
            code_id,
            label: label.to_owned(),
            msg: json(message)?,
            funds: coin::sorted_protos(funds)?,
            salt: salt.to_vec(),
            fix_msg: false,
        })
    }

    /// Has a contract run other code from now on; the chain takes this from the contract's admin alone.
    pub fn migrate<M: Serialize + ?Sized>(
        sender: &str,
        contract: &str,
        code_id: u64,
        message: &M,
    ) -> Result<Self> {
        address_bytes(contract)?;
        Self::encode(&MsgMigrateContract {
            sender: sender.to_owned(),
            contract: contract.to_owned(),
            code_id,
            msg: json(message)?,
        })
    }

    /// Sends coins from one account to another.
    pub fn bank_send(sender: &str, to: &str, coins: &[Coin]) -> Result<Self> {
        address_bytes(to)?;
        Self::encode(&MsgSend {
            from_address: sender.to_owned(),
            to_address: to.to_owned(),
            amount: coin::sorted_protos(coins)?,
        })
    }

    /// Type of the message, for instance `/cosmwasm.wasm.v1.MsgExecuteContract`.
    pub fn type_url(&self) -> &str {
        &self.0.type_url
    }

    fn encode<M: Name>(message: &M) -> Result<Self> {
        Ok(Self(Any { type_url: M::type_url(), value: message.encode_to_vec() }))
    }
}

pub(crate) fn json<M: Serialize + ?Sized>(message: &M) -> Result<Vec<u8>> {
    serde_json::to_vec(message).map_err(|e| Error::Encode { what: "message", reason: e.to_string() })
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let failed = |e: std::io::Error| Error::Encode { what: "compressed wasm", reason: e.to_string() };
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).map_err(failed)?;
    encoder.finish().map_err(failed)
}

#[cfg(test)]
mod tests {
    use cosmrs::proto::prost::Message as _;

    use super::*;
    use crate::Wallet;

    #[test]
    fn an_address_with_a_typing_error_is_refused_before_anything_is_sent() {
        let wallet = Wallet::generate("wasm").unwrap();
        let mut address = wallet.address().to_owned();
        let last = address.pop().unwrap();
        address.push(if last == 'q' { 'p' } else { 'q' });
        let me = wallet.address();
        assert_eq!(Message::bank_send(me, &address, &[]).unwrap_err().code(), "invalid_address");
        assert_eq!(Message::execute(me, &address, "x", &[]).unwrap_err().code(), "invalid_address");
    }

    #[test]
    fn messages_carry_the_chains_type_names_and_json() {
        let message = serde_json::json!({"close": {"request_ids": [1]}});
        let wallet = Wallet::generate("wasm").unwrap();
        let me = wallet.address();
        let execute = Message::execute(me, me, &message, &[Coin::new(5, "ucosm")]).unwrap();
        assert_eq!(execute.type_url(), "/cosmwasm.wasm.v1.MsgExecuteContract");
        let decoded = MsgExecuteContract::decode(execute.0.value.as_slice()).unwrap();
        assert_eq!(decoded.msg, br#"{"close":{"request_ids":[1]}}"#);
        assert_eq!(decoded.funds[0].amount, "5");
        let send = Message::bank_send(me, me, &[]).unwrap();
        assert_eq!(send.type_url(), "/cosmos.bank.v1beta1.MsgSend");
    }

    #[test]
    fn code_is_compressed_once() {
        let wasm = vec![0; 100_000];
        let once = MsgStoreCode::decode(Message::store_code("a", &wasm).unwrap().0.value.as_slice()).unwrap();
        assert!(once.wasm_byte_code.len() < 1_000);
        let twice = Message::store_code("a", &once.wasm_byte_code).unwrap();
        let twice = MsgStoreCode::decode(twice.0.value.as_slice()).unwrap();
        assert_eq!(twice.wasm_byte_code, once.wasm_byte_code);
    }
}
