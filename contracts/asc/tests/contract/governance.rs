//! Parameters, domains, the pause and the office of the admin.

use cosmwasm_std::{Uint128, coins};
use kms_asc_api::event::Event;
use kms_asc_api::log::LogBody;
use kms_asc_api::{
    Config, DomainView, Eip712Domain, EpochId, ExecuteMsg, FailureCode, ItemOutcome, KeyId, NewRequest,
    Operation, QueryMsg, RequestId, State,
};

use crate::suite::{
    DENOM, START, Suite, SuiteBuilder, account, ciphertext, key_gen, payout, public_decrypt, word,
};

fn update(config: &Config) -> ExecuteMsg {
    ExecuteMsg::UpdateConfig { config: Box::new(config.clone()) }
}

fn changed(suite: &Suite, change: impl FnOnce(&mut Config)) -> Config {
    let mut config = suite.config.clone();
    change(&mut config);
    config
}

#[test]
fn new_parameters_hold_for_what_comes_after_them() {
    let mut suite = Suite::new();
    let (admin, key_id) = (suite.admin(), suite.key());
    let old = suite.decryption(key_id);
    let config = changed(&suite, |c| {
        c.fees.public_decrypt.base = Uint128::new(5001);
        (c.ttl_min, c.ttl_default) = (20, 30);
    });
    let done = suite.done(&admin, &update(&config));
    assert_eq!(done.events, [Event::Config { kind: "config_set".to_owned() }]);
    assert_eq!(suite.log().pop().unwrap().body, LogBody::ConfigSet { config: Box::new(config.clone()) });
    assert_eq!(suite.query::<Config>(&QueryMsg::Config {}).unwrap(), config);

    let new = suite.decryption(key_id);
    let terms = |id: RequestId| {
        let body = suite.view(id).body;
        (body.price.u128(), body.deadline)
    };
    assert_eq!((terms(old), terms(new)), ((117, Some(START + 60)), (5017, Some(START + 30))));
}

/// What is pending was priced under other parameters: it ends all the same, and within its own price.
#[test]
fn pending_requests_settle_under_whatever_parameters_come_later() {
    type Change = fn(&mut Config);
    let cases: [(&str, Change); 6] = [
        ("prices a thousandfold", |c| {
            for fees in [
                &mut c.fees.key_gen,
                &mut c.fees.crs_gen,
                &mut c.fees.public_decrypt,
                &mut c.fees.user_decrypt,
                &mut c.fees.verify_input,
            ] {
                fees.base = Uint128::new(1_000_000);
            }
            (c.failure_fee, c.denial_fee) = (Uint128::new(100_000), Uint128::new(1_000_000));
        }),
        ("operators get nothing", |c| (c.operator_share_bps, c.failure_fee) = (0, Uint128::zero())),
        ("operators get all", |c| c.operator_share_bps = 10_000),
        ("callbacks cost a fortune", |c| c.per_callback_kgas = Uint128::new(u128::from(u64::MAX))),
        ("every limit at its lowest", |c| {
            let limits = &mut c.limits;
            (limits.ciphertexts, limits.bytes, limits.pending_per_requester) = (1, 1, 1);
            (limits.payload, limits.page, limits.callback_gas) = (128, 1, 0);
        }),
        ("other times", |c| (c.ttl_min, c.ttl_default, c.ttl_max) = (5, 5, 5)),
    ];
    for (what, change) in cases {
        let mut suite = Suite::threshold();
        let (admin, owner, key_id) = (suite.admin(), suite.owner(), suite.key());
        let [answered, wrong, broken, expired] = [(); 4].map(|()| suite.decryption(key_id));
        let before = suite.balance(&owner);
        let config = changed(&suite, change);
        suite.done(&admin, &update(&config));
        suite.respond((1..=3).map(|party| suite.answer(answered, party, &word(7))).collect());
        for (id, code) in [(wrong, FailureCode::WrongType), (broken, FailureCode::Unsupported)] {
            suite.report((1..=3).map(|party| suite.failure(id, party, code, 0)).collect());
        }
        suite.at(START + 60);
        suite.close(&[expired]);
        let ends = [answered, wrong, broken, expired].map(|id| suite.view(id).state);
        assert_eq!(ends, [State::Fulfilled, State::Failed, State::Failed, State::Expired], "{what}");
        let back = suite.balance(&owner) - before;
        assert!((2 * 117..=3 * 117).contains(&back), "{what}: {back} came back");
    }
}

