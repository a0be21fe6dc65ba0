//! Where the chain's module `wasm` keeps things: keys of its store, as `x/wasm/types/keys.go` of wasmd fixes them.

/// `0x01 || code id u64 BE`: the code's record.
const CODE: u8 = 0x01;
/// `0x02 || address`: the contract's record.
const CONTRACT: u8 = 0x02;
/// `0x03 || address || key`: what the contract stores.
const STATE: u8 = 0x03;
/// `0x05 || address || position u64 BE`: what code the contract ran, from 1.
const HISTORY: u8 = 0x05;

/// Where a contract keeps what it calls `key`.
pub fn contract_state(address: &[u8; 32], key: &[u8]) -> Vec<u8> {
    [&[STATE], address.as_slice(), key].concat()
}

/// Where the record of a contract is: its code, its admin.
pub fn contract_info(address: &[u8; 32]) -> Vec<u8> {
    [&[CONTRACT], address.as_slice()].concat()
}

/// Where the record of a code is: its hash.
pub fn code_info(code_id: u64) -> Vec<u8> {
    [[CODE].as_slice(), &code_id.to_be_bytes()].concat()
}

/// Where one entry of the history of a contract's code is; positions count from 1.
pub fn code_history(address: &[u8; 32], position: u64) -> Vec<u8> {
    [&[HISTORY], address.as_slice(), &position.to_be_bytes()].concat()
}

/// The contract that a key belongs to; none for records of codes and for anything else.
pub fn contract_of(key: &[u8]) -> Option<[u8; 32]> {
    match key {
        [CONTRACT | STATE | HISTORY, rest @ ..] => rest.first_chunk().copied(),
        _ => None,
    }
}

/// The contract's own key within a key of the store, if it is one of that contract's state.
pub fn state_key_of<'a>(address: &[u8; 32], key: &'a [u8]) -> Option<&'a [u8]> {
    match key {
        [STATE, rest @ ..] => rest.strip_prefix(address.as_slice()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_its_fixed_bytes() {
        let address = [0xAA; 32];
        let hex_address = "aa".repeat(32);
        for (key, expected) in [
            (contract_state(&address, b"config"), format!("03{hex_address}636f6e666967")),
            (contract_info(&address), format!("02{hex_address}")),
            (code_info(258), "010000000000000102".to_owned()),
            (code_history(&address, 1), format!("05{hex_address}0000000000000001")),
        ] {
            assert_eq!(hex::encode(&key), expected);
        }
    }

    #[test]
    fn a_key_tells_whose_it_is() {
        let address = [0xAA; 32];
        for key in [contract_state(&address, b"x"), contract_info(&address), code_history(&address, 1)] {
            assert_eq!(contract_of(&key), Some(address));
        }
        assert_eq!(contract_of(&code_info(1)), None);
        assert_eq!(contract_of(&[3; 20]), None);
        assert_eq!(state_key_of(&address, &contract_state(&address, b"x")), Some(b"x".as_slice()));
        assert_eq!(state_key_of(&address, &contract_info(&address)), None);
        assert_eq!(state_key_of(&[0xBB; 32], &contract_state(&address, b"x")), None);
    }
}
