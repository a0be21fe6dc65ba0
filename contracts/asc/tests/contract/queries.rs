//! Queries: what they show, and how their pages join.

use kms_asc_api::log::LogHead;
use kms_asc_api::{
    Config, DomainView, Epoch, EpochId, FailureCode, KeyId, KeyRecord, LogPage, Page, PartyId, QueryMsg,
    Quote, RequestId, RequestView, ResponseView, State, Version,
};
use serde::de::DeserializeOwned;

use crate::suite::{START, Suite, SuiteBuilder, ciphertext, key_gen, public_decrypt, signature, word};

/// The text of the refusal that a query gets.
fn refused(suite: &Suite, query: &QueryMsg) -> String {
    suite.query::<serde_json::Value>(query).unwrap_err().text
}

#[test]
fn parameters_operators_and_version_are_public() {
    let suite = Suite::threshold();
    assert_eq!(suite.query::<Config>(&QueryMsg::Config {}).unwrap(), suite.config);
    for id in [None, Some(EpochId(1))] {
        assert_eq!(suite.query::<Epoch>(&QueryMsg::Epoch { id }).unwrap(), suite.epoch);
    }
    assert!(refused(&suite, &QueryMsg::Epoch { id: Some(EpochId(2)) }).contains("[not_found]"));
    let version: Version = suite.query(&QueryMsg::Version {}).unwrap();
    assert_eq!((version.version.as_str(), version.state), (env!("CARGO_PKG_VERSION"), 2));
    assert_eq!(version.contract, "kms-asc");
}

#[test]
fn a_key_is_found_by_its_id_and_by_its_domain() {
    let mut suite = Suite::new();
    let key_id = suite.key();
    let key: KeyRecord = suite.query(&QueryMsg::Key { id: key_id }).unwrap();
    assert_eq!((key.id, key.owner), (key_id, suite.owner().to_string()));
    let by_domain = |separator| QueryMsg::Domain { separator };
    let found: DomainView = suite.query(&by_domain(key.domain.separator())).unwrap();
    assert_eq!(found.key_id, key_id);
    let other = suite.default_domain(KeyId(2)).separator();
    assert!(refused(&suite, &by_domain(other)).contains("[not_found]"));
    assert!(refused(&suite, &QueryMsg::Key { id: KeyId(2) }).contains("[unknown_key]"));
}

#[test]
fn what_does_not_exist_is_an_error_with_a_code() {
    let mut suite = Suite::new();
    let id = suite.request(&suite.owner(), key_gen());
    let (unknown, party) = (RequestId(9), PartyId(1));
    let cases = [
        (QueryMsg::Request { id: unknown }, "[unknown_request] there is no request 9"),
        (QueryMsg::Responses { request_id: unknown }, "[unknown_request]"),
        (QueryMsg::Response { request_id: unknown, party }, "[not_found]"),
        (QueryMsg::Response { request_id: id, party }, "[not_found] there is no response of party 1"),
        (QueryMsg::Credit { address: "nobody".to_owned() }, "[invalid_address]"),
    ];
    for (query, text) in cases {
        assert!(refused(&suite, &query).contains(text), "{query:?}: {}", refused(&suite, &query));
    }
}

#[test]
fn a_due_request_shows_the_state_that_closing_gives() {
    let mut suite = Suite::new();
    let id = suite.request(&suite.owner(), key_gen());
    suite.at(START + 59);
    assert_eq!((suite.view(id).state, suite.view(id).due), (State::Pending, false));
    suite.at(START + 60);
    let view = suite.view(id);
    assert_eq!((view.state, view.due, view.time), (State::Expired, true, START));
    let by_state =
        |state| QueryMsg::Requests { state: Some(state), requester: None, start_after: None, limit: None };
    assert_eq!(
        suite.query::<Page<RequestView, RequestId>>(&by_state(State::Expired)).unwrap().items.len(),
        1
    );
    assert!(suite.query::<Page<RequestView, RequestId>>(&by_state(State::Pending)).unwrap().items.is_empty());
    let open: Page<RequestId, RequestId> =
        suite.query(&QueryMsg::Open { start_after: None, limit: None }).unwrap();
    assert_eq!(open.items, [id], "whoever closes requests finds it here");
}

