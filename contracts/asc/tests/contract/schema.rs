//! The committed JSON schemas are those of the code.

use std::{collections::BTreeMap, fs, path::Path};

#[path = "../../examples/schema/files.rs"]
pub mod files;

/// What is committed, by path below `schema/`.
fn committed() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema");
    ["", "raw/"]
        .into_iter()
        .flat_map(|part| fs::read_dir(folder.join(part)).unwrap().map(move |entry| (part, entry.unwrap())))
        .filter(|(_, entry)| entry.file_type().unwrap().is_file())
        .map(|(part, entry)| {
            let name = format!("{part}{}", entry.file_name().to_str().unwrap());
            (name, fs::read_to_string(entry.path()).unwrap())
        })
        .collect()
}

#[test]
fn the_committed_schemas_are_those_of_the_code() {
    let (now, before) = (files::files(), committed());
    let stale: Vec<&String> =
        now.keys().chain(before.keys()).filter(|name| now.get(*name) != before.get(*name)).collect();
    assert!(stale.is_empty(), "run scripts/build-client.sh --generate: these schemas are stale: {stale:?}");
}

#[test]
fn schemas_say_how_bytes_and_outcomes_are_written() {
    let all = files::files();
    let schema = |name: &str| -> serde_json::Value { serde_json::from_str(&all[name]).unwrap() };
    let handle = &schema("raw/execute.json")["definitions"]["Handle"];
    assert_eq!(handle["description"], "handle: 32 bytes, as base64");
    assert_eq!(
        (&handle["type"], &handle["minLength"], &handle["maxLength"]),
        (&"string".into(), &44.into(), &44.into())
    );
    let outcomes = &schema("raw/data_of_submit_responses.json")["definitions"]["ItemOutcome"]["enum"];
    let outcomes: Vec<&str> = outcomes.as_array().unwrap().iter().filter_map(|text| text.as_str()).collect();
    assert!(outcomes.contains(&"recorded") && outcomes.contains(&"rejected:too_early"), "{outcomes:?}");
    assert_eq!(schema("kms-asc.json")["responses"]["keys"]["title"], "Page_for_KeyRecord_and_KeyId");
}
