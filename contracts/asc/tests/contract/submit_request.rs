//! `submit_request`: what is taken, what is denied on record, what is refused.

use cosmwasm_std::{Binary, Coin, Uint128, coins};
use kms_asc_api::event::Event;
use kms_asc_api::log::LogBody;
use kms_asc_api::{
    Ciphertext, DenialReason, Eip712Domain, EpochId, EpochMode, EvmAddress, ExecuteMsg, FheType, Handle,
    KeyId, KeyState, Operation, OperationKind, PublicDecrypt, RequestId, State, SubmitRequestData,
    request_hash,
};

use crate::suite::{
    DENOM, START, Suite, SuiteBuilder, ciphertext, key_gen, public_decrypt, terms, typed_ciphertext,
};

fn submission(operation: Operation, ttl: Option<u64>) -> ExecuteMsg {
    ExecuteMsg::SubmitRequest { operation: Box::new(operation), ttl, callback: None }
}

#[test]
fn a_request_is_kept_as_the_documented_bytes_and_receipts_sign_their_hash() {
    let mut suite = Suite::new();
    let key_id = suite.key();
    suite.at(START + 7);
    let id = suite.decryption(key_id);
    let one = ciphertext(1);
    let (handle, digest) =
        (Binary::from(one.handle.as_bytes().as_slice()), Binary::from(one.digest.as_bytes().as_slice()));
    let expected = format!(
        concat!(
            r#"{{"v":1,"id":2,"requester":"{}","operation":{{"public_decrypt":{{"key_id":1,"ciphertexts":["#,
            r#"{{"handle":"{}","digest":"{}","size":1500,"fhe_type":"uint8","format":"raw"}}]}}}},"#,
            r#""epoch":1,"price":"117","#,
            r#""deadline":1700000067,"height":101,"time":1700000007,"callback":null}}"#
        ),
        suite.owner(),
        handle,
        digest
    );
    let stored = suite.stored_body(id);
    assert_eq!(String::from_utf8(stored.clone()).unwrap(), expected);
    let submitted = LogBody::RequestSubmitted {
        operation: OperationKind::PublicDecrypt,
        key_id: Some(key_id),
        price: Uint128::new(117),
        deadline: START + 67,
        epoch: EpochId(1),
        request_hash: request_hash(&stored),
    };
    let entry = suite.log().pop().unwrap();
    assert_eq!((entry.body, entry.actor, entry.request_id), (submitted, suite.owner().to_string(), Some(id)));
    assert_eq!(suite.view(id).request_hash, request_hash(&stored));
}

#[test]
fn the_event_of_a_request_tells_id_operation_state_and_epoch() {
    let mut suite = Suite::new();
    let done = suite.execute(&suite.owner(), &submission(key_gen(), None), &coins(1003, DENOM)).unwrap();
    let event = Event::Request {
        request_id: RequestId(1),
        operation: OperationKind::KeyGen,
        state: State::Pending,
        epoch: Some(EpochId(1)),
    };
    assert_eq!(done.events, [event]);
    let data =
        SubmitRequestData { request_id: RequestId(1), state: State::Pending, charged: Uint128::new(1003) };
    assert_eq!(done.data::<SubmitRequestData>(), data);
}

#[test]
fn what_is_sent_above_the_price_comes_back_at_once() {
    let mut suite = Suite::new();
    let before = suite.balance(&suite.owner());
    let data = suite.submit(&suite.owner(), key_gen(), 5000).unwrap();
    assert_eq!(data.charged.u128(), 1003);
    assert_eq!(suite.balance(&suite.owner()), before - 1003);
    assert_eq!(suite.balance(&suite.contract), 1003);
}

#[test]
fn an_excess_that_cannot_be_returned_fails_the_message() {
    let mut suite = Suite::new();
    suite.block_address(&suite.owner());
    let refusal = suite.submit(&suite.owner(), key_gen(), 1004).unwrap_err();
    assert!(refusal.text.contains("not allowed to receive"), "{}", refusal.text);
    assert!(suite.submit(&suite.owner(), key_gen(), 1003).is_ok());
}

