//! What INTERFACES names and this version does not act on is understood, and answered `unsupported`.

use cosmwasm_std::{Binary, Uint128, coins};
use kms_asc_api::{
    Callback, CrsId, Digest, Eip712Domain, EpochId, EvmAddress, ExecuteMsg, KeyId, KeyState, QueryMsg,
    RequestId,
};

use crate::suite::{DENOM, Suite, account, key_gen};

const KEY: KeyId = KeyId(1);

#[test]
fn every_other_message_is_unsupported_whoever_sends_it() {
    let mut suite = Suite::new();
    let id = suite.request(&suite.owner(), key_gen());
    let payload = suite.key_payload(id);
    suite.respond(vec![suite.answer(id, 1, &payload)]);
    let somebody = || account("somebody").to_string();
    let domain = Eip712Domain { name: "Other".to_owned(), ..suite.default_domain(KEY) };
    let (config, epoch) = (Box::new(suite.config.clone()), Box::new(suite.epoch.clone()));
    let msgs = [
        ExecuteMsg::Cancel { request_id: id },
        ExecuteMsg::Grant { key_id: KEY, grantee: somebody(), until: None },
        ExecuteMsg::Revoke { key_id: KEY, grantee: somebody() },
        ExecuteMsg::SetAttesters { key_id: KEY, attesters: vec![EvmAddress::new([1; 20])], threshold: 1 },
        ExecuteMsg::SetCrs { key_id: KEY, crs_ids: vec![CrsId(1)] },
        ExecuteMsg::SetKeyState { key_id: KEY, state: KeyState::Suspended },
        ExecuteMsg::OfferKey { key_id: KEY, to: somebody() },
        ExecuteMsg::AcceptKey { key_id: KEY },
        ExecuteMsg::SetEpoch { epoch },
        ExecuteMsg::RevokeEpoch { epoch: EpochId(1) },
        ExecuteMsg::UpdateConfig { config },
        ExecuteMsg::RegisterDomain { key_id: KEY, domain },
        ExecuteMsg::Pause {},
        ExecuteMsg::Unpause {},
        ExecuteMsg::WithdrawTreasury { to: None, amount: Uint128::new(1) },
        ExecuteMsg::SweepSurplus { denom: DENOM.to_owned(), to: None },
        ExecuteMsg::ScheduleMigration { code_id: 1, checksum: Digest::new([0; 32]) },
        ExecuteMsg::MigrateNow {},
        ExecuteMsg::ProposeAdmin { admin: somebody() },
        ExecuteMsg::AcceptAdmin {},
    ];
    for msg in msgs {
        for sender in [account("admin"), suite.owner(), suite.stranger()] {
            let refusal = suite.execute(&sender, &msg, &[]).unwrap_err();
            assert_eq!(refusal.code, "unsupported", "{}", msg.name());
            assert!(refusal.text.ends_with(&format!("does not support {}", msg.name())), "{}", refusal.text);
        }
    }
}

#[test]
fn a_callback_is_unsupported() {
    let mut suite = Suite::new();
    let callback = Some(Callback { gas_limit: 100_000 });
    let msg = ExecuteMsg::SubmitRequest { operation: Box::new(key_gen()), ttl: None, callback };
    let refusal = suite.execute(&suite.owner(), &msg, &coins(10_000, DENOM)).unwrap_err();
    assert_eq!(refusal.code, "unsupported");
}

#[test]
fn every_other_query_is_unsupported() {
    let suite = Suite::new();
    let queries = [
        (QueryMsg::Epochs { start_after: None, limit: None }, "epochs"),
        (QueryMsg::Crs { id: CrsId(1) }, "crs"),
        (QueryMsg::Grants { key_id: KEY, start_after: None, limit: None }, "grants"),
        (QueryMsg::WhyPending { request_id: RequestId(1) }, "why_pending"),
    ];
    for (query, what) in queries {
        let refusal = suite.query::<Binary>(&query).unwrap_err();
        assert!(refusal.text.contains("[unsupported]"), "{what}: {}", refusal.text);
        assert!(refusal.text.contains(&format!("does not support {what}")), "{}", refusal.text);
    }
}
