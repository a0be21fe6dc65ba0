//! Keys and reference strings that are made or brought in.

use kms_asc_api::event::Event;
use kms_asc_api::log::LogBody;
use kms_asc_api::{
    CrsGen, CrsId, CrsRecord, CrsSource, Digest, EpochMode, ItemOutcome, KeyDigest, KeyGen, KeyId, KeyParams,
    KeySource, KeyType, Operation, RejectReason, RequestId, State, payload, state_key,
};

use crate::suite::{
    START, Suite, SuiteBuilder, crs_gen, import_crs, import_key, key_gen, key_gen_from, sign, terms,
};

const RECORDED: ItemOutcome = ItemOutcome::Recorded;

fn rejected(reason: RejectReason) -> ItemOutcome {
    ItemOutcome::Rejected(reason)
}

fn denied(suite: &mut Suite, operation: Operation) -> Option<String> {
    let id = suite.submit(&suite.owner(), operation, 5000).unwrap().request_id;
    suite.view(id).reason
}

/// The payload that names exactly what an import asked for.
fn asked_payload(suite: &Suite, id: RequestId) -> Vec<u8> {
    match suite.body(id).operation {
        Operation::KeyGen(KeyGen { source: KeySource::Import { digests }, .. }) => {
            payload::encode_key_digests(&digests)
        }
        Operation::CrsGen(CrsGen { source: CrsSource::Import { digest }, .. }) => digest.as_bytes().to_vec(),
        other => panic!("{} imports nothing", other.kind()),
    }
}

#[test]
fn a_string_comes_to_be_with_its_record_entry_event_and_digest() {
    let mut suite = Suite::threshold();
    let id = suite.request(&suite.owner(), crs_gen());
    let digest = Digest::sha256(b"string");
    suite.respond((1..=2).map(|party| suite.answer(id, party, digest.as_bytes())).collect());
    assert!(!state_key::CRS.has(&*suite.storage(), id.get()), "no quorum, no string");
    suite.at(START + 9);
    let responses = vec![suite.answer(id, 3, digest.as_bytes())];
    let msg = kms_asc_api::ExecuteMsg::SubmitResponses { responses };
    let done = suite.execute(&suite.stranger(), &msg, &[]).unwrap();
    let crs_id = CrsId::from(id);
    assert_eq!(done.events.last(), Some(&Event::Crs { crs_id }));
    let crs = CrsRecord {
        id: crs_id,
        epoch: suite.epoch.id,
        owner: suite.owner().to_string(),
        max_bits: 2048,
        imported: false,
        digest,
        height: 101,
        time: START + 9,
    };
    assert_eq!(state_key::CRS.load(&*suite.storage(), id.get()).unwrap(), crs);
    assert_eq!(state_key::DIGEST.load(&*suite.storage(), digest.as_bytes()).unwrap(), id);
    let entry = suite.log().pop().unwrap();
    assert_eq!((entry.request_id, entry.body), (Some(id), LogBody::CrsActivated { crs }));
}

#[test]
fn the_statement_about_a_string_names_its_id_size_and_digest() {
    let mut suite = Suite::new();
    let id = suite.request(&suite.owner(), crs_gen());
    let (digest, crs_id) = (Digest::sha256(b"string"), CrsId::from(id));
    let (own, other) = (suite.default_domain(id.into()), suite.default_domain(KeyId(99)));
    let hash = kms_asc_api::eip712::crs_gen_hash;
    let wrong = [
        hash(&other, crs_id, 2048, &digest),
        hash(&own, CrsId(99), 2048, &digest),
        hash(&own, crs_id, 2049, &digest),
        hash(&own, crs_id, 2048, &Digest::sha256(b"other")),
    ];
    for hash in wrong {
        let mut answer = suite.answer(id, 1, digest.as_bytes());
        answer.external_signature = Some(sign(1, &hash).into());
        assert_eq!(suite.respond(vec![answer]), [rejected(RejectReason::ExternalSignature)]);
    }
    for payload in [&[][..], &[0; 31], &[0; 33]] {
        assert_eq!(suite.respond(vec![suite.answer(id, 1, payload)]), [rejected(RejectReason::Payload)]);
    }
    assert_eq!(suite.respond(vec![suite.answer(id, 1, digest.as_bytes())]), [RECORDED]);
}

#[test]
fn a_string_has_a_size_within_bounds() {
    let mut suite = Suite::new();
    for (max_bits, good) in [(0, false), (1, true), (4096, true), (4097, false), (u32::MAX, false)] {
        let operation = Operation::CrsGen(CrsGen { max_bits, source: CrsSource::Generate });
        let submitted = suite.submit(&suite.owner(), operation, 1000).map_err(|refusal| refusal.code);
        assert_eq!(submitted.err(), (!good).then(|| "malformed".to_owned()), "{max_bits}");
    }
}

#[test]
fn an_import_is_answered_with_what_was_asked_for_and_nothing_else() {
    let mut suite = Suite::new();
    let digest = Digest::sha256(b"string");
    for operation in [import_key("server", "public"), import_crs(digest)] {
        let id = suite.request(&suite.owner(), operation);
        let asked = asked_payload(&suite, id);
        for at in [asked.len() - 1, 0] {
            let mut other = asked.clone();
            other[at] ^= 1;
            let answer = suite.answer(id, 1, &other);
            assert_eq!(suite.respond(vec![answer]), [rejected(RejectReason::Payload)], "byte {at}");
        }
        assert_eq!(suite.respond(vec![suite.answer(id, 1, &asked)]), [RECORDED]);
    }
    assert!(suite.key_record(KeyId(1)).imported);
    assert!(state_key::CRS.load(&*suite.storage(), 2).unwrap().imported);
    assert_eq!(suite.newest_kinds(2), ["request_fulfilled", "crs_activated"]);
}

