//! Contracts: smart queries, raw state, and what code stands behind an address.

use cosmrs::proto::{
    cosmos::base::query::v1beta1::PageRequest,
    cosmwasm::wasm::v1::{
        CodeInfo as ProtoCodeInfo, QueryAllContractStateRequest, QueryAllContractStateResponse,
        QueryBuildAddressRequest, QueryBuildAddressResponse, QueryContractInfoRequest,
        QueryContractInfoResponse, QuerySmartContractStateRequest, QuerySmartContractStateResponse,
    },
    prost::Message,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Client, Error, Result, client::unreadable, log_text, message, wallet::address_bytes};

const SMART: &str = "/cosmwasm.wasm.v1.Query/SmartContractState";
const CONTRACT_INFO: &str = "/cosmwasm.wasm.v1.Query/ContractInfo";
const ALL_STATE: &str = "/cosmwasm.wasm.v1.Query/AllContractState";
const BUILD_ADDRESS: &str = "/cosmwasm.wasm.v1.Query/BuildAddress";

/// The wasm module's store; its keys and values are provable against the app hash.
pub(super) const STORE: &str = "/store/wasm/key";
/// Keys that are asked for at once.
const STATE_PAGE: u64 = 1_000;
const CODE_PREFIX: u8 = 0x01;
const CONTRACT_STATE_PREFIX: u8 = 0x03;
const PINNED_PREFIX: u8 = 0x07;

/// A contract's registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractInfo {
    /// Address.
    pub address: String,
    /// Id of the code it runs.
    pub code_id: u64,
    /// Who made it.
    pub creator: String,
    /// Who may migrate it; `None`: nobody.
    pub admin: Option<String>,
    /// Label given at its making.
    pub label: String,
}

/// A stored code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeInfo {
    /// Code id.
    pub code_id: u64,
    /// SHA-256 of the uncompressed wasm.
    pub checksum: [u8; 32],
    /// Who stored it.
    pub creator: String,
}

/// A value read from a contract's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawValue {
    /// The stored bytes; `None` if the key is absent.
    pub value: Option<Vec<u8>>,
    /// Height of the state that was read. A proof of it verifies against the header of the next
    /// height.
    pub height: u64,
}

impl Client {
    /// Asks a contract, JSON in and out, about the newest state.
    ///
    /// The contract's refusal is [`Error::ContractQuery`] with its own text; an address without a
    /// contract is [`Error::NoSuchContract`].
    pub async fn smart_query<Q, R>(&self, contract: &str, query: &Q) -> Result<R>
    where
        Q: Serialize + ?Sized,
        R: DeserializeOwned,
    {
        self.smart_query_at(contract, query, None).await
    }

    /// The same about the state of a height, else [`Error::HeightUnavailable`]; `None`: the newest.
    pub async fn smart_query_at<Q, R>(&self, contract: &str, query: &Q, height: Option<u64>) -> Result<R>
    where
        Q: Serialize + ?Sized,
        R: DeserializeOwned,
    {
        address_bytes(contract)?;
        let query_data = message::json(query)?;
        let request = QuerySmartContractStateRequest { address: contract.to_owned(), query_data };
        let answer: QuerySmartContractStateResponse =
            self.abci(SMART, &request, height).await.map_err(|e| contract_refusal(contract, e))?;
        serde_json::from_slice(&answer.data).map_err(|e| unreadable(SMART, &e))
    }

    /// Reads one key of a contract's state; `None` as height: the newest state.
    /// [`Error::HeightUnavailable`] if the node has no state of that height.
    pub async fn raw_state(&self, contract: &str, key: &[u8], height: Option<u64>) -> Result<RawValue> {
        let mut full = vec![CONTRACT_STATE_PREFIX];
        full.extend(address_bytes(contract)?);
        full.extend(key);
        let answer = self.abci_raw(STORE, full, height).await?;
        let value = (!answer.value.is_empty()).then_some(answer.value);
        Ok(RawValue { value, height: answer.height })
    }

