//! `why_pending`: who has spoken, who is silent, how long they have.

use kms_asc_api::{
    EpochId, ExecuteMsg, FailureCode, PartyId, QueryMsg, RequestId, Standing, State, WhyPending, state_key,
};

use crate::suite::{START, Suite, ciphertext, key_gen, public_decrypt, word};

fn why(suite: &Suite, request_id: RequestId) -> WhyPending {
    suite.query(&QueryMsg::WhyPending { request_id }).unwrap()
}

#[test]
fn each_party_is_shown_as_answered_failed_or_silent_with_the_time_that_is_left() {
    let mut suite = Suite::threshold();
    let key_id = suite.key();
    let id = suite.decryption(key_id);
    suite.respond(vec![suite.answer(id, 2, &word(7))]);
    suite.report(vec![suite.failure(id, 4, FailureCode::WrongType, 0)]);
    suite.at(START + 20);
    let said = why(&suite, id);
    assert_eq!((said.request_id, said.state, said.due), (id, State::Pending, false));
    assert_eq!((said.end, said.seconds_left, said.needed), (Some(START + 60), 40, 3));
    let standings: Vec<_> = said.parties.iter().map(|party| (party.party, &party.standing)).collect();
    let failed = Standing::Failed { code: FailureCode::WrongType };
    assert_eq!(
        standings,
        [
            (PartyId(1), &Standing::Silent),
            (PartyId(2), &Standing::Answered),
            (PartyId(3), &Standing::Silent),
            (PartyId(4), &failed),
        ]
    );
    assert_eq!(said.parties[0].name, "operator 1");
}

#[test]
fn a_cancellation_brings_the_end_nearer_and_a_late_word_is_silence() {
    let mut suite = Suite::threshold();
    let owner = suite.owner();
    let id = suite.request(&owner, key_gen());
    suite.execute(&owner, &ExecuteMsg::Cancel { request_id: id }, &[]).unwrap();
    assert_eq!((why(&suite, id).end, why(&suite, id).seconds_left), (Some(START + 10), 10));
    suite.at(START + 10);
    let payload = suite.key_payload(id);
    suite.respond(vec![suite.answer(id, 1, &payload)]);
    let said = why(&suite, id);
    assert_eq!((said.state, said.due, said.seconds_left), (State::Cancelled, true, 0));
    assert!(said.parties.iter().all(|party| party.standing == Standing::Silent));
    suite.close(&[id]);
    assert_eq!((why(&suite, id).state, why(&suite, id).due), (State::Cancelled, false));
}

#[test]
fn a_request_that_has_ended_shows_who_decided_it_and_no_time() {
    let mut suite = Suite::new();
    let key_id = suite.key();
    let said = why(&suite, RequestId(key_id.get()));
    assert_eq!((said.state, said.due, said.seconds_left, said.needed), (State::Fulfilled, false, 0, 1));
    assert_eq!(said.parties[0].standing, Standing::Answered);
    let denied = suite.submit(&suite.stranger(), public_decrypt(key_id, vec![ciphertext(1)]), 117).unwrap();
    let said = why(&suite, denied.request_id);
    assert_eq!((said.state, said.end, said.needed, said.parties.len()), (State::Denied, None, 0, 0));
    let refusal = suite.query::<WhyPending>(&QueryMsg::WhyPending { request_id: RequestId(9) }).unwrap_err();
    assert!(refusal.text.contains("[unknown_request]"), "{}", refusal.text);
}

#[test]
fn a_revoked_epoch_has_no_time_left() {
    let mut suite = Suite::new();
    let id = suite.request(&suite.owner(), key_gen());
    suite.at(START + 7);
    suite.change_state(|storage| {
        let mut epoch = state_key::EPOCH.load(storage, EpochId(1).get()).unwrap();
        epoch.revoked_at = Some(START + 7);
        state_key::EPOCH.save(storage, EpochId(1).get(), &epoch).unwrap();
    });
    let said = why(&suite, id);
    assert_eq!((said.state, said.due, said.end), (State::Failed, true, Some(START + 7)));
    assert_eq!(said.seconds_left, 0);
}
