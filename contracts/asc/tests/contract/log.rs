//! The log: dense, chained by hash, and enough to tell the whole story.

use kms_asc_api::log::{LogBody, LogEntry, LogHead};
use kms_asc_api::{Digest, FailureCode, LogPage, QueryMsg, state_key};

use crate::suite::{START, Suite, account, ciphertext, payout, public_decrypt, signature, word};

/// A life with every kind of entry that this version writes.
pub fn eventful() -> Suite {
    let mut suite = Suite::threshold();
    let key_id = suite.key();
    let (fulfilled, failed, expired) =
        (suite.decryption(key_id), suite.decryption(key_id), suite.decryption(key_id));
    suite.submit(&suite.stranger(), public_decrypt(key_id, vec![ciphertext(1)]), 117).unwrap();
    suite.respond((1..=4).map(|party| suite.answer(fulfilled, party, &word(7))).collect());
    suite.respond(vec![suite.answer(fulfilled, 1, &word(8))]);
    suite.report((1..=2).map(|party| suite.failure(failed, party, FailureCode::WrongType, 0)).collect());
    suite.at(START + 60);
    suite.block_address(&suite.owner());
    suite.close(&[expired]);
    suite.withdraw(&payout(1), None).unwrap();
    suite
}

#[test]
fn a_life_is_told_entry_by_entry() {
    let kinds: Vec<_> = eventful().log().iter().map(|entry| entry.body.kind()).collect();
    let expected = [
        ["instantiated", "config_set", "epoch_set"].as_slice(),
        &["request_submitted", "response_recorded", "response_recorded", "response_recorded"],
        &["request_fulfilled", "key_activated"],
        &["request_submitted", "request_submitted", "request_submitted", "request_denied"],
        &["response_recorded", "response_recorded", "response_recorded", "request_fulfilled"],
        &["response_late", "equivocation"],
        &["failure_recorded", "failure_recorded", "request_failed"],
        &["request_expired", "refund_credited", "withdrawn"],
    ];
    assert_eq!(kinds, expected.concat());
}

#[test]
fn an_entry_is_kept_as_the_documented_bytes() {
    let suite = eventful();
    let seq = u64::try_from(suite.log().len()).unwrap();
    let bytes = state_key::LOG.may_load(&*suite.storage(), seq).unwrap();
    let expected = format!(
        concat!(
            r#"{{"v":1,"seq":{},"height":101,"time":1700000060,"actor":"{1}","kind":"withdrawn","#,
            r#""request_id":null,"body":{{"address":"{1}","to":"{1}","amount":"335"}}}}"#
        ),
        seq,
        payout(1)
    );
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
}

/// The chain of hashes, computed here from its definition.
#[test]
fn the_head_is_the_hash_of_all_entries() {
    let suite = eventful();
    let mut hash = [0; 32];
    let mut count = 0u64;
    while let Some(entry) = state_key::LOG.may_load(&*suite.storage(), count + 1) {
        hash = *Digest::sha256(&[b"kms-asc-log-v1".as_slice(), &hash, &entry].concat()).as_bytes();
        count += 1;
    }
    let raw = suite.storage().get(b"log_head").unwrap();
    assert_eq!(raw, [count.to_be_bytes().as_slice(), &hash].concat());
    let head: LogHead = suite.query(&QueryMsg::LogHead {}).unwrap();
    assert_eq!(head, LogHead { count, hash: Digest::new(hash) });
    assert_eq!(count, 25);
}

#[test]
fn the_actor_is_the_sender_of_the_message_and_of_replies_the_contract() {
    let suite = eventful();
    let actor_of = |kind: &str| {
        let entry = suite.log().into_iter().find(|entry| entry.body.kind() == kind).unwrap();
        entry.actor
    };
    assert_eq!(actor_of("instantiated"), suite.contract.as_str());
    assert_eq!(actor_of("request_submitted"), suite.owner().as_str());
    assert_eq!(actor_of("request_denied"), suite.stranger().as_str());
    assert_eq!(actor_of("response_recorded"), account("relayer").as_str());
    assert_eq!(actor_of("request_expired"), account("passer-by").as_str());
    assert_eq!(actor_of("refund_credited"), suite.contract.as_str());
}

#[test]
fn an_equivocation_keeps_both_receipts() {
    let mut suite = Suite::threshold();
    let key_id = suite.key();
    let id = suite.decryption(key_id);
    let (first, second) = (suite.answer(id, 1, &word(7)), suite.answer(id, 1, &word(8)));
    suite.respond(vec![first.clone(), second.clone()]);
    let LogBody::Equivocation { party, epoch, first: kept, second: conflicting } =
        suite.log().pop().unwrap().body
    else {
        panic!("equivocation")
    };
    assert_eq!((party, epoch), (first.party, suite.epoch.id));
    assert_eq!(
        (kept.receipt, kept.payload_digest, kept.outcome),
        (signature(&first.receipt), Digest::sha256(&word(7)), 0)
    );
    assert_eq!(conflicting.receipt, signature(&second.receipt));
    assert_eq!(conflicting.payload_digest, Digest::sha256(&word(8)));
}

#[test]
fn pages_of_the_log_join_without_gap_or_overlap() {
    let suite = eventful();
    let page = |from, limit| -> LogPage { suite.query(&QueryMsg::Log { from, limit }).unwrap() };
    let mut seqs = Vec::new();
    let mut next = Some(0);
    while let Some(from) = next {
        let page = page(from, Some(10));
        let parse = |bytes: &cosmwasm_std::Binary| LogEntry::parse(bytes.as_slice()).unwrap().seq;
        seqs.extend(page.entries.iter().map(parse));
        next = page.next;
    }
    assert_eq!(seqs, (1..=25).collect::<Vec<_>>());
    assert_eq!(page(26, None).entries.len(), 0);
    assert_eq!(page(u64::MAX, None).next, None);
    assert_eq!(page(1, None).entries.len(), 20, "as many as named by default");
    assert_eq!(page(1, Some(u32::MAX)).entries.len(), 25);
}
