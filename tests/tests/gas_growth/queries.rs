//! What list queries cost. A node does not say what a query used, but it refuses one that uses more than its
//! limit: so it is started with one limit after the other.

use std::{collections::BTreeMap, path::Path};

use anyhow::Result;
use kms_asc_api::{QueryMsg, RequestId, State};
use kms_chain::Client;
use kms_e2e::LARGEST_PAGE;
use kms_localnet::{Lifetime, Stack, StackOptions};

/// Limits that are tried, each this much over the one before.
const STEP: u64 = 100_000;
/// The last one that is tried; who needs more has failed.
pub const MOST: u64 = 1_000_000;

/// Every list with its largest page, where most is stored.
fn lists(newest: u64) -> Vec<(&'static str, QueryMsg)> {
    let limit = Some(LARGEST_PAGE);
    let requests =
        |state, requester, start_after| QueryMsg::Requests { state, requester, start_after, limit };
    let middle = RequestId(newest / 2);
    vec![
        ("requests", requests(None, None, Some(middle))),
        ("requests: none matches", requests(Some(State::Cancelled), None, Some(middle))),
        ("requests: the largest that there can be", requests(None, None, Some(RequestId(newest - 20)))),
        ("open", QueryMsg::Open { start_after: Some(middle), limit }),
        ("keys", QueryMsg::Keys { start_after: None, limit }),
        ("log", QueryMsg::Log { from: newest / 2, limit }),
        ("responses", QueryMsg::Responses { request_id: RequestId(1) }),
    ]
}

/// The lowest limit, in steps, under which each list is given; one step over [`MOST`] for a list that needs more.
pub async fn limits(root: &Path, contract: &str, newest: u64) -> Result<BTreeMap<String, u64>> {
    let mut limits = BTreeMap::new();
    let mut left = lists(newest);
    for limit in (1..=MOST / STEP).map(|step| step * STEP) {
        let mut options = StackOptions::new(Lifetime::Owned);
        options.query_max_gas = limit;
        let mut stack = Stack::open(root, options)?;
        stack.start_chain().await?;
        let client = stack.client()?;
        let mut refused = Vec::new();
        for (name, query) in left {
            if is_given(&client, contract, &query).await? {
                limits.insert(name.to_owned(), limit);
            } else {
                refused.push((name, query));
            }
        }
        stack.stop().await?;
        left = refused;
        if left.is_empty() {
            return Ok(limits);
        }
    }
    limits.extend(left.into_iter().map(|(name, _)| (name.to_owned(), MOST + STEP)));
    Ok(limits)
}

async fn is_given(client: &Client, contract: &str, query: &QueryMsg) -> Result<bool> {
    match client.smart_query::<_, serde_json::Value>(contract, query).await {
        Ok(_) => Ok(true),
        Err(error) if error.to_string().contains("out of gas") => Ok(false),
        Err(error) => Err(error.into()),
    }
}
