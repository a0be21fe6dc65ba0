//! What must be proven.

use kms_asc_api::{EpochId, KeyId, Operation, RequestBody, state_key};

use crate::{ContractAddress, store_key};

/// Keys of the store that a proof for a request must contain, beside the history of the contract's code (positions 1 to n and
/// the absence of n + 1) and the code infos, whose number only the chain tells: body, status, epoch, configuration, the key
/// and the reference string that the operation names, and the contract's info.
pub fn keys_of_request(contract: &ContractAddress, body: &RequestBody) -> Vec<Vec<u8>> {
    let id = body.id.get();
    let mut own = vec![state_key::REQUEST.key(id), state_key::STATUS.key(id)];
    own.extend(body.epoch.map(|epoch| state_key::EPOCH.key(epoch.get()).to_vec()));
    own.extend(body.operation.key_id().map(|key| state_key::KEY.key(key.get()).to_vec()));
    own.extend(crs_of(&body.operation).map(|crs| state_key::CRS.key(crs).to_vec()));
    with_contract(contract, own)
}

/// The same for the destruction of a key that is held by `epoch`.
pub fn keys_of_destruction(contract: &ContractAddress, key_id: KeyId, epoch: EpochId) -> Vec<Vec<u8>> {
    let key = state_key::KEY.key(key_id.get()).to_vec();
    with_contract(contract, vec![key, state_key::EPOCH.key(epoch.get()).to_vec()])
}

/// What every proof must contain, whatever it is for.
pub fn keys_of_contract(contract: &ContractAddress) -> Vec<Vec<u8>> {
    with_contract(contract, Vec::new())
}

fn with_contract(contract: &ContractAddress, own: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let own = own.into_iter().chain([state_key::CONFIG.as_slice().to_vec()]);
    own.map(|key| store_key::contract_state(contract.bytes(), &key))
        .chain([store_key::contract_info(contract.bytes())])
        .collect()
}

fn crs_of(operation: &Operation) -> Option<u64> {
    match operation {
        Operation::VerifyInput(asked) => Some(asked.crs_id.get()),
        _ => None,
    }
}