#[test]
fn what_people_rely_on_never_changes_and_rules_hold_as_at_the_beginning() {
    let mut suite = Suite::threshold();
    let admin = suite.admin();
    type Change = fn(&mut Config);
    let cases: [(&str, Change); 8] = [
        ("another denomination", |c| c.denom = "uother".to_owned()),
        ("no denomination", |c| c.denom.clear()),
        ("a shorter delay", |c| c.migration_delay -= 1),
        ("a delay that ends all migrations", |c| c.migration_delay = 366 * 86_400 + 1),
        ("operators get more than all", |c| c.operator_share_bps = 10_001),
        // 25 of the lowest price for each of four parties: the fee fits one party's epoch, not this one.
        ("a failure fee for fewer operators", |c| c.failure_fee = Uint128::new(13)),
        ("ttl out of order", |c| c.ttl_min = c.ttl_max + 1),
        ("no domain", |c| c.key_domain.name.clear()),
    ];
    for (what, change) in cases {
        let config = changed(&suite, change);
        assert_eq!(suite.refused(&admin, &update(&config)), "invalid_config", "{what}");
    }
    for delay in [suite.config.migration_delay, suite.config.migration_delay + 1, 366 * 86_400] {
        let config = changed(&suite, |c| c.migration_delay = delay);
        suite.done(&admin, &update(&config));
    }
    let back = changed(&suite, |_| {});
    assert_eq!(suite.refused(&admin, &update(&back)), "invalid_config", "a delay stays raised");
}

#[test]
fn parameters_are_measured_against_the_newest_operators() {
    let mut suite = Suite::new();
    let admin = suite.admin();
    let epoch = crate::suite::terms::epoch(kms_asc_api::EpochMode::Threshold, 4, 1, 3);
    let epoch = Box::new(kms_asc_api::Epoch { id: EpochId(2), ..epoch });
    let fee = |suite: &Suite, fee| update(&changed(suite, |c| c.failure_fee = Uint128::new(fee)));
    let large = fee(&suite, 51);
    suite.done(&admin, &large);
    let small = fee(&suite, 12);
    suite.done(&admin, &small);
    suite.done(&admin, &ExecuteMsg::SetEpoch { epoch });
    assert_eq!(suite.refused(&admin, &large), "invalid_config");
}

fn register(key_id: KeyId, domain: &Eip712Domain) -> ExecuteMsg {
    ExecuteMsg::RegisterDomain { key_id, domain: domain.clone() }
}

#[test]
fn a_domain_belongs_to_the_first_key_that_gets_it_for_good() {
    let mut suite = Suite::new();
    let (admin, key_id, other) = (suite.admin(), suite.key(), suite.key());
    let domain = Eip712Domain { name: "Other".to_owned(), ..suite.default_domain(key_id) };
    let operation = |key_id| match public_decrypt(key_id, vec![ciphertext(1)]) {
        Operation::PublicDecrypt(op) => {
            Operation::PublicDecrypt(kms_asc_api::PublicDecrypt { domain: Some(domain.clone()), ..op })
        }
        _ => panic!("public_decrypt"),
    };
    let denied = |suite: &mut Suite, key_id| {
        let data = suite.submit(&suite.owner(), operation(key_id), 117).unwrap();
        suite.view(data.request_id).reason
    };
    assert_eq!(denied(&mut suite, key_id).as_deref(), Some("domain"));
    let done = suite.done(&admin, &register(key_id, &domain));
    assert_eq!(done.events, [Event::Config { kind: "domain_registered".to_owned() }]);
    let separator = domain.separator();
    let expected = LogBody::DomainRegistered { key_id, domain: domain.clone(), separator };
    assert_eq!(suite.log().pop().unwrap().body, expected);
    let found: DomainView = suite.query(&QueryMsg::Domain { separator }).unwrap();
    assert_eq!(found.key_id, key_id);
    assert_eq!(denied(&mut suite, key_id), None);
    assert_eq!(denied(&mut suite, other).as_deref(), Some("domain"));

    for key in [key_id, other] {
        assert_eq!(suite.refused(&admin, &register(key, &domain)), "domain_registered");
        let default = suite.default_domain(key_id);
        assert_eq!(suite.refused(&admin, &register(key, &default)), "domain_registered");
    }
    let salted = Eip712Domain { salt: Some(kms_asc_api::Digest::new([0; 32])), ..domain };
    suite.done(&admin, &register(key_id, &salted));
}