#[test]
fn funds_that_are_too_little_or_wrong_are_refused() {
    let mut suite = Suite::new();
    let cases = [
        (vec![], "insufficient_fee"),
        (coins(1002, DENOM), "insufficient_fee"),
        (coins(1003, "uother"), "wrong_funds"),
        (vec![Coin::new(1003u128, DENOM), Coin::new(1u128, "uother")], "wrong_funds"),
    ];
    for (funds, code) in cases {
        let refusal = suite.execute(&suite.owner(), &submission(key_gen(), None), &funds).unwrap_err();
        assert_eq!(refusal.code, code, "{funds:?}: {}", refusal.text);
    }
    let refusal = suite.submit(&suite.owner(), key_gen(), 7).unwrap_err();
    assert!(refusal.text.contains("7ukms sent, the price is 1003ukms"), "{}", refusal.text);
}

#[test]
fn the_time_to_answer_has_bounds() {
    let mut suite = Suite::new();
    for ttl in [0, 9, 601, u64::MAX] {
        let msg = submission(key_gen(), Some(ttl));
        let refusal = suite.execute(&suite.owner(), &msg, &coins(1003, DENOM)).unwrap_err();
        assert_eq!(refusal.code, "ttl_out_of_range", "{ttl}");
    }
    for (ttl, deadline) in [(Some(10), START + 10), (Some(600), START + 600), (None, START + 60)] {
        let msg = submission(key_gen(), ttl);
        let done = suite.execute(&suite.owner(), &msg, &coins(1003, DENOM)).unwrap();
        let id = done.data::<SubmitRequestData>().request_id;
        assert_eq!(suite.body(id).deadline, Some(deadline));
    }
}

#[test]
fn a_requester_has_so_many_pending_requests_and_gets_room_when_one_ends() {
    let mut suite = SuiteBuilder::centralized().config(|c| c.limits.pending_per_requester = 2).build();
    let first = suite.request(&suite.owner(), key_gen());
    suite.request(&suite.owner(), key_gen());
    assert_eq!(suite.submit(&suite.owner(), key_gen(), 1003).unwrap_err().code, "over_limit");
    suite.request(&suite.stranger(), key_gen());
    let payload = suite.key_payload(first);
    suite.respond(vec![suite.answer(first, 1, &payload)]);
    suite.request(&suite.owner(), key_gen());
    assert_eq!(suite.submit(&suite.owner(), key_gen(), 1003).unwrap_err().code, "over_limit");
}

#[test]
fn a_request_that_is_none_is_refused() {
    let mut suite = Suite::new();
    let key_id = suite.key();
    let with = |change: fn(&mut Ciphertext)| {
        let mut ciphertext = ciphertext(1);
        change(&mut ciphertext);
        vec![ciphertext]
    };
    let sized = |size| Ciphertext { size, ..ciphertext(2) };
    let cases = [
        ("an unknown key", public_decrypt(KeyId(99), vec![ciphertext(1)]), "unknown_key"),
        ("no ciphertext", public_decrypt(key_id, vec![]), "malformed"),
        ("too many ciphertexts", public_decrypt(key_id, (0..9).map(ciphertext).collect()), "over_limit"),
        (
            "a handle of another type",
            public_decrypt(key_id, with(|c| c.fhe_type = FheType::Bool)),
            "malformed",
        ),
        (
            "a handle of no type",
            public_decrypt(key_id, with(|c| c.handle = Handle::new([99; 32]))),
            "malformed",
        ),
        ("a raw ciphertext with an index", public_decrypt(key_id, with(|c| c.index = 1)), "malformed"),
        ("a size of 0", public_decrypt(key_id, with(|c| c.size = 0)), "malformed"),
        ("too many bytes", public_decrypt(key_id, with(|c| c.size = 65_537)), "over_limit"),
        ("sizes that overflow", public_decrypt(key_id, vec![sized(u64::MAX), ciphertext(1)]), "overflow"),
        ("one digest of two sizes", public_decrypt(key_id, vec![ciphertext(2), sized(7)]), "malformed"),
    ];
    for (what, operation, code) in cases {
        let refusal = suite.submit(&suite.owner(), operation, 10_000).unwrap_err();
        assert_eq!(refusal.code, code, "{what}: {}", refusal.text);
    }
}

