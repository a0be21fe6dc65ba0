//! Whom an owner trusts, and until when.

use cosmwasm_std::Addr;
use kms_asc_api::event::{Event, GrantEvent};
use kms_asc_api::log::LogBody;
use kms_asc_api::{ExecuteMsg, GrantRecord, GrantView, KeyId, Page, QueryMsg};

use crate::suite::{START, Suite, account};

fn grant(key_id: KeyId, grantee: &Addr, until: Option<u64>) -> ExecuteMsg {
    ExecuteMsg::Grant { key_id, grantee: grantee.to_string(), until }
}

fn revoke(key_id: KeyId, grantee: &Addr) -> ExecuteMsg {
    ExecuteMsg::Revoke { key_id, grantee: grantee.to_string() }
}

fn grants(suite: &Suite, key_id: KeyId) -> Vec<GrantView> {
    let page: Page<GrantView, String> =
        suite.query(&QueryMsg::Grants { key_id, start_after: None, limit: Some(30) }).unwrap();
    assert_eq!(page.next, None);
    page.items
}

fn holds(suite: &Suite, key_id: KeyId, grantee: &Addr) -> Option<bool> {
    let views = grants(suite, key_id);
    views.iter().find(|view| view.grant.grantee == grantee.as_str()).map(|view| view.holds)
}

#[test]
fn a_grant_is_recorded_with_its_generation_and_last_second() {
    let mut suite = Suite::new();
    let (key_id, owner, friend) = (suite.key(), suite.owner(), account("friend"));
    suite.at(START + 5);
    let done = suite.done(&owner, &grant(key_id, &friend, Some(START + 5)));
    let grantee = friend.to_string();
    assert_eq!(done.events, [Event::Grant { key_id, grantee: grantee.clone(), what: GrantEvent::Granted }]);
    let expected =
        GrantRecord { key_id, grantee, generation: 1, until: Some(START + 5), height: 101, time: START + 5 };
    assert_eq!(suite.log().pop().unwrap().body, LogBody::Granted { grant: expected.clone() });
    assert_eq!(grants(&suite, key_id), [GrantView { grant: expected, holds: true }]);
}

#[test]
fn a_grant_holds_through_its_last_second_and_no_longer() {
    let mut suite = Suite::new();
    let (key_id, owner, friend) = (suite.key(), suite.owner(), account("friend"));
    suite.done(&owner, &grant(key_id, &friend, Some(START + 10)));
    suite.at(START + 10);
    assert_eq!(holds(&suite, key_id, &friend), Some(true));
    suite.at(START + 11);
    assert_eq!(holds(&suite, key_id, &friend), Some(false));
    suite.done(&owner, &grant(key_id, &friend, None));
    suite.at(START + 1_000_000_000);
    assert_eq!(holds(&suite, key_id, &friend), Some(true), "a later grant replaces an earlier one");
}

#[test]
fn a_grant_that_is_over_already_or_to_nobody_is_refused() {
    let mut suite = Suite::new();
    let (key_id, owner) = (suite.key(), suite.owner());
    suite.at(START + 10);
    assert_eq!(suite.refused(&owner, &grant(key_id, &account("friend"), Some(START + 9))), "malformed");
    let nobody = ExecuteMsg::Grant { key_id, grantee: "nobody".to_owned(), until: None };
    assert_eq!(suite.refused(&owner, &nobody), "invalid_address");
    assert_eq!(grants(&suite, key_id), []);
}

#[test]
fn a_grant_that_is_taken_back_is_gone() {
    let mut suite = Suite::new();
    let (key_id, owner, friend) = (suite.key(), suite.owner(), account("friend"));
    assert_eq!(suite.refused(&owner, &revoke(key_id, &friend)), "not_found");
    suite.done(&owner, &grant(key_id, &friend, None));
    let given = grants(&suite, key_id).remove(0).grant;
    let done = suite.done(&owner, &revoke(key_id, &friend));
    let grantee = friend.to_string();
    assert_eq!(done.events, [Event::Grant { key_id, grantee, what: GrantEvent::Revoked }]);
    assert_eq!(suite.log().pop().unwrap().body, LogBody::Revoked { grant: given });
    assert_eq!(grants(&suite, key_id), []);
    assert_eq!(suite.refused(&owner, &revoke(key_id, &friend)), "not_found");
}

#[test]
fn a_new_owner_ends_all_grants_and_none_comes_back_by_a_second_handover() {
    let mut suite = Suite::new();
    let (key_id, owner, next) = (suite.key(), suite.owner(), account("next owner"));
    let friends = ["friend", "foe"].map(account);
    friends.iter().for_each(|friend| drop(suite.done(&owner, &grant(key_id, friend, None))));
    let hand_over = |suite: &mut Suite, from: &Addr, to: &Addr| {
        suite.done(from, &ExecuteMsg::OfferKey { key_id, to: to.to_string() });
        suite.done(to, &ExecuteMsg::AcceptKey { key_id });
    };
    hand_over(&mut suite, &owner, &next);
    assert!(grants(&suite, key_id).iter().all(|view| !view.holds), "void, and still to be seen");
    suite.done(&next, &grant(key_id, &friends[0], None));
    assert_eq!(holds(&suite, key_id, &friends[0]), Some(true));
    hand_over(&mut suite, &next, &owner);
    assert!(grants(&suite, key_id).iter().all(|view| !view.holds));
    suite.done(&owner, &revoke(key_id, &friends[1]));
    assert_eq!(holds(&suite, key_id, &friends[1]), None);
}

#[test]
fn grants_of_one_key_are_none_of_another_and_their_pages_join() {
    let mut suite = Suite::new();
    let (key_id, other, owner) = (suite.key(), suite.key(), suite.owner());
    let mut all: Vec<String> =
        (0..7).map(|number| account(&format!("friend {number}")).to_string()).collect();
    for grantee in &all {
        suite.done(&owner, &ExecuteMsg::Grant { key_id, grantee: grantee.clone(), until: None });
    }
    all.sort();
    let (mut seen, mut start_after) = (Vec::new(), None);
    loop {
        let query = QueryMsg::Grants { key_id, start_after, limit: Some(3) };
        let page: Page<GrantView, String> = suite.query(&query).unwrap();
        assert!(page.items.len() <= 3);
        seen.extend(page.items.into_iter().map(|view| view.grant.grantee));
        start_after = page.next;
        if start_after.is_none() {
            break;
        }
    }
    assert_eq!(seen, all);
    assert_eq!(grants(&suite, other), []);
    let unknown = QueryMsg::Grants { key_id: KeyId(9), start_after: None, limit: None };
    assert!(suite.query::<Page<GrantView, String>>(&unknown).unwrap_err().text.contains("[unknown_key]"));
}