#[test]
fn answers_failures_and_late_items_each_show_what_is_kept_of_them() {
    let mut suite = Suite::threshold();
    let key_id = suite.key();
    let id = suite.decryption(key_id);
    let (answer, failure) = (suite.answer(id, 1, &word(7)), suite.failure(id, 2, FailureCode::WrongType, 0));
    suite.respond(vec![answer.clone()]);
    suite.report(vec![failure.clone()]);
    suite.at(START + 60);
    let late = suite.answer(id, 4, &word(7));
    suite.respond(vec![late.clone()]);

    let all: Vec<ResponseView> = suite.query(&QueryMsg::Responses { request_id: id }).unwrap();
    let [first, second, third] = &all[..] else { panic!("three responses, not {}", all.len()) };
    assert_eq!((first.party, first.outcome, first.late), (PartyId(1), 0, false));
    assert_eq!(first.payload.as_deref(), Some(word(7).as_slice()));
    assert_eq!(
        (first.receipt, first.external_signature),
        (signature(&answer.receipt), answer.external_signature.as_ref().map(signature))
    );
    assert_eq!((second.party, second.outcome, second.index), (PartyId(2), 4, Some(0)));
    assert_eq!((second.payload.clone(), second.receipt), (None, signature(&failure.receipt)));
    assert_eq!((third.party, third.late, third.payload.clone()), (PartyId(4), true, None));
    assert_eq!((third.payload_digest, third.receipt), (first.payload_digest, signature(&late.receipt)));
    for view in &all {
        let query = QueryMsg::Response { request_id: id, party: view.party };
        assert_eq!(&suite.query::<ResponseView>(&query).unwrap(), view);
    }
}

/// All items of a list, page by page.
fn walk<T, C, Q>(suite: &Suite, query: Q) -> Vec<Vec<T>>
where
    T: DeserializeOwned,
    C: DeserializeOwned,
    Q: Fn(Option<C>) -> QueryMsg,
{
    let mut pages = Vec::new();
    let mut start_after = None;
    loop {
        let page: Page<T, C> = suite.query(&query(start_after)).unwrap();
        pages.push(page.items);
        start_after = page.next;
        if start_after.is_none() {
            return pages;
        }
    }
}

#[test]
fn pages_of_requests_join_and_filters_hold() {
    let mut suite = Suite::new();
    let key_id = suite.key();
    for _ in 0..3 {
        suite.decryption(key_id);
        suite.submit(&suite.stranger(), public_decrypt(key_id, vec![ciphertext(1)]), 117).unwrap();
    }
    suite.respond(vec![suite.answer(RequestId(2), 1, &word(7))]);
    let list = |state: Option<State>, requester: Option<String>, limit: u32| -> Vec<Vec<u64>> {
        let query = |start_after| QueryMsg::Requests {
            state,
            requester: requester.clone(),
            start_after,
            limit: Some(limit),
        };
        let pages = walk::<RequestView, RequestId, _>(&suite, query).into_iter();
        pages.map(|page| page.iter().map(|view| view.body.id.get()).collect()).collect()
    };
    let (owner, stranger) = (Some(suite.owner().to_string()), Some(suite.stranger().to_string()));
    assert_eq!(list(None, None, 3), [vec![1, 2, 3], vec![4, 5, 6], vec![7]]);
    assert_eq!(list(None, None, 7), [[1, 2, 3, 4, 5, 6, 7]]);
    assert_eq!(list(None, None, 0)[0], [1], "a page has at least one item");
    assert_eq!(list(None, stranger.clone(), 2), [vec![3, 5], vec![7]]);
    assert_eq!(list(Some(State::Denied), None, 30), [[3, 5, 7]]);
    assert_eq!(list(Some(State::Fulfilled), owner.clone(), 30), [[1, 2]]);
    assert_eq!(list(Some(State::Pending), owner, 30), [[4, 6]]);
    assert_eq!(list(Some(State::Pending), stranger, 30), [Vec::<u64>::new()]);
    let beyond = QueryMsg::Requests {
        state: None,
        requester: None,
        start_after: Some(RequestId(u64::MAX)),
        limit: None,
    };
    let page: Page<RequestView, RequestId> = suite.query(&beyond).unwrap();
    assert_eq!((page.items.len(), page.next), (0, None));
}

