//! What a transaction would cost, and whether it would fail.

use cosmrs::proto::cosmos::tx::v1beta1::{SimulateRequest, SimulateResponse};

use crate::{Client, Error, Result, client::unreadable, log_text};

const PATH: &str = "/cosmos.tx.v1beta1.Service/Simulate";

impl Client {
    /// Gas that the transaction would use on the newest state (a height cannot be chosen).
    pub(crate) async fn simulate(&self, address: &str, sequence: u64, tx_bytes: Vec<u8>) -> Result<u64> {
        let (bytes, limit) = (tx_bytes.len(), self.config().max_simulate_bytes);
        let too_large = Error::TooLarge { step: "simulate", bytes, limit };
        if bytes > limit {
            return Err(too_large);
        }
        #[allow(deprecated, reason = "the old field must be named to be left empty")]
        let query = SimulateRequest { tx: None, tx_bytes };
        let answer: SimulateResponse = match self.abci(PATH, &query, None).await {
            Err(Error::Query { log, .. }) => return Err(refusal(address, sequence, log)),
            Err(Error::HttpStatus { status: 400 | 413, .. }) => return Err(too_large),
            other => other?,
        };
        answer.gas_info.map(|gas| gas.gas_used).ok_or_else(|| unreadable(PATH, &"no gas in it"))
    }
}

/// Simulation tells its reasons in text only; its code is always the same.
fn refusal(address: &str, sequence: u64, log: String) -> Error {
    if let Some((expected, got)) = log_text::sequence_mismatch(&log) {
        return Error::SequenceMismatch { expected: Some(expected), got };
    }
    if log.contains("unknown query path") {
        return Error::SimulationUnavailable;
    }
    if log.contains("incorrect account sequence") {
        return Error::SequenceMismatch { expected: None, got: sequence };
    }
    if log_text::contract_error(&log).is_some() {
        return Error::Simulation { log };
    }
    if log.contains(address) && log.contains("does not exist") {
        return Error::UnknownAccount { address: address.to_owned() };
    }
    if let Some(contract) = log_text::missing_contract(&log) {
        return Error::NoSuchContract { address: contract.to_owned() };
    }
    if log.contains("insufficient funds") {
        return Error::InsufficientFunds { log };
    }
    Error::Simulation { log }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_of(log: &str) -> &'static str {
        refusal("wasm1me", 21, log.to_owned()).code()
    }

    #[test]
    fn the_reasons_of_a_simulation_get_their_types() {
        assert_eq!(
            refusal(
                "wasm1me",
                21,
                "account sequence mismatch, expected 16, got 21: incorrect account sequence".into()
            ),
            Error::SequenceMismatch { expected: Some(16), got: 21 }
        );
        assert_eq!(code_of("account wasm1me does not exist: unknown address"), "unknown_account");
        assert_eq!(
            code_of("spendable balance 0ucosm is smaller than 1ucosm: insufficient funds"),
            "insufficient_funds"
        );
        assert_eq!(
            refusal("a", 1, "message index: 0: address wasm1x: no such contract [file.go:159]".into()),
            Error::NoSuchContract { address: "wasm1x".into() }
        );
        assert_eq!(code_of("unknown query path: unknown request"), "simulation_unavailable");
        assert_eq!(code_of("anything else"), "simulation_failed");
    }

    #[test]
    fn a_contract_that_speaks_of_funds_is_still_a_contracts_refusal() {
        let log = "failed to execute message; message index: 0: [insufficient_fee] insufficient funds: \
                   execute wasm contract failed";
        let error = refusal("wasm1me", 1, log.to_owned());
        assert_eq!(error.code(), "simulation_failed");
        assert_eq!(error.contract_message(), Some("[insufficient_fee] insufficient funds"));
    }
}
