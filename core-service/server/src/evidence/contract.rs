//! The contract's code: what runs now, what ever ran, and who may change it.

use std::collections::BTreeSet;

use kms_asc_api::Digest;
use kms_proofs::{
    store_key,
    wasm::{CodeInfo, ContractInfo, HistoryEntry},
};
use prost::Message;

use super::{Proven, Refusal};
use crate::Error;

/// Refuses a contract that runs or ever ran code that is not allowed, so that a migration there and back is seen, or whose
/// code somebody else than itself may change.
pub(super) fn judge(proven: &Proven, allowed: &BTreeSet<Digest>) -> Result<(), Error> {
    let address = *proven.contract().bytes();
    let key = store_key::contract_info(&address);
    let info = proven.raw(&key)?.ok_or_else(|| Refusal::NotRecorded { what: "contract info".to_owned() })?;
    let info = ContractInfo::decode(info).map_err(|error| unreadable("contract info", &error))?;
    if info.admin != proven.contract().text() {
        return Err(Refusal::WasmAdmin { admin: info.admin }.into());
    }
    let mut last = None;
    for position in 1.. {
        let Some(entry) = proven.raw(&store_key::code_history(&address, position))? else { break };
        let entry = HistoryEntry::decode(entry).map_err(|error| unreadable("code history", &error))?;
        judge_code(proven, entry.code_id, allowed)?;
        last = Some(entry.code_id);
    }
    match last {
        Some(code_id) if code_id == info.code_id => Ok(()),
        // The chain writes both at once: who sees one without the other does not see this chain's state.
        _ => Err(Error::Internal {
            cause: format!("the contract runs code {}, its history ends with {last:?}", info.code_id),
        }),
    }
}

fn judge_code(proven: &Proven, code_id: u64, allowed: &BTreeSet<Digest>) -> Result<(), Error> {
    let info = proven.raw(&store_key::code_info(code_id))?;
    let info = info.ok_or_else(|| Refusal::NotRecorded { what: format!("code {code_id}") })?;
    let hash = CodeInfo::decode(info).map_err(|error| unreadable("code info", &error))?.code_hash;
    match Digest::try_from(hash.as_slice()) {
        Ok(digest) if allowed.contains(&digest) => Ok(()),
        _ => Err(Refusal::Code { code_id, hash: hex::encode(hash) }.into()),
    }
}

fn unreadable(record: &str, error: &prost::DecodeError) -> Error {
    Error::Internal { cause: format!("a proven {record} does not decode: {error}") }
}
