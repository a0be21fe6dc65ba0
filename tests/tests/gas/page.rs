//! The page for people.

use std::fmt::Write;

use crate::{
    PARTIES,
    measured::{BARS, Measured, TOLERANCE},
};

/// `gas.md`.
pub fn page(measured: &Measured) -> String {
    let mut page = format!(
        "# What messages cost\n\n\
         Written by `make gas`, which starts a real chain (one validator, unmodified `wasmd`) for each number of\n\
         operators, with the contract on it and nothing else, sends every message and reads what it used. The\n\
         operators' answers are signed by the measurement. Each number is the gas of whole transactions, with all\n\
         that a transaction costs by itself (about 116,000 for one that does nothing); the code is not pinned. The\n\
         raw numbers are in `gas.json`. `make test` measures again and fails when a cost is over {TOLERANCE} % higher than\n\
         there, when a bar that is met here gets missed, and when one that is missed here gets met and is still on the\n\
         test's list of missed ones.\n\n\
         The contract has {} bytes.\n\n",
        grouped(measured.wasm_bytes)
    );
    page += "| |";
    for parties in PARTIES {
        let _ = write!(page, " {parties} operator{} |", if parties == 1 { "" } else { "s" });
    }
    page += "\n|---|";
    page += &"---:|".repeat(PARTIES.len());
    page.push('\n');
    for name in measured.costs.keys() {
        let _ = write!(page, "| {name} |");
        for parties in PARTIES {
            let cost = measured.cost(name, parties).map_or_else(|| "-".to_owned(), grouped);
            let _ = write!(page, " {cost} |");
        }
        page.push('\n');
    }
    page += "\n## Bars\n\n| | Operators | At most | Measured | |\n|---|---:|---:|---:|---|\n";
    for (name, parties, most) in BARS {
        let cost = measured.cost(name, parties);
        let verdict = match cost {
            None => "not measured",
            Some(cost) if cost > most => "missed",
            Some(_) => "met",
        };
        let cost = cost.map_or_else(|| "-".to_owned(), grouped);
        let _ = writeln!(page, "| {name} | {parties} | {} | {cost} | {verdict} |", grouped(most));
    }
    page
}

/// `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
