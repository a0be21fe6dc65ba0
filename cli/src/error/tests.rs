use super::*;

fn refused(text: &str) -> Error {
    kms_chain::Error::ContractQuery { contract: "wasm1asc".into(), message: text.into() }.into()
}

fn simulation(text: &str) -> Error {
    let log = format!("failed to execute message; message index: 0: {text}: execute wasm contract failed");
    kms_chain::Error::Simulation { log }.into()
}

/// One line for each promise of the exit statuses.
#[test]
fn every_kind_of_error_has_its_exit_status_and_code() {
    let id = RequestId(7);
    let digest = kms_store::Digest::from_bytes([1; 32]);
    let table: Vec<(Error, u8, &str)> = vec![
        (Error::NoConfig { looked_for: "x".into() }, 2, "no_config"),
        (Error::Usage("x".into()), 2, "usage"),
        (Error::NoContract, 3, "no_contract"),
        (refused("[unknown_request] there is no request 9"), 3, "unknown_request"),
        (refused("[unknown_key] there is no key 9"), 3, "unknown_key"),
        (refused("[unknown_crs] there is no reference string 9"), 3, "unknown_crs"),
        (refused("[not_found] there is no epoch 9"), 3, "not_found"),
        (refused("[invalid_address] \"x\" is no address"), 2, "invalid_address"),
        (refused("[state] damaged"), 1, "state"),
        (simulation("[insufficient_fee] 5 sent"), 4, "insufficient_fee"),
        (simulation("[wrong_funds] 5uatom sent"), 4, "wrong_funds"),
        (simulation("[paused] no"), 4, "paused"),
        (simulation("[over_limit] ciphertexts: 0 given"), 4, "over_limit"),
        (simulation("[unknown_key] there is no key 9"), 3, "unknown_key"),
        (kms_chain::Error::InsufficientFunds { log: "x".into() }.into(), 4, "insufficient_funds"),
        (kms_chain::Error::UnknownAccount { address: "x".into() }.into(), 3, "unknown_account"),
        (
            kms_chain::Error::Unreachable { method: "status", reason: "refused".into() }.into(),
            1,
            "node_unreachable",
        ),
        (kms_chain::Error::WrongChain { expected: "a".into(), found: "b".into() }.into(), 2, "wrong_chain"),
        (Error::Store(StoreError::NotFound { kind: "public", digest }), 3, "store_not_found"),
        (
            Error::Store(StoreError::DigestMismatch { kind: "public", digest, found: digest }),
            6,
            "store_digest_mismatch",
        ),
        (Error::Denied { id, reason: "permission".into() }, 4, "permission"),
        (Error::RequestFailed { id, reason: "wrong_type".into(), refund: "1u".into() }, 4, "wrong_type"),
        (Error::Unanswered { id, state: "expired", refund: "1u".into() }, 5, "expired"),
        (Error::NotClosed { id }, 5, "not_closed"),
        (Error::WaitedTooLong { id, seconds: 9 }, 5, "waited_too_long"),
        (Error::NotDue { ids: "7".into() }, 4, "not_due"),
        (Error::CrsNotAllowed { crs: CrsId(2), key: KeyId(1) }, 4, "crs_not_allowed"),
        (Error::NoInput { id }, 6, "no_input"),
        (EncryptError::LargerThanCrs { bits: 65, max: 64 }.into(), 2, "encrypt_larger_than_crs"),
        (Error::NotFound("key 7".into()), 3, "not_found"),
        (Error::Log(LogError::Order { expected: 1, given: 2 }), 6, "log_unverified"),
        (Error::Replay(kms_audit::ReplayError::Unfinished { expected: "x".into() }), 6, "log_inconsistent"),
        (Error::Unverified("x".into()), 6, "unverified"),
        (Error::Internal("x".into()), 1, "internal"),
    ];
    for (error, exit, code) in table {
        assert_eq!((error.exit().number(), error.code()), (exit, code), "{error}");
    }
}

#[test]
fn a_contracts_refusal_is_shown_without_the_nodes_wrapping() {
    let shown = simulation("[insufficient_fee] 5ukms sent, the price is 9ukms").to_string();
    assert_eq!(shown, "the contract refused: 5ukms sent, the price is 9ukms [insufficient_fee]");
}

#[test]
fn a_missing_configuration_says_how_to_get_one() {
    let text = Error::NoConfig { looked_for: "config/kms.toml".into() }.to_string();
    assert!(text.contains("make up") && text.contains("config/kms.toml"), "{text}");
}
