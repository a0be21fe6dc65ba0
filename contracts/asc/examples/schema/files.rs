//! The JSON schemas of the contract, as text.

use std::collections::BTreeMap;

use cosmwasm_schema::{generate_api, schema_for};
use kms_asc_api::{
    CloseOutcome, ExecuteMsg, InstantiateMsg, ItemOutcome, OutcomesData, QueryMsg, SubmitRequestData,
    SubmitRequestsData,
};

/// Each schema by its path below `schema/`. `kms-asc.json` has messages, queries and answers together, as tools for
/// contracts read it; `raw/` has the same one by one, and the data that messages return.
pub fn files() -> BTreeMap<String, String> {
    let api = generate_api! { instantiate: InstantiateMsg, execute: ExecuteMsg, query: QueryMsg }.render();
    let outcomes = schema_for!(OutcomesData<ItemOutcome>);
    let data = [
        ("submit_request", schema_for!(SubmitRequestData)),
        ("submit_requests", schema_for!(SubmitRequestsData)),
        ("submit_responses", outcomes.clone()),
        ("submit_failures", outcomes),
        ("close", schema_for!(OutcomesData<CloseOutcome>)),
    ];
    let data = data.map(|(message, schema)| {
        (format!("data_of_{message}.json"), serde_json::to_string_pretty(&schema).expect("schemas are JSON"))
    });
    let raw = api.to_schema_files().expect("schemas are JSON");
    let raw = raw.into_iter().chain(data).map(|(name, json)| (format!("raw/{name}"), json));
    let all = ("kms-asc.json".to_owned(), api.to_string().expect("schemas are JSON"));
    raw.chain([all]).map(|(name, json)| (name, json + "\n")).collect()
}