    /// All of a contract's state, keys ascending; [`Error::NoSuchContract`] if there is none. It comes in pages:
    /// they are of one state if the height is named, or if nothing changes meanwhile.
    pub async fn all_state(&self, contract: &str, height: Option<u64>) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        address_bytes(contract)?;
        let (mut state, mut key) = (Vec::new(), Vec::new());
        loop {
            let page = PageRequest { key, limit: STATE_PAGE, ..PageRequest::default() };
            let query = QueryAllContractStateRequest { address: contract.to_owned(), pagination: Some(page) };
            let answer: QueryAllContractStateResponse =
                self.abci(ALL_STATE, &query, height).await.map_err(|e| contract_refusal(contract, e))?;
            state.extend(answer.models.into_iter().map(|model| (model.key, model.value)));
            key = answer.pagination.map(|page| page.next_key).unwrap_or_default();
            if key.is_empty() {
                return Ok(state);
            }
        }
    }

    /// A contract's registration; [`Error::NoSuchContract`] if there is none.
    pub async fn contract_info(&self, contract: &str) -> Result<ContractInfo> {
        address_bytes(contract)?;
        let query = QueryContractInfoRequest { address: contract.to_owned() };
        let answer: QueryContractInfoResponse =
            self.abci(CONTRACT_INFO, &query, None).await.map_err(|e| contract_refusal(contract, e))?;
        let info =
            answer.contract_info.ok_or_else(|| Error::NoSuchContract { address: contract.to_owned() })?;
        Ok(ContractInfo {
            address: answer.address,
            code_id: info.code_id,
            creator: info.creator,
            admin: (!info.admin.is_empty()).then_some(info.admin),
            label: info.label,
        })
    }

    /// A stored code's checksum, read from the store, so that the code itself does not travel;
    /// [`Error::NoSuchCode`] if there is none.
    pub async fn code_info(&self, code_id: u64) -> Result<CodeInfo> {
        let answer = self.abci_raw(STORE, code_key(CODE_PREFIX, code_id), None).await?;
        if answer.value.is_empty() {
            return Err(Error::NoSuchCode { code_id });
        }
        let info = ProtoCodeInfo::decode(answer.value.as_slice()).map_err(|e| unreadable(STORE, &e))?;
        let checksum = info
            .code_hash
            .as_slice()
            .try_into()
            .map_err(|_| unreadable(STORE, &"the code hash is not of 32 bytes"))?;
        Ok(CodeInfo { code_id, checksum, creator: info.creator })
    }

    /// Whether a code is pinned: kept compiled in the nodes' memory, so that calls cost less gas.
    pub async fn is_pinned(&self, code_id: u64) -> Result<bool> {
        let answer = self.abci_raw(STORE, code_key(PINNED_PREFIX, code_id), None).await?;
        Ok(!answer.value.is_empty())
    }

    /// The address at which [`Message::instantiate2`](crate::Message::instantiate2) makes the
    /// contract of this code checksum, creator and salt.
    pub async fn build_address(&self, checksum: &[u8; 32], creator: &str, salt: &[u8]) -> Result<String> {
        let query = QueryBuildAddressRequest {
            code_hash: hex::encode(checksum),
            creator_address: creator.to_owned(),
            salt: hex::encode(salt),
            init_args: Vec::new(),
        };
        let answer: QueryBuildAddressResponse = self.abci(BUILD_ADDRESS, &query, None).await?;
        Ok(answer.address)
    }
}

/// Where the wasm module's store says something of a code.
fn code_key(prefix: u8, code_id: u64) -> Vec<u8> {
    [&[prefix][..], &code_id.to_be_bytes()].concat()
}

/// Gives the refusals of a contract query their types.
fn contract_refusal(contract: &str, error: Error) -> Error {
    let Error::Query { log, .. } = &error else { return error };
    if log.contains("no such contract") || log.contains("not found") && !log.contains("wasm contract failed")
    {
        return Error::NoSuchContract { address: contract.to_owned() };
    }
    match log_text::contract_error(log) {
        Some(text) => Error::ContractQuery { contract: contract.to_owned(), message: text.to_owned() },
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(log: &str) -> Error {
        let error =
            Error::Query { path: SMART.into(), code: 1, codespace: "wasm".into(), log: log.to_owned() };
        contract_refusal("wasm1c", error)
    }

    #[test]
    fn refusals_of_a_contract_query_have_their_types() {
        let own = refusal("[unknown_request] 7: query wasm contract failed");
        assert_eq!(own.contract_message(), Some("[unknown_request] 7"));
        assert_eq!(refusal("address wasm1c: no such contract").code(), "no_such_contract");
        assert_eq!(refusal("out of gas").code(), "query_failed");
    }

    #[test]
    fn a_contract_that_says_not_found_is_still_a_contract() {
        assert_eq!(refusal("[no] key not found: query wasm contract failed").code(), "contract_query_failed");
    }
}