#[test]
fn texts_that_are_signed_with_the_request_have_bounds() {
    let mut suite = Suite::new();
    let key_id = suite.key();
    let domain = |name: usize, version: usize| Eip712Domain {
        name: "n".repeat(name),
        version: "1".repeat(version),
        ..suite.default_domain(key_id)
    };
    let cases = [(1025, None), (0, Some(domain(65, 1))), (0, Some(domain(1, 65)))].map(|(extra, domain)| {
        Operation::PublicDecrypt(PublicDecrypt {
            key_id,
            ciphertexts: vec![ciphertext(1)],
            domain,
            extra_data: Binary::from(vec![0; extra]),
        })
    });
    for operation in cases {
        let refusal = suite.submit(&suite.owner(), operation, 10_000).unwrap_err();
        assert_eq!(refusal.code, "over_limit", "{}", refusal.text);
    }
}

/// One value of the chain's state holds 128 KiB: the node would refuse what the contract let pass.
#[test]
fn a_body_longer_than_state_can_hold_is_refused() {
    let mut suite = SuiteBuilder::centralized()
        .config(|c| {
            (c.limits.ciphertexts, c.limits.payload, c.limits.bytes) = (1000, 100_000, u64::MAX);
        })
        .build();
    let key_id = suite.key();
    let many = |n: u32| (0..n).map(|_| ciphertext(1)).collect::<Vec<_>>();
    let refusal = suite.submit(&suite.owner(), public_decrypt(key_id, many(1000)), 500_000).unwrap_err();
    assert_eq!(refusal.code, "over_limit", "{}", refusal.text);
    assert!(refusal.text.contains("body"), "{}", refusal.text);
    suite.request(&suite.owner(), public_decrypt(key_id, many(100)));
}

/// Otherwise it would be paid for, and nobody could answer.
#[test]
fn a_request_whose_answer_would_be_too_long_is_refused() {
    let mut suite = SuiteBuilder::centralized().config(|c| c.limits.payload = 512).build();
    let key_id = suite.key();
    let wide = |n: u8| (1..=n).map(|i| typed_ciphertext(i, FheType::Uint2048)).collect::<Vec<_>>();
    let refusal = suite.submit(&suite.owner(), public_decrypt(key_id, wide(3)), 10_000).unwrap_err();
    assert_eq!(refusal.code, "over_limit", "{}", refusal.text);
    assert!(suite.submit(&suite.owner(), public_decrypt(key_id, wide(2)), 10_000).is_ok());
}

#[test]
fn operators_that_each_hold_the_whole_key_do_not_generate() {
    let epoch = terms::epoch(EpochMode::Replicated, 3, 1, 2);
    let mut suite = SuiteBuilder::centralized().epoch(|e| *e = epoch).build();
    assert_eq!(suite.submit(&suite.owner(), key_gen(), 1003).unwrap_err().code, "generate_refused");
}

#[test]
fn while_paused_only_new_requests_are_refused() {
    let mut suite = Suite::new();
    let key_id = suite.key();
    let (answered, closed) = (suite.decryption(key_id), suite.decryption(key_id));
    suite.pause();
    assert_eq!(suite.submit(&suite.owner(), key_gen(), 1003).unwrap_err().code, "paused");
    suite.respond(vec![suite.answer(answered, 1, &[0; 32])]);
    suite.at(START + 60);
    suite.close(&[closed]);
    assert_eq!((suite.view(answered).state, suite.view(closed).state), (State::Fulfilled, State::Expired));
    assert!(suite.withdraw(&crate::suite::payout(1), None).is_ok());
}