#[test]
fn a_domain_without_name_with_long_texts_or_of_no_key_is_refused() {
    let mut suite = Suite::new();
    let (admin, key_id) = (suite.admin(), suite.key());
    let domain = |name: &str, version: &str| Eip712Domain {
        name: name.to_owned(),
        version: version.to_owned(),
        ..suite.default_domain(key_id)
    };
    let [empty, long_name, long_version] =
        [domain("", "1"), domain(&"n".repeat(65), "1"), domain("n", &"1".repeat(65))];
    let (largest, plain) = (domain(&"n".repeat(64), &"1".repeat(64)), domain("n", ""));
    for wrong in [empty, long_name, long_version] {
        assert_eq!(suite.refused(&admin, &register(key_id, &wrong)), "malformed");
    }
    assert_eq!(suite.refused(&admin, &register(KeyId(9), &plain)), "unknown_key");
    for right in [largest, plain] {
        suite.done(&admin, &register(key_id, &right));
    }
}

#[test]
fn pausing_twice_is_pausing_once() {
    let mut suite = Suite::new();
    let admin = suite.admin();
    let entries = suite.log().len();
    for (msg, paused, logged) in [
        (ExecuteMsg::Unpause {}, false, 0),
        (ExecuteMsg::Pause {}, true, 1),
        (ExecuteMsg::Pause {}, true, 1),
        (ExecuteMsg::Unpause {}, false, 2),
        (ExecuteMsg::Unpause {}, false, 2),
    ] {
        suite.done(&admin, &msg);
        assert_eq!((suite.governance().paused, suite.log().len()), (paused, entries + logged));
    }
    assert_eq!(suite.newest_kinds(2), ["paused", "unpaused"]);
    suite.request(&suite.owner(), key_gen());
}

/// Every message there is: what succeeds without a pause succeeds with one, but for new requests.
#[test]
fn a_pause_stops_new_requests_and_nothing_else() {
    for (position, name) in (0..).zip(names_of_all()) {
        let mut suite = SuiteBuilder::centralized().config(|c| c.migration_delay = 0).build();
        let (key_id, owner, admin) = (suite.key(), suite.owner(), suite.admin());
        let expired = suite.decryption(key_id);
        suite.at(START + 60);
        let [answered, broken, cancelled] = [(); 3].map(|()| suite.decryption(key_id));
        suite.done(&owner, &ExecuteMsg::OfferKey { key_id, to: account("next").to_string() });
        suite.done(&admin, &ExecuteMsg::ProposeAdmin { admin: account("next").to_string() });
        suite
            .done(&owner, &ExecuteMsg::Grant { key_id, grantee: account("friend").to_string(), until: None });
        let code_id = suite.announce_code();
        suite.give(5, "uother");
        suite.pause();
        let checksum = suite.checksum(code_id);
        let answers = vec![suite.answer(answered, 1, &word(7))];
        let failures = vec![suite.failure(broken, 1, FailureCode::WrongType, 0)];
        let epoch = kms_asc_api::Epoch { id: EpochId(2), ..suite.epoch.clone() };
        let domain = Eip712Domain { name: "Other".to_owned(), ..suite.default_domain(key_id) };
        let next = account("next");
        let to = None;
        let request = NewRequest { operation: key_gen(), ttl: None, callback: None };
        let all: Vec<(cosmwasm_std::Addr, ExecuteMsg)> = vec![
            (
                owner.clone(),
                ExecuteMsg::SubmitRequest { operation: Box::new(key_gen()), ttl: None, callback: None },
            ),
            (owner.clone(), ExecuteMsg::SubmitRequests { requests: vec![request] }),
            (suite.stranger(), ExecuteMsg::SubmitResponses { responses: answers }),
            (suite.stranger(), ExecuteMsg::SubmitFailures { failures }),
            (suite.stranger(), ExecuteMsg::Close { request_ids: vec![expired] }),
            (owner.clone(), ExecuteMsg::Cancel { request_id: cancelled }),
            (payout(1), ExecuteMsg::Withdraw { to: None }),
            (owner.clone(), ExecuteMsg::Grant { key_id, grantee: next.to_string(), until: None }),
            (owner.clone(), ExecuteMsg::Revoke { key_id, grantee: account("friend").to_string() }),
            (owner.clone(), ExecuteMsg::SetAttesters { key_id, attesters: vec![], threshold: 0 }),
            (owner.clone(), ExecuteMsg::SetCrs { key_id, crs_ids: vec![] }),
            (owner.clone(), ExecuteMsg::SetKeyState { key_id, state: kms_asc_api::KeyState::Suspended }),
            (owner.clone(), ExecuteMsg::OfferKey { key_id, to: next.to_string() }),
            (next.clone(), ExecuteMsg::AcceptKey { key_id }),
            (admin.clone(), ExecuteMsg::SetEpoch { epoch: Box::new(epoch) }),
            (admin.clone(), ExecuteMsg::RevokeEpoch { epoch: EpochId(1) }),
            (admin.clone(), update(&suite.config)),
            (admin.clone(), register(key_id, &domain)),
            (admin.clone(), ExecuteMsg::Pause {}),
            (admin.clone(), ExecuteMsg::Unpause {}),
            (admin.clone(), ExecuteMsg::WithdrawTreasury { to, amount: Uint128::new(1) }),
            (admin.clone(), ExecuteMsg::SweepSurplus { denom: "uother".to_owned(), to: None }),
            (admin.clone(), ExecuteMsg::ScheduleMigration { code_id, checksum }),
            (admin.clone(), ExecuteMsg::MigrateNow {}),
            (admin.clone(), ExecuteMsg::ProposeAdmin { admin: next.to_string() }),
            (next, ExecuteMsg::AcceptAdmin {}),
        ];
        let (sender, msg): &(_, ExecuteMsg) = &all[position];
        assert_eq!((msg.name(), all.len()), (name, names_of_all().len()));
        let submits = name.starts_with("submit_request");
        let funds = if submits { coins(1003, DENOM) } else { vec![] };
        let result = suite.execute(sender, msg, &funds);
        match name {
            _ if submits => assert_eq!(result.unwrap_err().code, "paused"),
            _ => assert!(result.is_ok(), "{name}: {}", result.unwrap_err().text),
        }
    }
}

