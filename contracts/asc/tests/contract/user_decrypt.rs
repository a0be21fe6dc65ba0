//! Answers to users: each party's own, checked in its structure, decided by number.

use kms_asc_api::log::LogBody;
use kms_asc_api::payload::UserPayload;
use kms_asc_api::{
    Answer, Digest, EpochMode, FailureCode, FheType, ItemOutcome, Operation, PartyId, RejectReason,
    RequestId, State,
};

use crate::suite::{Suite, SuiteBuilder, ciphertext, payout, sign, terms, typed_ciphertext};

const RECORDED: ItemOutcome = ItemOutcome::Recorded;
const MALFORMED: ItemOutcome = ItemOutcome::Rejected(RejectReason::Payload);

/// A decryption of two values, asked for by the key's owner.
fn pending(suite: &mut Suite) -> RequestId {
    let key = suite.imported_key("of users");
    let two = vec![ciphertext(1), typed_ciphertext(2, FheType::Uint64)];
    let op = suite.user_decrypt(key, two);
    suite.request(&suite.owner(), Operation::UserDecrypt(op))
}

fn replicated() -> Suite {
    let epoch = terms::epoch(EpochMode::Replicated, 5, 1, 3);
    SuiteBuilder::centralized().epoch(|e| *e = epoch).build()
}

fn decided(suite: &Suite) -> (Option<Digest>, Vec<(u32, u128)>) {
    let LogBody::RequestFulfilled { payload_digest, credits, .. } = suite.log().pop().unwrap().body else {
        panic!("request_fulfilled")
    };
    (payload_digest, credits.iter().map(|c| (c.party.get(), c.amount.u128())).collect())
}

#[test]
fn one_operator_alone_answers_with_whole_values() {
    let mut suite = Suite::new();
    let id = pending(&mut suite);
    assert_eq!(suite.respond(vec![suite.user_answer(id, 1)]), [RECORDED]);
    let view = suite.view(id);
    assert_eq!((view.state, view.winner), (State::Fulfilled, Some(PartyId(1))));
    // 151 + 2 * 11 + 3 * ceil(3000 / 1024), of which nine tenths.
    assert_eq!(decided(&suite), (None, vec![(1, 163)]));
}

/// Other answers of the same parties are as good: nobody can compare shares.
#[test]
fn answers_of_as_many_parties_as_reconstruction_needs_decide_and_are_paid() {
    let mut suite = SuiteBuilder::threshold().epoch(|e| (e.majority, e.reconstruction) = (3, 3)).build();
    let id = pending(&mut suite);
    let earned = suite.credit(&payout(1));
    for party in [4, 2] {
        assert_eq!(suite.respond(vec![suite.user_answer(id, party)]), [RECORDED]);
        assert_eq!(suite.view(id).state, State::Pending);
    }
    assert_eq!(suite.respond(vec![suite.user_answer(id, 3)]), [RECORDED]);
    let view = suite.view(id);
    assert_eq!((view.state, view.winner), (State::Fulfilled, Some(PartyId(2))));
    assert_eq!(decided(&suite), (None, vec![(2, 54), (3, 54), (4, 54)]));
    assert_eq!(suite.respond(vec![suite.user_answer(id, 1)]), [ItemOutcome::Late]);
    assert_eq!(suite.credit(&payout(1)), earned, "who was not needed earns nothing");
}

#[test]
fn operators_who_each_hold_the_whole_key_decide_by_majority() {
    let mut suite = replicated();
    let id = pending(&mut suite);
    assert_eq!(suite.epoch.reconstruction, 3);
    for (party, state) in [(5, State::Pending), (1, State::Pending), (2, State::Fulfilled)] {
        assert_eq!(suite.respond(vec![suite.user_answer(id, party)]), [RECORDED]);
        assert_eq!(suite.view(id).state, state);
    }
    let mut suite = SuiteBuilder::centralized()
        .epoch(|e| {
            *e = terms::epoch(EpochMode::Replicated, 5, 1, 3);
            e.reconstruction = 1;
        })
        .build();
    let id = pending(&mut suite);
    suite.respond(vec![suite.user_answer(id, 1)]);
    assert_eq!(suite.view(id).state, State::Pending, "one answer is none to compare with");
}

#[test]
fn a_user_decryption_fails_as_soon_as_the_silent_cannot_save_it() {
    let mut suite = Suite::threshold();
    let id = pending(&mut suite);
    suite.respond(vec![suite.user_answer(id, 1)]);
    suite.report(vec![suite.failure(id, 2, FailureCode::UserSignature, u16::MAX)]);
    assert_eq!(suite.view(id).state, State::Pending);
    let before = suite.balance(&suite.owner());
    suite.report(vec![suite.failure(id, 3, FailureCode::UserSignature, u16::MAX)]);
    let view = suite.view(id);
    assert_eq!((view.state, view.reason.as_deref()), (State::Failed, Some("user_signature")));
    assert_eq!(suite.balance(&suite.owner()), before + 182);
}

