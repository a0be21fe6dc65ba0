//! The contract's first moment.

use cosmwasm_std::{Uint128, coins};
use kms_asc_api::log::LogBody;
use kms_asc_api::{Config, Digest, Epoch, EpochId, EpochMode, PartyId, PublicKey, state_key};

use crate::suite::{DENOM, START, Suite, SuiteBuilder, WasmAdmin, account, terms};

/// What a case does to what was valid.
type Change<T> = fn(&mut T);

#[test]
fn the_contract_becomes_its_own_admin_at_the_predicted_address() {
    let suite = Suite::new();
    let info = suite.app.wrap().query_wasm_contract_info(&suite.contract).unwrap();
    assert_eq!(info.admin, Some(suite.contract.clone()));
}

#[test]
fn another_wasm_admin_or_none_is_refused() {
    for admin in [WasmAdmin::Somebody, WasmAdmin::Nobody] {
        let refusal = SuiteBuilder::centralized().wasm_admin(admin).try_build().err().unwrap();
        assert_eq!(refusal.code, "not_own_admin", "{admin:?}: {}", refusal.text);
    }
}

#[test]
fn the_log_begins_with_code_parameters_and_operators() {
    let suite = Suite::threshold();
    let log = suite.log();
    let code = suite.app.wrap().query_wasm_code_info(suite.code_id).unwrap();
    let stored_config = suite.storage().get(state_key::CONFIG.as_slice()).unwrap();
    let bodies: Vec<_> = log.iter().map(|entry| entry.body.clone()).collect();
    let expected = [
        LogBody::Instantiated {
            code_id: suite.code_id,
            checksum: Digest::try_from(code.checksum.as_slice()).unwrap(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            config_hash: Digest::sha256(&stored_config),
            admin: account("admin").to_string(),
        },
        LogBody::ConfigSet { config: Box::new(suite.config.clone()) },
        LogBody::EpochSet { epoch: suite.epoch.clone() },
    ];
    assert_eq!(bodies, expected);
    for entry in log {
        assert_eq!((entry.actor, entry.height, entry.time), (suite.contract.to_string(), 100, START));
        assert_eq!(entry.request_id, None);
    }
}

#[test]
fn instantiation_takes_no_funds() {
    let refusal = SuiteBuilder::centralized().funds(coins(1, DENOM)).try_build().err().unwrap();
    assert_eq!(refusal.code, "unexpected_funds", "{}", refusal.text);
}

#[test]
fn an_admin_that_is_no_address_is_refused() {
    let refusal = SuiteBuilder::centralized().admin("nobody").try_build().err().unwrap();
    assert_eq!(refusal.code, "invalid_address", "{}", refusal.text);
}

#[test]
fn parameters_that_break_a_rule_are_refused() {
    let cases: [(&str, Change<Config>); 24] = [
        ("no denomination", |c| c.denom.clear()),
        ("operators get more than all", |c| c.operator_share_bps = 10_001),
        ("ttl_min under 5", |c| c.ttl_min = 4),
        ("ttl_default under ttl_min", |c| c.ttl_default = c.ttl_min - 1),
        ("ttl_default over ttl_max", |c| c.ttl_default = c.ttl_max + 1),
        ("cancel_delay under 10", |c| c.cancel_delay = 9),
        ("no page", |c| c.limits.page = 0),
        ("page over 100", |c| c.limits.page = 101),
        ("payload too small for a signature", |c| c.limits.payload = 127),
        ("payload over what state holds", |c| c.limits.payload = 100_001),
        ("no ciphertexts", |c| c.limits.ciphertexts = 0),
        ("over 1000 ciphertexts", |c| c.limits.ciphertexts = 1001),
        ("no bytes", |c| c.limits.bytes = 0),
        ("no pending requests", |c| c.limits.pending_per_requester = 0),
        ("domain without name", |c| c.key_domain.name.clear()),
        ("domain with a long name", |c| c.key_domain.name = "n".repeat(65)),
        ("domain with a long version", |c| c.key_domain.version = "1".repeat(65)),
        ("denial costs more than the request", |c| c.denial_fee = Uint128::new(115)),
        // 114 at least, of which operators get 102: half a single party's part is 51.
        ("failing pays over half of answering", |c| c.failure_fee = Uint128::new(52)),
        ("operators get nothing", |c| c.operator_share_bps = 0),
        ("key_gen is cheaper than its fees", |c| c.fees.key_gen.base = Uint128::new(10)),
        ("crs_gen is cheaper than its fees", |c| c.fees.crs_gen.base = Uint128::new(10)),
        ("user_decrypt is cheaper than its fees", |c| c.fees.user_decrypt.base = Uint128::zero()),
        ("verify_input is cheaper than its fees", |c| c.fees.verify_input.base = Uint128::zero()),
    ];
    for (what, change) in cases {
        let refusal = SuiteBuilder::centralized().config(change).try_build().err();
        assert_eq!(refusal.map(|r| r.code), Some("invalid_config".to_owned()), "{what}");
    }
}

#[test]
fn parameters_at_the_edge_of_each_rule_are_taken() {
    let cases: [(&str, Change<Config>); 8] = [
        ("operators get all", |c| c.operator_share_bps = 10_000),
        ("all ttl equal", |c| (c.ttl_min, c.ttl_default, c.ttl_max) = (5, 5, 5)),
        ("page of 100", |c| c.limits.page = 100),
        ("largest payload", |c| c.limits.payload = 100_000),
        ("denial costs as much as the request", |c| c.denial_fee = Uint128::new(114)),
        ("failing pays half of answering", |c| c.failure_fee = Uint128::new(51)),
        ("nothing costs anything", |c| {
            (c.denial_fee, c.failure_fee) = (Uint128::zero(), Uint128::zero());
            c.fees.public_decrypt = kms_asc_api::FeeSchedule {
                base: Uint128::zero(),
                per_ciphertext: Uint128::zero(),
                per_kib: Uint128::zero(),
            };
        }),
        ("a large chain id", |c| c.key_domain.chain_id = u64::MAX),
    ];
    for (what, change) in cases {
        let refusal = SuiteBuilder::centralized().config(change).try_build().err();
        assert_eq!(refusal, None, "{what}");
    }
}

/// Four parties share what one would get alone, so the fee that fits one is too much for four.
#[test]
fn the_failure_fee_is_measured_against_one_partys_share() {
    let with_fee = |fee| SuiteBuilder::threshold().config(|c| c.failure_fee = Uint128::new(fee)).try_build();
    // 102 of the lowest price for four parties: 25 each, and 12 is under half of it.
    assert_eq!(with_fee(13).err().unwrap().code, "invalid_config");
    assert!(with_fee(12).is_ok());
}

fn refused_epoch(epoch: Epoch) -> Option<String> {
    let made = SuiteBuilder::centralized().epoch(|e| *e = epoch).try_build();
    made.err().map(|refusal| refusal.code)
}

#[test]
fn operators_that_break_a_rule_are_refused() {
    use EpochMode::{Centralized, Replicated, Threshold};
    let cases = [
        ("nobody", Centralized, 0, 0, 1, 1),
        ("two that are centralized", Centralized, 2, 0, 2, 1),
        ("a faulty centralized one", Centralized, 1, 1, 1, 1),
        ("half as majority", Replicated, 4, 0, 2, 1),
        ("a majority that needs the faulty", Replicated, 4, 1, 4, 1),
        ("no reconstruction", Replicated, 4, 1, 3, 0),
        ("a reconstruction that needs the faulty", Replicated, 4, 1, 3, 4),
        ("too many replicas", Replicated, 32, 0, 17, 1),
        ("too many shares", Threshold, 16, 1, 9, 3),
        ("more faulty than parties", Threshold, 4, 5, 3, 3),
        ("too few for one faulty", Threshold, 3, 1, 2, 2),
        ("a majority under 2 faulty + 1", Threshold, 7, 2, 4, 5),
        ("a reconstruction under 2 faulty + 1", Threshold, 4, 1, 3, 2),
        ("numbers that overflow", Threshold, 4, u32::MAX, 3, 3),
    ];
    for (what, mode, n, faulty, majority, reconstruction) in cases {
        let epoch = Epoch { reconstruction, ..terms::epoch(mode, n, faulty, majority) };
        assert_eq!(refused_epoch(epoch), Some("invalid_epoch".to_owned()), "{what}");
    }
}

#[test]
fn every_mode_of_operators_is_taken_at_its_largest() {
    use EpochMode::{Centralized, Replicated, Threshold};
    // Shares of the lowest price shrink with the number of operators, and the fee with them.
    for (mode, n, faulty, majority) in
        [(Centralized, 1, 0, 1), (Replicated, 31, 15, 16), (Threshold, 15, 4, 11), (Threshold, 4, 1, 3)]
    {
        let made = SuiteBuilder::centralized()
            .epoch(|e| *e = terms::epoch(mode, n, faulty, majority))
            .config(|c| c.failure_fee = Uint128::new(1))
            .try_build();
        assert_eq!(made.err(), None, "{mode:?} with {n}");
    }
}

#[test]
fn a_party_that_is_not_in_order_is_refused() {
    let cases: [(&str, Change<Epoch>, &str); 7] = [
        ("first epoch is not 1", |e| e.id = EpochId(2), "invalid_epoch"),
        ("numbers with a gap", |e| e.parties[3].party = PartyId(5), "invalid_epoch"),
        ("no name", |e| e.parties[0].name.clear(), "invalid_epoch"),
        ("a long name", |e| e.parties[0].name = "n".repeat(65), "invalid_epoch"),
        ("a key twice", |e| e.parties[1].signer = e.parties[0].signer, "invalid_epoch"),
        ("an uncompressed key", |e| e.parties[0].signer = PublicKey::new([4; 33]), "invalid_epoch"),
        ("payout to nowhere", |e| e.parties[2].payout = "nowhere".to_owned(), "invalid_address"),
    ];
    for (what, change, code) in cases {
        let refusal = SuiteBuilder::threshold().epoch(change).try_build().err();
        assert_eq!(refusal.map(|r| r.code), Some(code.to_owned()), "{what}");
    }
}

#[test]
fn the_governor_is_kept_in_state() {
    let suite = Suite::new();
    assert_eq!(state_key::ADMIN.load(&*suite.storage()).unwrap(), account("admin"));
}
