//! What INTERFACES names and this version does not act on is understood, and answered `unsupported`.

use cosmwasm_std::{Binary, Uint128};
use kms_asc_api::{
    Ciphertext, CiphertextFormat, CrsGen, CrsId, CrsSource, Digest, Eip712Domain, EpochId, EvmAddress,
    ExecuteMsg, KeyGen, KeyId, KeyParams, KeySource, KeyState, Operation, Provenance, QueryMsg, RequestId,
    Signature, UserDecrypt, VerifyInput,
};

use crate::suite::{DENOM, Suite, account, ciphertext, key_gen, public_decrypt};

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

fn other_key_gen(params: KeyParams, source: KeySource) -> Operation {
    Operation::KeyGen(KeyGen { params, source })
}

#[test]
fn every_other_operation_is_unsupported() {
    let mut suite = Suite::new();
    suite.key();
    let (digest, address) = (Digest::new([1; 32]), EvmAddress::new([1; 20]));
    let user_decrypt = UserDecrypt {
        key_id: KEY,
        ciphertexts: vec![ciphertext(1)],
        enc_key: Binary::from(vec![0; 869]),
        user: address,
        contracts: vec![address],
        valid_from: 0,
        valid_days: 1,
        user_signature: Signature::new([0; 65]),
        domain: None,
        extra_data: Binary::default(),
    };
    let verify_input = VerifyInput {
        key_id: KEY,
        crs_id: CrsId(1),
        digest,
        size: 1,
        user: address,
        contract: address,
        acl: address,
        chain_id: 1,
        domain: None,
        extra_data: Binary::default(),
    };
    let operations = [
        (other_key_gen(KeyParams::Test, KeySource::Generate), "params test"),
        (other_key_gen(KeyParams::Default, KeySource::Import { digests: vec![] }), "source import"),
        (other_key_gen(KeyParams::Default, KeySource::Takeover { key_id: KEY }), "source takeover"),
        (Operation::CrsGen(CrsGen { max_bits: 2048, source: CrsSource::Generate }), "crs_gen"),
        (Operation::CrsGen(CrsGen { max_bits: 2048, source: CrsSource::Import { digest } }), "crs_gen"),
        (Operation::UserDecrypt(user_decrypt), "user_decrypt"),
        (Operation::VerifyInput(verify_input), "verify_input"),
    ];
    for (operation, what) in operations {
        let refusal = suite.submit(&suite.owner(), operation, 10_000).unwrap_err();
        assert_eq!(refusal.code, "unsupported", "{what}: {}", refusal.text);
        assert!(refusal.text.ends_with(what), "{}", refusal.text);
    }
}

#[test]
fn every_other_field_of_a_request_is_unsupported() {
    let mut suite = Suite::new();
    suite.key();
    let with = |change: &dyn Fn(&mut Ciphertext)| {
        let mut ciphertext = ciphertext(1);
        change(&mut ciphertext);
        public_decrypt(KEY, vec![ciphertext])
    };
    let attested =
        Provenance::Attested { user: None, contract: None, valid_until: u64::MAX, signatures: vec![] };
    let verified = Provenance::Verified { request_id: RequestId(1) };
    let operations = [
        (with(&|c| c.provenance = verified.clone()), "provenance verified"),
        (with(&|c| c.provenance = attested.clone()), "provenance attested"),
        (with(&|c| c.format = CiphertextFormat::Compressed), "format compressed"),
        (with(&|c| c.format = CiphertextFormat::Compact), "format compact"),
    ];
    for (operation, what) in operations {
        let refusal = suite.submit(&suite.owner(), operation, 10_000).unwrap_err();
        assert_eq!(refusal.code, "unsupported", "{what}: {}", refusal.text);
        assert!(refusal.text.ends_with(what), "{}", refusal.text);
    }
}

#[test]
fn every_other_query_is_unsupported() {
    let suite = Suite::new();
    let queries = [
        (QueryMsg::Epochs { start_after: None, limit: None }, "epochs"),
        (QueryMsg::Crs { id: CrsId(1) }, "crs"),
        (QueryMsg::Grants { key_id: KEY, start_after: None, limit: None }, "grants"),
    ];
    for (query, what) in queries {
        let refusal = suite.query::<Binary>(&query).unwrap_err();
        assert!(refusal.text.contains("[unsupported]"), "{what}: {}", refusal.text);
        assert!(refusal.text.contains(&format!("does not support {what}")), "{}", refusal.text);
    }
}