fn answer_with(
    suite: &Suite,
    id: RequestId,
    party: u32,
    change: impl FnOnce(&mut UserPayload<'_>),
) -> Answer {
    suite.answer(id, party, &suite.changed_user_payload(id, party, change))
}

#[test]
fn an_answer_must_be_built_for_this_request_by_this_party() {
    let mut suite = Suite::threshold();
    let id = pending(&mut suite);
    let other = |party| terms::party(party).signer;
    let answers = [
        ("another party's key", answer_with(&suite, id, 1, |p| p.verification_key = other(2))),
        ("another link", answer_with(&suite, id, 1, |p| p.link = Digest::sha256(b"other"))),
        ("a value left out", answer_with(&suite, id, 1, |p| p.items.truncate(1))),
        ("a value too many", answer_with(&suite, id, 1, |p| p.items.push(p.items[0]))),
        ("no value", answer_with(&suite, id, 1, |p| p.items.clear())),
        ("values in another order", answer_with(&suite, id, 1, |p| p.items.reverse())),
        ("another type", answer_with(&suite, id, 1, |p| p.items[0].fhe_type = FheType::Bool)),
        ("another handle", answer_with(&suite, id, 1, |p| p.items[0].handle = p.items[1].handle)),
        ("no packing", answer_with(&suite, id, 1, |p| p.items[0].packing_factor = 0)),
        ("too much packing", answer_with(&suite, id, 1, |p| p.items[0].packing_factor = 3)),
        ("another place", answer_with(&suite, id, 1, |p| p.party_id = 2)),
        ("a whole value's place", answer_with(&suite, id, 2, |p| p.party_id = 1)),
        ("another degree", answer_with(&suite, id, 1, |p| p.degree = 0)),
    ];
    for (sentence, answer) in answers {
        assert_eq!(suite.respond(vec![answer]), [MALFORMED], "{sentence}");
    }
    let broken = suite.changed_user_payload(id, 1, |p| p.items[1].wire = &[1; 961]);
    let honest = suite.user_payload(id, 1);
    let (cut, longer) = (&honest[..honest.len() - 1], [honest.as_slice(), &[0]].concat());
    for bytes in [&broken[..], &[], &[0], cut, &longer, &honest[8..]] {
        assert_eq!(suite.respond(vec![suite.answer(id, 1, bytes)]), [MALFORMED]);
    }
    assert_eq!(suite.respond(vec![suite.user_answer(id, 1)]), [RECORDED]);
}

#[test]
fn a_whole_answer_has_place_1_degree_0_and_its_types_length() {
    for mut suite in [Suite::new(), replicated()] {
        let id = pending(&mut suite);
        let changes: [&dyn Fn(&mut UserPayload<'_>); 3] =
            [&|p| p.party_id = 2, &|p| p.degree = 1, &|p| p.items[1].packing_factor = 2];
        for change in changes {
            assert_eq!(suite.respond(vec![answer_with(&suite, id, 1, change)]), [MALFORMED]);
        }
        let other_length = suite.changed_user_payload(id, 1, |p| p.items[1].wire = p.items[0].wire);
        assert_eq!(suite.respond(vec![suite.answer(id, 1, &other_length)]), [MALFORMED], "8 bytes in 1");
        assert_eq!(suite.respond(vec![suite.user_answer(id, 1)]), [RECORDED]);
    }
}

#[test]
fn the_external_signature_covers_the_whole_payload() {
    let mut suite = Suite::threshold();
    let id = pending(&mut suite);
    let payload = suite.user_payload(id, 1);
    let other = suite.user_payload(id, 2);
    let wrong = [suite.external_hash(id, &other), Digest::sha256(&payload)];
    for hash in wrong {
        let answer =
            Answer { external_signature: Some(sign(1, &hash).into()), ..suite.answer(id, 1, &payload) };
        assert_eq!(suite.respond(vec![answer]), [ItemOutcome::Rejected(RejectReason::ExternalSignature)]);
    }
    let unsigned = Answer { external_signature: None, ..suite.answer(id, 1, &payload) };
    assert_eq!(suite.respond(vec![unsigned]), [ItemOutcome::Rejected(RejectReason::ExternalSignature)]);
}

/// Otherwise it would be paid for, and nobody could answer.
#[test]
fn a_request_whose_answers_would_be_too_long_is_refused() {
    // Shares are longer than whole values: 560 bytes instead of 8 for a `uint64`.
    for (mode, limit) in [(EpochMode::Centralized, 1129), (EpochMode::Threshold, 1129 - 8 + 520)] {
        for (limit, accepted) in [(limit, true), (limit - 1, false)] {
            let builder = match mode {
                EpochMode::Threshold => SuiteBuilder::threshold(),
                _ => SuiteBuilder::centralized(),
            };
            let mut suite = builder.config(|c| c.limits.payload = limit).build();
            let key = suite.key();
            let op = suite.user_decrypt(key, vec![typed_ciphertext(1, FheType::Uint64)]);
            let submitted = suite.submit(&suite.owner(), Operation::UserDecrypt(op), 1000);
            assert_eq!(submitted.map_err(|r| r.code).err(), (!accepted).then(|| "over_limit".to_owned()));
            if accepted {
                let id = RequestId(2);
                assert_eq!(suite.respond(vec![suite.user_answer(id, 1)]), [RECORDED], "it fits exactly");
            }
        }
    }
}