#[test]
fn a_strangers_decryption_is_denied_on_record_and_costs_only_the_denial_fee() {
    let mut suite = Suite::new();
    let key_id = suite.key();
    let before = suite.balance(&suite.stranger());
    let operation = public_decrypt(key_id, vec![ciphertext(1)]);
    let done = suite.execute(&suite.stranger(), &submission(operation, None), &coins(500, DENOM)).unwrap();
    let data = done.data::<SubmitRequestData>();
    assert_eq!((data.state, data.charged.u128()), (State::Denied, 21));
    assert_eq!(suite.balance(&suite.stranger()), before - 21);
    let id = data.request_id;
    assert!(matches!(done.events[..], [Event::Request { state: State::Denied, epoch: None, .. }]));

    let view = suite.view(id);
    assert_eq!((view.state, view.reason.as_deref(), view.code), (State::Denied, Some("permission"), Some(1)));
    assert_eq!((view.body.epoch, view.body.deadline, view.body.price.u128()), (None, None, 21));
    let LogBody::RequestDenied { price, reason, request_hash: hash, .. } = suite.log().pop().unwrap().body
    else {
        panic!("the last entry is the denial")
    };
    assert_eq!((price.u128(), reason), (21, DenialReason::Permission));
    assert_eq!(hash, request_hash(&suite.stored_body(id)));
}

#[test]
fn a_denied_request_still_needs_the_whole_price() {
    let mut suite = Suite::new();
    let key_id = suite.key();
    let operation = public_decrypt(key_id, vec![ciphertext(1)]);
    assert_eq!(suite.submit(&suite.stranger(), operation, 116).unwrap_err().code, "insufficient_fee");
}

#[test]
fn the_keys_state_decides_whether_its_owner_may_decrypt() {
    for state in KeyState::ALL {
        let mut suite = Suite::new();
        let key_id = suite.key();
        suite.set_key_state(key_id, state);
        let data = suite.submit(&suite.owner(), public_decrypt(key_id, vec![ciphertext(1)]), 117).unwrap();
        let reason = suite.view(data.request_id).reason;
        let refused = matches!(state, KeyState::Suspended | KeyState::Destroyed);
        assert_eq!(reason.as_deref(), refused.then_some("key_state"), "{state:?}");
    }
}

#[test]
fn a_domain_that_is_not_the_keys_is_denied_on_record() {
    let mut suite = Suite::new();
    let (key_id, other_key) = (suite.key(), suite.key());
    let own = suite.default_domain(key_id);
    let cases = [
        (own.clone(), None),
        (suite.default_domain(other_key), Some("domain")),
        (Eip712Domain { verifying_contract: EvmAddress::new([7; 20]), ..own.clone() }, Some("domain")),
        (Eip712Domain { salt: Some(kms_asc_api::Digest::new([0; 32])), ..own }, Some("domain")),
    ];
    for (domain, reason) in cases {
        let operation = Operation::PublicDecrypt(PublicDecrypt {
            key_id,
            ciphertexts: vec![ciphertext(1)],
            domain: Some(domain),
            extra_data: Binary::default(),
        });
        let id = suite.submit(&suite.owner(), operation, 117).unwrap().request_id;
        assert_eq!(suite.view(id).reason.as_deref(), reason);
    }
}

#[test]
fn fifty_requests_in_one_transaction_have_fifty_ids_and_fifty_answers() {
    let mut suite = Suite::new();
    let key_id = suite.key();
    let msgs = (0..50).map(|n| {
        let msg = submission(public_decrypt(key_id, vec![ciphertext(n)]), None);
        suite.message(&msg, coins(117, DENOM))
    });
    let msgs = msgs.collect();
    let done = suite.execute_all(&suite.owner(), msgs).unwrap();
    let ids: Vec<u64> = done.iter().map(|done| done.data::<SubmitRequestData>().request_id.get()).collect();
    assert_eq!(ids, (2..=51).collect::<Vec<_>>());
    let answers = ids.iter().map(|id| suite.answer(RequestId(*id), 1, &[0; 32])).collect();
    let outcomes = suite.respond(answers);
    assert!(outcomes.iter().all(|outcome| *outcome == kms_asc_api::ItemOutcome::Recorded));
    assert!(ids.iter().all(|id| suite.view(RequestId(*id)).state == State::Fulfilled));
}

#[test]
fn one_bad_request_fails_its_whole_transaction() {
    let mut suite = Suite::new();
    let msgs =
        [1003, 1003, 1002].map(|amount| suite.message(&submission(key_gen(), None), coins(amount, DENOM)));
    let refusal = suite.execute_all(&suite.owner(), msgs.to_vec()).unwrap_err();
    assert_eq!(refusal.code, "insufficient_fee");
    assert_eq!(suite.request(&suite.owner(), key_gen()), RequestId(1));
}
