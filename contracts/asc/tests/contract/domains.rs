//! Under which domain a key answers, whatever became of the parameters since.

use kms_asc_api::{ExecuteMsg, ItemOutcome, KeyId, Outcome, State, eip712::Receipt};

use crate::suite::{Suite, key_gen, sign, word};

const RENAMED: &str = "kms-renamed";

fn rename_domains(suite: &mut Suite, name: &str) {
    let mut config = suite.config.clone();
    config.key_domain.name = name.to_owned();
    let admin = suite.admin();
    suite.done(&admin, &ExecuteMsg::UpdateConfig { config: Box::new(config.clone()) });
    suite.config = config;
}

/// Asks for a decryption and answers it under the domain of the key's record.
fn answers(suite: &mut Suite, key_id: KeyId) {
    let id = suite.decryption(key_id);
    suite.fulfil(id, &word(7));
    assert_eq!(suite.view(id).state, State::Fulfilled, "key {key_id}");
}

#[test]
fn keys_of_before_and_after_a_change_of_the_parameters_answer_each_under_its_own_domain() {
    let mut suite = Suite::new();
    let old = suite.key();
    let pending = suite.request(&suite.owner(), key_gen());
    rename_domains(&mut suite, "Other");
    // Asked for before, made after: under the new parameters.
    let payload = suite.key_payload(pending);
    suite.fulfil(pending, &payload);
    let between = KeyId::from(pending);
    let new = suite.key();
    let names = [old, between, new].map(|id| suite.key_record(id).domain.name);
    assert_eq!(names[1..], ["Other", "Other"]);
    assert_ne!(names[0], "Other");
    for key_id in [old, between, new] {
        answers(&mut suite, key_id);
    }
    rename_domains(&mut suite, &names[0]);
    for key_id in [old, between, new] {
        answers(&mut suite, key_id);
    }
}

#[test]
fn keys_keep_their_domain_when_the_chain_gets_another_name() {
    let mut suite = Suite::new();
    let key_id = suite.key();
    let domain = suite.key_record(key_id).domain;
    answers(&mut suite, key_id);
    suite.app.update_block(|block| block.chain_id = RENAMED.to_owned());
    // The replay after each message knows one name of the chain.
    suite.change_state(|_| ());
    let id = suite.decryption(key_id);
    let mut answer = suite.answer(id, 1, &word(7));
    let receipt = Receipt { chain_id: RENAMED, ..suite.receipt(id, 1, Outcome::Answer, &word(7)) };
    answer.receipt = sign(1, &receipt.signing_hash()).into();
    assert_eq!(suite.key_record(key_id).domain, domain);
    assert_eq!(suite.respond(vec![answer]), [ItemOutcome::Recorded]);
}
