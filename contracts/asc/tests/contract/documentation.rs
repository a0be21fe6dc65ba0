//! What `docs/contract.md` must name: all that the contract can be told, and all that it can say.

use std::{collections::BTreeSet, fs, path::Path};

use kms_asc_api::{DenialReason, FailureCode, KeyState, OperationKind, RejectReason, log::LogBody};

use crate::schema::files;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Names in the text between the two headings (or to the end), as they stand between backquotes.
fn named(page: &str, from: &str, to: &str) -> BTreeSet<String> {
    let section = page.split(&format!("\n{from}\n")).nth(1).unwrap_or_else(|| panic!("no {from}"));
    let section = section.split(&format!("\n{to}\n")).next().unwrap();
    let prose: String = section.split("```").step_by(2).collect();
    let code = prose.split('`').skip(1).step_by(2);
    let words = code.flat_map(|code| code.split(|c: char| !c.is_alphanumeric() && c != '_'));
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn missing<'a>(page: &BTreeSet<String>, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    names.into_iter().filter(|name| !page.contains(*name)).collect()
}

/// Names of the variants in a schema of messages or queries.
fn variants(schema: &str) -> Vec<String> {
    let schema: serde_json::Value = serde_json::from_str(&files::files()[schema]).unwrap();
    let one_of = schema["oneOf"].as_array().unwrap().clone();
    one_of.into_iter().map(|variant| variant["required"][0].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_message_and_query_is_in_the_page() {
    let page = read("../../docs/contract.md");
    let messages = variants("raw/execute.json");
    assert_eq!(messages.len(), 26);
    let table = named(&page, "## Who may call what", "## Operations");
    assert_eq!(missing(&table, messages.iter().map(String::as_str)), [""; 0]);
    let queries = variants("raw/query.json");
    assert_eq!(queries.len(), 21);
    let list = named(&page, "## Queries and events", "## (none)");
    assert_eq!(missing(&list, queries.iter().map(String::as_str)), [""; 0]);
    let source = read("../asc-api/src/event.rs");
    let events: BTreeSet<&str> =
        source.split("Self::new(\"kms_").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(events.len(), 10);
    assert_eq!(missing(&list, events), [""; 0]);
}

#[test]
fn every_code_reason_and_state_is_in_the_page() {
    let page = read("../../docs/contract.md");
    let errors = named(&page, "### Errors of a message", "### Reasons of a denial");
    let source = read("src/error.rs");
    let arms = source.lines().filter_map(|line| line.trim().strip_prefix("Self::")?.split_once("=> \""));
    let codes: Vec<&str> = arms.filter_map(|(_, code)| code.split('"').next()).collect();
    assert!(codes.len() > 25, "only {codes:?}");
    assert_eq!(missing(&errors, codes), [""; 0]);
    let reasons = named(&page, "### Reasons of a denial", "### Outcomes of an item");
    assert_eq!(missing(&reasons, DenialReason::ALL.map(DenialReason::name)), [""; 0]);
    let outcomes = named(&page, "### Outcomes of an item", "### Failure codes");
    assert_eq!(missing(&outcomes, RejectReason::ALL.map(RejectReason::name)), [""; 0]);
    let failures = named(&page, "### Failure codes", "## States and deadlines");
    assert_eq!(missing(&failures, FailureCode::ALL.map(FailureCode::name)), [""; 0]);
    let keys = named(&page, "## Keys", "## Epochs");
    assert_eq!(missing(&keys, KeyState::ALL.map(KeyState::name)), [""; 0]);
    let operations = named(&page, "## Operations", "## Errors");
    assert_eq!(missing(&operations, OperationKind::ALL.map(OperationKind::name)), [""; 0]);
}

#[test]
fn every_kind_of_log_entry_is_in_the_page() {
    let log = named(&read("../../docs/contract.md"), "## The log", "## Queries and events");
    assert_eq!(missing(&log, LogBody::KINDS.iter().copied()), [""; 0]);
}