fn names_of_all() -> [&'static str; 26] {
    [
        "submit_request",
        "submit_requests",
        "submit_responses",
        "submit_failures",
        "close",
        "cancel",
        "withdraw",
        "grant",
        "revoke",
        "set_attesters",
        "set_crs",
        "set_key_state",
        "offer_key",
        "accept_key",
        "set_epoch",
        "revoke_epoch",
        "update_config",
        "register_domain",
        "pause",
        "unpause",
        "withdraw_treasury",
        "sweep_surplus",
        "schedule_migration",
        "migrate_now",
        "propose_admin",
        "accept_admin",
    ]
}

#[test]
fn in_a_pause_answers_count_and_are_paid() {
    let mut suite = Suite::new();
    let key_id = suite.key();
    let id = suite.decryption(key_id);
    let earned = suite.credit(&payout(1));
    suite.pause();
    assert_eq!(suite.respond(vec![suite.answer(id, 1, &word(7))]), [ItemOutcome::Recorded]);
    assert_eq!(suite.view(id).state, State::Fulfilled);
    assert!(suite.credit(&payout(1)) > earned);
}

#[test]
fn the_office_passes_to_who_accepts_it_and_to_nobody_else() {
    let mut suite = Suite::new();
    let (admin, next, third) = (suite.admin(), account("next"), account("third"));
    let propose = |to: &str| ExecuteMsg::ProposeAdmin { admin: to.to_owned() };
    assert_eq!(suite.refused(&next, &ExecuteMsg::AcceptAdmin {}), "not_offered");
    assert_eq!(suite.refused(&admin, &propose("nobody")), "invalid_address");
    suite.done(&admin, &propose(third.as_str()));
    suite.done(&admin, &propose(next.as_str()));
    let governance = suite.governance();
    assert_eq!((governance.admin, governance.proposed_admin), (admin.to_string(), Some(next.to_string())));
    for sender in [&third, &admin] {
        assert_eq!(suite.refused(sender, &ExecuteMsg::AcceptAdmin {}), "not_offered");
    }
    suite.done(&admin, &ExecuteMsg::Pause {});
    suite.done(&next, &ExecuteMsg::AcceptAdmin {});
    let governance = suite.governance();
    assert_eq!((governance.admin, governance.proposed_admin), (next.to_string(), None));
    assert_eq!(suite.log().pop().unwrap().body, LogBody::AdminAccepted { admin: next.to_string() });
    assert_eq!(suite.refused(&admin, &ExecuteMsg::Unpause {}), "unauthorized");
    suite.done(&next, &ExecuteMsg::Unpause {});
    assert_eq!(suite.refused(&next, &ExecuteMsg::AcceptAdmin {}), "not_offered");
}

#[test]
fn nobody_but_the_admin_governs() {
    let mut suite = Suite::new();
    let key_id = suite.key();
    let next = account("next");
    suite.done(&suite.admin(), &ExecuteMsg::ProposeAdmin { admin: next.to_string() });
    let domain = Eip712Domain { name: "Other".to_owned(), ..suite.default_domain(key_id) };
    let msgs = [
        update(&suite.config),
        register(key_id, &domain),
        ExecuteMsg::Pause {},
        ExecuteMsg::Unpause {},
        ExecuteMsg::ProposeAdmin { admin: next.to_string() },
    ];
    for sender in [suite.owner(), suite.stranger(), payout(1), next, suite.contract.clone()] {
        for msg in &msgs {
            assert_eq!(suite.refused(&sender, msg), "unauthorized", "{}", msg.name());
        }
    }
}