#[test]
fn an_import_names_both_parts_of_a_key_in_order() {
    let mut suite = Suite::new();
    let part = |key_type| KeyDigest { key_type, digest: Digest::sha256(b"part") };
    let (server, public) = (part(KeyType::Server), part(KeyType::Public));
    for digests in
        [vec![], vec![server], vec![public, server], vec![server, server], vec![server, public, public]]
    {
        let operation = key_gen_from(KeySource::Import { digests });
        assert_eq!(suite.submit(&suite.owner(), operation, 2000).unwrap_err().code, "malformed");
    }
}

#[test]
fn operators_who_each_hold_the_whole_key_import_and_do_not_generate() {
    let epoch = terms::epoch(EpochMode::Replicated, 3, 1, 2);
    let mut suite = SuiteBuilder::centralized().epoch(|e| *e = epoch).build();
    for operation in [key_gen(), crs_gen()] {
        assert_eq!(suite.submit(&suite.owner(), operation, 2000).unwrap_err().code, "generate_refused");
    }
    for operation in [import_key("server", "public"), import_crs(Digest::sha256(b"string"))] {
        let id = suite.request(&suite.owner(), operation);
        suite.fulfil(id, &asked_payload(&suite, id));
        assert_eq!(suite.view(id).state, State::Fulfilled);
    }
}

#[test]
fn small_parameters_are_the_operators_to_judge() {
    let mut suite = Suite::new();
    let operation = Operation::KeyGen(KeyGen { params: KeyParams::Test, source: KeySource::Generate });
    let id = suite.request(&suite.owner(), operation);
    suite.fulfil(id, &suite.key_payload(id));
    assert_eq!(suite.key_record(id.into()).params, KeyParams::Test);
}

#[test]
fn material_belongs_to_one_request_for_good() {
    let mut suite = Suite::new();
    let (key, crs) = (suite.key(), suite.crs());
    let digests = suite.key_record(key).digests;
    let string = state_key::CRS.load(&*suite.storage(), crs.get()).unwrap().digest;
    let fresh = Digest::sha256(b"fresh");
    let with = |server, public| {
        let part = |key_type, digest| KeyDigest { key_type, digest };
        let digests = vec![part(KeyType::Server, server), part(KeyType::Public, public)];
        key_gen_from(KeySource::Import { digests })
    };
    let (server, public) = (digests[0].digest, digests[1].digest);
    for (sentence, operation) in [
        ("both parts of a key", with(server, public)),
        ("its server part alone", with(server, fresh)),
        ("its public part alone", with(fresh, public)),
        ("a part as the other part", with(fresh, server)),
        ("a string as a part of a key", with(string, fresh)),
        ("the string", import_crs(string)),
        ("a part of a key as a string", import_crs(public)),
    ] {
        assert_eq!(denied(&mut suite, operation).as_deref(), Some("digest_registered"), "{sentence}");
    }
    let id = suite.request(&suite.owner(), crs_gen());
    let answer = suite.answer(id, 1, string.as_bytes());
    assert_eq!(suite.respond(vec![answer]), [rejected(RejectReason::DigestRegistered)], "as a new string");
}

/// Two owners ask for the same material before it is registered: the first quorum takes it.
#[test]
fn of_two_pending_imports_of_the_same_material_one_is_fulfilled() {
    let digest = Digest::sha256(b"string");
    for operation in [import_key("server", "public"), import_crs(digest)] {
        let mut suite = Suite::threshold();
        let first = suite.request(&suite.owner(), operation.clone());
        let second = suite.request(&suite.stranger(), operation);
        let bytes = asked_payload(&suite, first);
        suite.respond((1..=2).map(|party| suite.answer(first, party, &bytes)).collect());
        let batch = [(second, 1), (second, 2), (second, 3), (first, 3), (first, 4), (second, 4)];
        let batch = batch.map(|(id, party)| suite.answer(id, party, &bytes));
        let registered = rejected(RejectReason::DigestRegistered);
        let outcomes = suite.respond(batch.to_vec());
        let late = ItemOutcome::Late;
        assert_eq!(outcomes, [RECORDED, RECORDED, RECORDED, registered, registered, late]);
        assert_eq!((suite.view(first).state, suite.view(second).state), (State::Pending, State::Fulfilled));
        suite.at(START + 60);
        suite.close(&[first]);
        assert_eq!(suite.view(first).state, State::Expired);
    }
}

#[test]
fn a_key_whose_domain_is_taken_is_not_asked_for_and_not_made() {
    let mut suite = Suite::new();
    let key = suite.key();
    let pending = suite.request(&suite.owner(), key_gen());
    for id in [pending.get(), pending.get() + 1] {
        let domain = suite.default_domain(KeyId(id));
        suite.register_domain(key, &domain);
    }
    for operation in [key_gen(), import_key("server", "public")] {
        assert_eq!(suite.submit(&suite.owner(), operation, 2000).unwrap_err().code, "domain_registered");
    }
    let payload = suite.key_payload(pending);
    let answer = suite.answer(pending, 1, &payload);
    assert_eq!(suite.respond(vec![answer]), [rejected(RejectReason::DomainRegistered)]);
    suite.crs();
    suite.key();
}
