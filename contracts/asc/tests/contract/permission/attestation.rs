//! Provenance `attested`: who must sign, what is signed, and how long it holds. All are asked by the owner, who
//! may decrypt anything: false evidence is refused all the same.

use kms_asc_api::eip712::Attestation;
use kms_asc_api::{Ciphertext, CiphertextFormat, Digest, EvmAddress, KeyId, Provenance};

use super::{Row, World};
use crate::suite::evidence::{
    ATTESTERS, OTHER_USER, Terms, USER, app, by_address, other_app, wallet, with_signatures,
};
use crate::suite::{START, account, other_forms, public_decrypt, sign};

const FALSE: Option<&str> = Some("provenance");

/// The same ciphertext with signatures of these seeds, in this order.
fn signed_in_order(world: &World, seeds: &[u32]) -> Ciphertext {
    let terms = Terms::open(app());
    let plain = world.attested(terms);
    let hash = world.suite.attestation(world.key, &plain, terms).signing_hash();
    with_signatures(plain, terms, seeds.iter().map(|seed| sign(*seed, &hash)).collect())
}

#[test]
fn a_threshold_of_the_attesters_signs_each_once_in_ascending_order_and_nobody_else() {
    let mut world = World::new();
    let all = by_address(&ATTESTERS);
    let [a, b, c] = all[..] else { panic!("three attesters") };
    let with_stranger = |seeds: &[u32]| by_address(&[seeds, &[OTHER_USER]].concat());
    let rows = [
        ("two of three are enough", vec![a, b], None),
        ("whichever two", vec![a, c], None),
        ("all three may sign", vec![a, b, c], None),
        ("one is too few", vec![a], FALSE),
        ("nobody is too few", vec![], FALSE),
        ("one who signs twice is one", vec![a, a], FALSE),
        ("also beside another", vec![a, b, b], FALSE),
        ("signatures descend", vec![b, a], FALSE),
        ("the third is out of order", vec![a, c, b], FALSE),
        ("a stranger does not count", with_stranger(&[a]), FALSE),
        ("a stranger spoils a threshold that is met", with_stranger(&[a, b]), FALSE),
    ];
    let owner = world.suite.owner();
    for (sentence, seeds, expected) in rows {
        let ciphertext = signed_in_order(&world, &seeds);
        assert_eq!(world.ask_public(&owner, vec![ciphertext.clone()]).as_deref(), expected, "{sentence}");
        assert_eq!(world.ask_user(&owner, vec![ciphertext]).as_deref(), expected, "{sentence}, for a user");
    }
}

#[test]
fn attestations_are_judged_against_todays_attesters() {
    let mut world = World::new();
    let (ciphertext, owner) = (world.attested(Terms::open(app())), world.suite.owner());
    for (sentence, attesters, threshold, expected) in [
        ("both are attesters", &ATTESTERS[..2], 2, None),
        ("the threshold has risen", &ATTESTERS[..], 3, FALSE),
        ("the threshold has fallen", &ATTESTERS[..], 1, None),
        ("one has left", &ATTESTERS[1..], 2, FALSE),
        ("one has left, and one would be enough", &ATTESTERS[1..], 1, FALSE),
        ("there are none", &[][..], 0, FALSE),
    ] {
        world.suite.set_attesters(world.key, attesters, threshold);
        assert_eq!(world.ask_public(&owner, vec![ciphertext.clone()]).as_deref(), expected, "{sentence}");
    }
    let unsigned = signed_in_order(&world, &[]);
    assert_eq!(world.ask_public(&owner, vec![unsigned]).as_deref(), FALSE, "nobody vouches for nothing");
}

#[test]
fn an_attestation_holds_up_to_its_last_second() {
    let mut world = World::new();
    let terms = Terms { valid_until: START + 10, ..Terms::open(app()) };
    let (ciphertext, owner) = (world.attested(terms), world.suite.owner());
    world.suite.at(START + 10);
    assert_eq!(world.ask_public(&owner, vec![ciphertext.clone()]), None);
    world.suite.at(START + 11);
    assert_eq!(world.ask_public(&owner, vec![ciphertext]).as_deref(), FALSE);
}

