//! Records of the chain's module `wasm`: the fields that are judged, of `cosmwasm.wasm.v1`.

use prost::Message;

/// `ContractInfo`, at [`crate::store_key::contract_info`].
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ContractInfo {
    /// The code that runs now.
    #[prost(uint64, tag = "1")]
    pub code_id: u64,
    /// Who made the contract, bech32.
    #[prost(string, tag = "2")]
    pub creator: String,
    /// Who may change its code, bech32; empty for nobody.
    #[prost(string, tag = "3")]
    pub admin: String,
}

/// `CodeInfo`, at [`crate::store_key::code_info`].
#[derive(Clone, PartialEq, Eq, Message)]
pub struct CodeInfo {
    /// SHA-256 of the code.
    #[prost(bytes = "vec", tag = "1")]
    pub code_hash: Vec<u8>,
}

/// `ContractCodeHistoryEntry`, at [`crate::store_key::code_history`].
#[derive(Clone, PartialEq, Eq, Message)]
pub struct HistoryEntry {
    /// 1 instantiated, 2 migrated, 3 in the genesis.
    #[prost(int32, tag = "1")]
    pub operation: i32,
    /// The code that ran from then on.
    #[prost(uint64, tag = "2")]
    pub code_id: u64,
}
