//! Sets of operators that follow each other, and their end.

use cosmwasm_std::Uint128;
use kms_asc_api::event::Event;
use kms_asc_api::log::LogBody;
use kms_asc_api::{
    Answer, CloseOutcome, Epoch, EpochId, EpochMode, ExecuteMsg, FailureCode, ItemOutcome, Page, QueryMsg,
    State,
};

use crate::suite::{START, Suite, SuiteBuilder, account, key_gen, payout, terms, word};

fn set(epoch: &Epoch) -> ExecuteMsg {
    ExecuteMsg::SetEpoch { epoch: Box::new(epoch.clone()) }
}

fn revoke(id: u32) -> ExecuteMsg {
    ExecuteMsg::RevokeEpoch { epoch: EpochId(id) }
}

/// The second set of operators: four others, three of whom decide.
fn second() -> Epoch {
    let mut epoch = Epoch { id: EpochId(2), ..terms::epoch(EpochMode::Threshold, 4, 1, 3) };
    for (party, other) in epoch.parties.iter_mut().zip(11..) {
        *party = kms_asc_api::Party { party: party.party, ..terms::party(other) };
    }
    epoch
}

#[test]
fn the_next_epoch_takes_new_keys_and_leaves_the_old_ones_where_they_are() {
    let mut suite = Suite::threshold();
    let (admin, key_id) = (suite.admin(), suite.key());
    let pending = suite.request(&suite.owner(), key_gen());
    let done = suite.done(&admin, &set(&second()));
    assert_eq!(done.events, [Event::Epoch { epoch: EpochId(2) }]);
    assert_eq!(suite.log().pop().unwrap().body, LogBody::EpochSet { epoch: second() });
    assert_eq!(suite.query::<Epoch>(&QueryMsg::Epoch { id: None }).unwrap(), second());
    assert_eq!(suite.query::<Epoch>(&QueryMsg::Epoch { id: Some(EpochId(1)) }).unwrap(), suite.epoch);

    let on_old_key = suite.decryption(key_id);
    let new_key = suite.request(&suite.owner(), key_gen());
    let epoch_of = |id| suite.view(id).body.epoch;
    assert_eq!([pending, on_old_key, new_key].map(epoch_of), [1, 1, 2].map(|id| Some(EpochId(id))));
    suite.respond((1..=3).map(|party| suite.answer(on_old_key, party, &word(7))).collect());
    assert_eq!(suite.view(on_old_key).state, State::Fulfilled);
}

/// Rotation of a signer and a payout address: the same operator, the next epoch.
#[test]
fn an_epochs_answers_count_for_its_own_requests_only_and_are_paid_to_its_own_addresses() {
    let mut suite = Suite::threshold();
    suite.done(&suite.admin(), &set(&second()));
    let old = suite.epoch.clone();
    suite.epoch = second();
    let id = suite.request(&suite.owner(), key_gen());
    let payload = suite.key_payload(id);
    // `answer` signs with the seed of the party's number: those are the first epoch's signers.
    let outcomes = suite.respond((1..=4).map(|party| suite.answer(id, party, &payload)).collect());
    assert!(outcomes.iter().all(|outcome| matches!(outcome, ItemOutcome::Rejected(_))), "{outcomes:?}");
    let of_the_first = Answer { epoch: old.id, ..suite.answer(id, 1, &payload) };
    let outcomes = suite.respond(vec![of_the_first]);
    assert_eq!(outcomes, [ItemOutcome::Rejected(kms_asc_api::RejectReason::WrongEpoch)]);

    let answers = (1..=3).map(|party| suite.answer_signed_by(id, party, party + 10, &payload)).collect();
    assert_eq!(suite.respond(answers), [ItemOutcome::Recorded; 3]);
    assert_eq!(suite.view(id).state, State::Fulfilled);
    assert_eq!((suite.credit(&payout(1)), suite.credit(&payout(11))), (0, 300));
}

#[test]
fn an_epoch_that_does_not_follow_or_breaks_a_rule_is_refused() {
    let mut suite = Suite::threshold();
    let admin = suite.admin();
    type Change = fn(&mut Epoch);
    let cases: [(&str, Change, &str); 9] = [
        ("the same again", |e| e.id = EpochId(1), "invalid_epoch"),
        ("a gap", |e| e.id = EpochId(3), "invalid_epoch"),
        ("none", |e| e.id = EpochId(0), "invalid_epoch"),
        ("revoked from birth", |e| e.revoked_at = Some(1), "invalid_epoch"),
        ("nobody", |e| e.parties.clear(), "invalid_epoch"),
        ("a majority of the faulty", |e| e.majority = 2, "invalid_epoch"),
        ("two with one signer", |e| e.parties[1].signer = e.parties[0].signer, "invalid_epoch"),
        ("two with one number", |e| e.parties[1].party = e.parties[0].party, "invalid_epoch"),
        ("payout to nowhere", |e| e.parties[0].payout = "nowhere".to_owned(), "invalid_address"),
    ];
    for (what, change, code) in cases {
        let mut epoch = second();
        change(&mut epoch);
        assert_eq!(suite.refused(&admin, &set(&epoch)), code, "{what}");
    }
}

