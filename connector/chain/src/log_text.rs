//! Reading the node's texts. Where a code says enough it is used; these are for what only the text
//! says.

/// What the chain's wasm module appends to a contract's own error text.
const WASM_SUFFIXES: [&str; 4] = [
    ": execute wasm contract failed",
    ": instantiate wasm contract failed",
    ": migrate wasm contract failed",
    ": query wasm contract failed",
];

/// What stands before it.
const WASM_PREFIXES: [&str; 4] = ["dispatch: ", "submessages: ", "messages: ", "kind: Other, error: "];

/// The contract's own error text within a transaction's, a simulation's or a query's log.
///
/// `failed to execute message; message index: 0: [too_little] 5 given: execute wasm contract failed`
/// gives `[too_little] 5 given`. `None` if no contract refused, or if its code broke down (out of
/// gas, a panic), where the text is not the contract's own.
pub fn contract_error(log: &str) -> Option<&str> {
    let end = WASM_SUFFIXES.iter().filter_map(|suffix| log.find(suffix)).min()?;
    let mut text = &log[..end];
    if let Some((_, rest)) = text.split_once("message index: ") {
        text = rest.split_once(": ").map_or(rest, |(_, message)| message);
    }
    while let Some(rest) = WASM_PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix)) {
        text = rest;
    }
    (!text.starts_with("Error calling the VM")).then_some(text)
}

/// Splits a contract error of the form `[code] message`.
pub fn split_code(message: &str) -> Option<(&str, &str)> {
    let (code, rest) = message.strip_prefix('[')?.split_once(']')?;
    let plain = !code.is_empty() && code.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-:.".contains(&b));
    plain.then(|| (code, rest.trim_start()))
}

/// `account sequence mismatch, expected 16, got 21: ...` gives `(16, 21)`.
pub(crate) fn sequence_mismatch(log: &str) -> Option<(u64, u64)> {
    let rest = log.split_once("account sequence mismatch, expected ")?.1;
    let (expected, rest) = rest.split_once(", got ")?;
    Some((expected.parse().ok()?, leading_number(rest)?))
}

/// `message index: 0: address wasm1x: no such contract` gives `wasm1x`.
pub(crate) fn missing_contract(log: &str) -> Option<&str> {
    let before = log.split_once(": no such contract")?.0;
    before.rsplit_once("address ").map(|(_, address)| address)
}

/// `height 1 is not available, lowest height is 5` gives 5.
pub(crate) fn lowest_height(text: &str) -> Option<u64> {
    leading_number(text.split_once("is not available, lowest height is ")?.1)
}

/// `height 9 must be less than or equal to the current blockchain height 5` gives 5.
pub(crate) fn current_height(text: &str) -> Option<u64> {
    leading_number(text.split_once("must be less than or equal to the current blockchain height ")?.1)
}

/// At most 1,000 bytes of a text that may quote a whole message.
pub(crate) fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(1_000)]
}

fn leading_number(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contracts_text_is_found_in_the_log_of_a_transaction() {
        let log = "failed to execute message; message index: 3: [fee] 5 given: 6 wanted: \
                   execute wasm contract failed";
        assert_eq!(contract_error(log), Some("[fee] 5 given: 6 wanted"));
    }

    #[test]
    fn the_contracts_text_is_found_in_the_log_of_a_simulation_and_of_a_submessage() {
        let simulation = "rpc error: code = Unknown desc = failed to execute message; message index: 0: \
            [paused] no: execute wasm contract failed [CosmWasm/wasmd@v0.61.14/x/wasm/keeper/keeper.go:442] \
            with gas used: '110012'";
        assert_eq!(contract_error(simulation), Some("[paused] no"));
        let nested = "failed to execute message; message index: 0: dispatch: submessages: \
                      dispatch: submessages: [inner] x: execute wasm contract failed";
        assert_eq!(contract_error(nested), Some("[inner] x"));
        assert_eq!(contract_error("[q] no: query wasm contract failed"), Some("[q] no"));
    }

    #[test]
    fn a_log_without_a_contracts_refusal_has_no_contract_text() {
        for log in [
            "",
            "failed to execute message; message index: 0: 5ucosm is smaller than 6ucosm: insufficient funds",
            "out of gas in location: wasm contract; gasWanted: 1, gasUsed: 2: out of gas",
            "failed to execute message; message index: 0: Error calling the VM: Error executing Wasm: \
             unreachable: execute wasm contract failed",
        ] {
            assert_eq!(contract_error(log), None, "{log}");
        }
    }

    #[test]
    fn code_and_message_of_a_contract_error_come_apart() {
        assert_eq!(split_code("[too_early] wait 3 s"), Some(("too_early", "wait 3 s")));
        assert_eq!(split_code("[rejected:late]"), Some(("rejected:late", "")));
        for text in ["plain", "[] x", "[two words] x", "[open"] {
            assert_eq!(split_code(text), None, "{text}");
        }
    }

    #[test]
    fn the_expected_sequence_is_read() {
        let log = "account sequence mismatch, expected 16, got 21: incorrect account sequence";
        assert_eq!(sequence_mismatch(log), Some((16, 21)));
        assert_eq!(sequence_mismatch("incorrect account sequence"), None);
    }

    #[test]
    fn a_text_is_shortened_between_characters() {
        assert_eq!(shortened("short"), "short");
        let long = "é".repeat(600);
        assert_eq!(shortened(&format!("x{long}")).len(), 999);
    }

    #[test]
    fn heights_in_refusals_are_read() {
        assert_eq!(lowest_height("height 1 is not available, lowest height is 5"), Some(5));
        let future = "height 9 must be less than or equal to the current blockchain height 5";
        assert_eq!(current_height(future), Some(5));
        assert_eq!(lowest_height(future), None);
    }
}
