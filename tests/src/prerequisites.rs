//! What must have been built before a scenario can run.

use kms_localnet::Programs;

/// With this variable set, missing prerequisites fail the run instead of skipping it.
pub const REQUIRE_VARIABLE: &str = "KMS_REQUIRE_SYSTEM_TESTS";

/// The programs that scenarios run.
const PROGRAMS: [&str; 5] = ["kms", "kms-core", "kms-connector", "kms-connector-failpoints", "xtask"];

/// Contracts beside the ASC that scenarios put on the chain.
const CONTRACTS: [&str; 2] = ["kms_example_sealed_bid", "kms_test_receiver"];

/// What is not there, a line each; empty if scenarios can run.
pub fn missing() -> Vec<String> {
    let programs = match Programs::of_this_build() {
        Ok(programs) => programs,
        Err(error) => return vec![error.to_string()],
    };
    let parts = [programs.node(), programs.contract()];
    parts
        .into_iter()
        .chain(CONTRACTS.map(|name| programs.artifact(name)))
        .chain(PROGRAMS.map(|name| programs.program(name)))
        .filter_map(|part| part.err().map(|error| error.to_string()))
        .collect()
}