/// 25 of the lowest price for each of four, so 12 for a fault; among fifteen, 6 for each would be too little.
#[test]
fn more_operators_than_the_prices_feed_are_refused() {
    let mut suite = SuiteBuilder::threshold().config(|c| c.failure_fee = Uint128::new(12)).build();
    let admin = suite.admin();
    let many = Epoch { id: EpochId(2), ..terms::epoch(EpochMode::Threshold, 15, 4, 11) };
    assert_eq!(suite.refused(&admin, &set(&many)), "invalid_config");
    let mut config = suite.config.clone();
    config.failure_fee = Uint128::new(3);
    suite.config = config.clone();
    suite.done(&admin, &ExecuteMsg::UpdateConfig { config: Box::new(config) });
    suite.done(&admin, &set(&many));
}

#[test]
fn an_epoch_is_revoked_once_and_only_if_it_exists() {
    let mut suite = Suite::new();
    let admin = suite.admin();
    assert_eq!(suite.refused(&admin, &revoke(2)), "not_found");
    suite.at(START + 7);
    let done = suite.done(&admin, &revoke(1));
    assert_eq!(done.events, [Event::Epoch { epoch: EpochId(1) }]);
    let revoked = Epoch { revoked_at: Some(START + 7), ..suite.epoch.clone() };
    assert_eq!(suite.log().pop().unwrap().body, LogBody::EpochRevoked { epoch: revoked.clone() });
    assert_eq!(suite.query::<Epoch>(&QueryMsg::Epoch { id: Some(EpochId(1)) }).unwrap(), revoked);
    assert_eq!(suite.refused(&admin, &revoke(1)), "invalid_epoch");
}

#[test]
fn answers_of_a_revoked_epoch_are_late_and_closing_gives_all_back() {
    let mut suite = Suite::threshold();
    let (admin, key_id) = (suite.admin(), suite.key());
    let before = suite.balance(&suite.owner());
    let half = suite.decryption(key_id);
    suite.respond((1..=2).map(|party| suite.answer(half, party, &word(7))).collect());
    let silent = suite.decryption(key_id);
    suite.at(START + 7);
    suite.done(&admin, &revoke(1));

    for id in [half, silent] {
        let view = suite.view(id);
        assert_eq!((view.state, view.due), (State::Failed, true));
    }
    assert_eq!(suite.respond(vec![suite.answer(half, 3, &word(7))]), [ItemOutcome::Late]);
    let failure = suite.failure(silent, 1, FailureCode::WrongType, 0);
    assert_eq!(suite.report(vec![failure]), [ItemOutcome::Late]);
    let earned = suite.credit(&payout(1));
    assert_eq!(suite.close(&[half, silent]), [CloseOutcome::Closed(State::Failed); 2]);
    for id in [half, silent] {
        let view = suite.view(id);
        assert_eq!((view.state, view.code, view.due), (State::Failed, Some(5), false));
    }
    assert_eq!(suite.balance(&suite.owner()), before);
    assert_eq!(suite.credit(&payout(1)), earned, "nobody is paid for what did not decide");
}

/// Revocation does not reach back: what was over before stays what it was to be.
#[test]
fn a_request_whose_end_came_before_the_revocation_expires() {
    let mut suite = Suite::new();
    let (admin, id) = (suite.admin(), suite.request(&suite.owner(), key_gen()));
    suite.at(START + 60);
    suite.done(&admin, &revoke(1));
    assert_eq!(suite.close(&[id]), [CloseOutcome::Closed(State::Expired)]);
}

#[test]
fn epochs_are_listed_in_order_and_their_pages_join() {
    let mut suite = SuiteBuilder::threshold().config(|c| c.failure_fee = Uint128::new(1)).build();
    let admin = suite.admin();
    let mut expected = vec![suite.epoch.clone()];
    for id in 2..=5 {
        let epoch = Epoch { id: EpochId(id), ..second() };
        suite.done(&admin, &set(&epoch));
        expected.push(epoch);
    }
    let (mut seen, mut start_after) = (Vec::new(), None);
    loop {
        let page: Page<Epoch, EpochId> =
            suite.query(&QueryMsg::Epochs { start_after, limit: Some(2) }).unwrap();
        seen.extend(page.items);
        start_after = page.next;
        if start_after.is_none() {
            break;
        }
    }
    assert_eq!(seen, expected);
}

/// Whatever was asked for, a page of the largest epochs must fit one query's gas.
#[test]
fn a_page_of_large_epochs_ends_before_its_limit() {
    let builder = SuiteBuilder::centralized().config(|c| {
        (c.failure_fee, c.limits.page) = (Uint128::new(1), 100);
    });
    let mut suite = builder.build();
    let admin = suite.admin();
    for id in 2..=20 {
        let epoch = Epoch { id: EpochId(id), ..terms::epoch(EpochMode::Replicated, 31, 15, 16) };
        suite.done(&admin, &set(&epoch));
    }
    let all = QueryMsg::Epochs { start_after: None, limit: Some(100) };
    let page: Page<Epoch, EpochId> = suite.query(&all).unwrap();
    assert_eq!(page.next, page.items.last().map(|epoch| epoch.id));
    assert!(page.items.len() < 15, "{} epochs of 31 parties on one page", page.items.len());
}

#[test]
fn only_the_admin_sets_and_revokes_epochs() {
    let mut suite = Suite::new();
    for sender in [suite.owner(), suite.stranger(), payout(1), account("creator")] {
        for msg in [set(&second()), revoke(1)] {
            assert_eq!(suite.refused(&sender, &msg), "unauthorized");
        }
    }
}