/// However many requests there are, one query looks at 120 of them and says where to go on.
#[test]
fn a_scan_that_finds_nothing_ends_and_can_be_resumed() {
    let mut suite = SuiteBuilder::centralized().config(|c| c.limits.pending_per_requester = 300).build();
    let msg =
        kms_asc_api::ExecuteMsg::SubmitRequest { operation: Box::new(key_gen()), ttl: None, callback: None };
    let message = suite.message(&msg, cosmwasm_std::coins(1003, crate::suite::DENOM));
    suite.execute_all(&suite.owner(), vec![message; 200]).unwrap();
    let query = |start_after| QueryMsg::Requests {
        state: Some(State::Failed),
        requester: None,
        start_after,
        limit: None,
    };
    let first: Page<RequestView, RequestId> = suite.query(&query(None)).unwrap();
    assert_eq!((first.items.len(), first.next), (0, Some(RequestId(120))));
    let second: Page<RequestView, RequestId> = suite.query(&query(first.next)).unwrap();
    assert_eq!((second.items.len(), second.next), (0, None));
}

/// A query's gas pays for bytes read, whether they match the filter or not.
#[test]
fn a_scan_of_large_requests_ends_early_and_loses_none() {
    let mut suite = SuiteBuilder::centralized()
        .config(|c| (c.limits.ciphertexts, c.limits.payload, c.limits.bytes) = (100, 65_536, 1 << 30))
        .build();
    let key_id = suite.key();
    let many: Vec<_> = (0..100).map(|_| ciphertext(1)).collect();
    for _ in 0..16 {
        suite.submit(&suite.stranger(), public_decrypt(key_id, many.clone()), 10_000).unwrap();
    }
    let denied = |start_after| QueryMsg::Requests {
        state: Some(State::Denied),
        requester: None,
        start_after,
        limit: Some(50),
    };
    let pages = walk::<RequestView, RequestId, _>(&suite, denied);
    assert!(pages.len() > 1, "all on one page");
    assert_eq!(pages.iter().map(Vec::len).sum::<usize>(), 16);
}

#[test]
fn pages_of_open_requests_and_keys_join() {
    let mut suite = Suite::new();
    let keys: Vec<KeyId> = (0..3).map(|_| suite.key()).collect();
    let open: Vec<RequestId> = keys.iter().map(|key_id| suite.decryption(*key_id)).collect();
    let ids =
        |limit| walk::<RequestId, RequestId, _>(&suite, |start_after| QueryMsg::Open { start_after, limit });
    assert_eq!(ids(Some(2)), [&open[..2], &open[2..]]);
    assert_eq!(ids(Some(3)), [&open[..]]);
    assert_eq!(ids(None), [&open[..]]);
    let pages =
        walk::<KeyRecord, KeyId, _>(&suite, |start_after| QueryMsg::Keys { start_after, limit: Some(2) });
    let found: Vec<Vec<KeyId>> = pages.iter().map(|page| page.iter().map(|key| key.id).collect()).collect();
    assert_eq!(found, [&keys[..2], &keys[2..]]);
}

#[test]
fn no_page_is_longer_than_the_parameters_allow() {
    let mut suite = SuiteBuilder::centralized().config(|c| c.limits.page = 2).build();
    for _ in 0..3 {
        suite.request(&suite.owner(), key_gen());
    }
    for limit in [None, Some(3), Some(u32::MAX)] {
        let requests = QueryMsg::Requests { state: None, requester: None, start_after: None, limit };
        let page: Page<RequestView, RequestId> = suite.query(&requests).unwrap();
        assert_eq!((page.items.len(), page.next), (2, Some(RequestId(2))));
        let page: Page<RequestId, RequestId> =
            suite.query(&QueryMsg::Open { start_after: None, limit }).unwrap();
        assert_eq!((page.items.len(), page.next), (2, Some(RequestId(2))));
        let page: LogPage = suite.query(&QueryMsg::Log { from: 1, limit }).unwrap();
        assert_eq!((page.entries.len(), page.next), (2, Some(3)));
    }
    let head: LogHead = suite.query(&QueryMsg::LogHead {}).unwrap();
    assert_eq!(head.count, 6);
}

#[test]
fn a_quote_names_price_denomination_and_the_cost_of_a_denial() {
    let suite = Suite::new();
    let quote = QueryMsg::Quote { operation: Box::new(key_gen()), callback: None };
    let Quote { price, denom, denial_fee } = suite.query(&quote).unwrap();
    assert_eq!((price.u128(), denom.as_str(), denial_fee.u128()), (1003, "ukms", 21));
}
