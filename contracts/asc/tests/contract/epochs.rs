//! A revoked epoch: its answers are late, and no request is put to it.

use kms_asc_api::{EpochMode, ItemOutcome, KeySource, Operation};

use crate::suite::evidence::verify_input;
use crate::suite::{
    START, Suite, ciphertext, crs_gen, import_crs, import_key, key_gen, key_gen_from, public_decrypt, terms,
    word,
};

fn denied(suite: &mut Suite, operation: Operation) -> Option<String> {
    let id = suite.submit(&suite.owner(), operation, 5000).unwrap().request_id;
    suite.view(id).reason
}

#[test]
fn from_revocation_on_answers_and_failures_are_late() {
    let mut suite = Suite::threshold();
    let key = suite.key();
    let id = suite.decryption(key);
    suite.respond(vec![suite.answer(id, 1, &word(7))]);
    suite.at(START + 5);
    suite.revoke_epoch(suite.epoch.id);
    let late = [ItemOutcome::Late; 2];
    assert_eq!(suite.respond(vec![suite.answer(id, 2, &word(7)), suite.answer(id, 3, &word(7))]), late);
    let failure = suite.failure(id, 4, kms_asc_api::FailureCode::WrongType, 0);
    assert_eq!(suite.report(vec![failure]), [ItemOutcome::Late]);
    assert_eq!(suite.newest_kinds(3), ["response_late"; 3]);
    let view = suite.view(id);
    assert_eq!((view.answered.len(), view.failed.len(), view.winner), (1, 0, None));
}

#[test]
fn nothing_new_is_made_by_a_revoked_epoch() {
    let mut suite = Suite::new();
    suite.revoke_epoch(suite.epoch.id);
    let digest = kms_asc_api::Digest::sha256(b"crs");
    for operation in [key_gen(), import_key("a", "b"), crs_gen(), import_crs(digest)] {
        assert_eq!(denied(&mut suite, operation).as_deref(), Some("epoch_revoked"));
    }
}

#[test]
fn a_key_of_a_revoked_epoch_works_again_once_the_newest_has_taken_it_over() {
    let mut suite = Suite::new();
    let (key, crs) = (suite.key(), suite.crs());
    suite.set_crs(key, &[crs]);
    suite.revoke_epoch(suite.epoch.id);
    let epoch =
        kms_asc_api::Epoch { id: kms_asc_api::EpochId(2), ..terms::epoch(EpochMode::Threshold, 4, 1, 3) };
    suite.set_epoch(epoch);
    let decryption = || public_decrypt(key, vec![ciphertext(1)]);
    assert_eq!(denied(&mut suite, decryption()).as_deref(), Some("epoch_revoked"));
    let takeover = key_gen_from(KeySource::Takeover { key_id: key });
    let id = suite.request(&suite.owner(), takeover);
    let payload = suite.key_payload(key.get().to_string().parse().unwrap());
    suite.fulfil(id, &payload);
    let user = suite.user_decrypt(key, vec![ciphertext(1)]);
    for operation in
        [decryption(), Operation::UserDecrypt(user), Operation::VerifyInput(verify_input(key, crs))]
    {
        assert_eq!(denied(&mut suite, operation), None);
    }
}