#[test]
fn every_signed_field_is_bound() {
    let mut world = World::new();
    let owner = world.suite.owner();
    let good = world.attested(Terms::of(wallet(USER), app()));
    assert_eq!(world.ask_public(&owner, vec![good.clone()]), None);
    let rows: [Row<Ciphertext>; 10] = [
        ("handle", |c| {
            let mut bytes = *c.handle.as_bytes();
            bytes[0] ^= 1;
            c.handle = kms_asc_api::Handle::new(bytes);
        }),
        ("digest", |c| c.digest = Digest::sha256(b"other")),
        ("size", |c| c.size += 1),
        ("format", |c| c.format = CiphertextFormat::Compact),
        ("index", |c| c.index += 1),
        ("type", |c| {
            let mut bytes = *c.handle.as_bytes();
            bytes[30] = 3;
            (c.handle, c.fhe_type) = (kms_asc_api::Handle::new(bytes), kms_asc_api::FheType::Uint16);
        }),
        ("user", |c| change_terms(c, |user, _, _| *user = Some(wallet(OTHER_USER)))),
        ("no user", |c| change_terms(c, |user, _, _| *user = None)),
        ("app", |c| change_terms(c, |_, contract, _| *contract = Some(other_app()))),
        ("time", |c| change_terms(c, |_, _, valid_until| *valid_until += 1)),
    ];
    for (sentence, change) in rows {
        let mut changed = good.clone();
        change(&mut changed);
        assert_eq!(world.ask_public(&owner, vec![changed]).as_deref(), FALSE, "{sentence}");
    }
    let elsewhere = public_decrypt(world.other_key, vec![good]);
    assert_eq!(world.ask(&owner, elsewhere).as_deref(), FALSE, "the same attesters, for another key");
}

fn change_terms(
    ciphertext: &mut Ciphertext,
    change: fn(&mut Option<EvmAddress>, &mut Option<EvmAddress>, &mut u64),
) {
    let Provenance::Attested { user, contract, valid_until, .. } = &mut ciphertext.provenance else {
        panic!("an attested ciphertext")
    };
    change(user, contract, valid_until);
}

#[test]
fn an_attestation_for_another_chain_contract_or_key_is_none() {
    let mut world = World::new();
    let (terms, owner, elsewhere) = (Terms::open(app()), world.suite.owner(), account("elsewhere"));
    let plain = world.attested(terms);
    let honest = world.suite.attestation(world.key, &plain, terms);
    let contract = elsewhere.as_str();
    let rows = [
        ("this one", honest.signing_hash(), None),
        ("another chain", Attestation { chain_id: "other-1", ..honest.clone() }.signing_hash(), FALSE),
        ("another contract", Attestation { contract, ..honest.clone() }.signing_hash(), FALSE),
        ("another key", Attestation { key_id: KeyId(99), ..honest.clone() }.signing_hash(), FALSE),
    ];
    for (sentence, hash, expected) in rows {
        let signatures = by_address(&ATTESTERS).into_iter().map(|seed| sign(seed, &hash)).collect();
        let signed = with_signatures(plain.clone(), terms, signatures);
        assert_eq!(world.ask_public(&owner, vec![signed]).as_deref(), expected, "{sentence}");
    }
}

#[test]
fn a_signature_that_is_not_canonical_counts_for_nobody() {
    let mut world = World::new();
    let owner = world.suite.owner();
    let good = world.attested(Terms::open(app()));
    let Provenance::Attested { signatures, .. } = &good.provenance else { panic!("attested") };
    for position in [0, 1] {
        for form in other_forms(&signatures[position]) {
            let mut signatures = signatures.clone();
            signatures[position] = form;
            let changed = with_signatures(good.clone(), Terms::open(app()), signatures);
            assert_eq!(world.ask_public(&owner, vec![changed]).as_deref(), FALSE);
        }
    }
}
