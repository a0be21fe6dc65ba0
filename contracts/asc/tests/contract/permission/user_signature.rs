//! What a user's wallet signs, and when it holds. All are asked by the key's owner, who may decrypt anything:
//! whose plaintext it is to be, the user alone says.

use cosmwasm_std::Binary;
use kms_asc_api::payload::encode_user_key;
use kms_asc_api::{Eip712Domain, EvmAddress, Operation, UserDecrypt};

use super::{Row, World};
use crate::suite::evidence::{OTHER_USER, app, other_app, wallet};
use crate::suite::{START, Suite, ciphertext, other_forms};

const WRONG: Option<&str> = Some("user_signature");
const DAY: u64 = 86_400;

fn unproven(world: &World) -> UserDecrypt {
    world.suite.user_decrypt(world.key, vec![ciphertext(1)])
}

fn ask(world: &mut World, op: UserDecrypt) -> Option<String> {
    world.ask(&world.suite.owner(), Operation::UserDecrypt(op))
}

#[test]
fn every_signed_field_is_bound_to_the_user() {
    let mut world = World::new();
    let honest = unproven(&world);
    assert_eq!(ask(&mut world, honest.clone()), None);
    let rows: [Row<UserDecrypt>; 8] = [
        ("another user", |op| op.user = wallet(OTHER_USER)),
        ("nobody", |op| op.user = EvmAddress::ZERO),
        ("another key for the answer", |op| op.enc_key = encode_user_key(&[0x43; 800]).into()),
        ("another app", |op| op.contracts = vec![other_app()]),
        ("one app more", |op| op.contracts.push(other_app())),
        ("another start", |op| op.valid_from += 1),
        ("another length", |op| op.valid_days += 1),
        ("extra data", |op| op.extra_data = Binary::from(b"x")),
    ];
    for (sentence, change) in rows {
        let mut changed = honest.clone();
        change(&mut changed);
        assert_eq!(ask(&mut world, changed).as_deref(), WRONG, "{sentence}");
    }
    let mut reordered = honest.clone();
    reordered.contracts = vec![app(), other_app()];
    world.suite.consent(&mut reordered, crate::suite::evidence::USER);
    reordered.contracts.reverse();
    assert_eq!(ask(&mut world, reordered).as_deref(), WRONG, "apps in another order");
}

#[test]
fn only_the_wallet_itself_signs_and_in_one_form() {
    let mut world = World::new();
    let honest = unproven(&world);
    for form in other_forms(&honest.user_signature) {
        let op = UserDecrypt { user_signature: form, ..honest.clone() };
        assert_eq!(ask(&mut world, op).as_deref(), WRONG);
    }
    let mut by_another = honest;
    world.suite.consent(&mut by_another, OTHER_USER);
    assert_eq!(ask(&mut world, by_another.clone()).as_deref(), WRONG);
    by_another.user = wallet(OTHER_USER);
    assert_eq!(ask(&mut world, by_another), None, "for himself he may");
}

#[test]
fn the_signature_is_under_the_domain_of_the_answer() {
    let mut world = World::new();
    let domain = Eip712Domain { name: "Other".to_owned(), ..world.suite.default_domain(world.key) };
    world.suite.register_domain(world.key, &domain);
    let under_default = unproven(&world);
    let mut under_other = UserDecrypt { domain: Some(domain), ..under_default.clone() };
    assert_eq!(ask(&mut world, under_other.clone()).as_deref(), WRONG, "signed under the default");
    world.suite.consent(&mut under_other, crate::suite::evidence::USER);
    assert_eq!(ask(&mut world, under_other.clone()), None);
    under_other.domain = None;
    assert_eq!(ask(&mut world, under_other).as_deref(), WRONG, "signed under another than the default");
    let elsewhere = world.suite.default_domain(world.other_key);
    let mut foreign = UserDecrypt { domain: Some(elsewhere), ..under_default };
    world.suite.consent(&mut foreign, crate::suite::evidence::USER);
    assert_eq!(ask(&mut world, foreign).as_deref(), Some("domain"), "a domain of another key");
}

#[test]
fn the_window_opens_with_its_first_second_and_closes_after_its_last() {
    let mut world = World::new();
    let mut op = UserDecrypt { valid_from: START + 100, valid_days: 2, ..unproven(&world) };
    world.suite.consent(&mut op, crate::suite::evidence::USER);
    let rows = [
        (START + 99, Some("window")),
        (START + 100, None),
        (START + 100 + 2 * DAY - 1, None),
        (START + 100 + 2 * DAY, Some("window")),
    ];
    for (time, expected) in rows {
        world.suite.at(time);
        assert_eq!(ask(&mut world, op.clone()).as_deref(), expected, "{}", time - START);
    }
}

fn many(n: u8) -> Vec<EvmAddress> {
    (0..n).map(|i| EvmAddress::new([i; 20])).collect()
}

#[test]
fn what_no_user_could_have_signed_is_no_request() {
    let mut world = World::new();
    let rows: [(Row<UserDecrypt>, &str); 12] = [
        (("a shorter key", |op| op.enc_key = op.enc_key[..868].into()), "malformed"),
        (("a longer key", |op| op.enc_key = [op.enc_key.as_slice(), &[0]].concat().into()), "malformed"),
        (("a key without its header", |op| op.enc_key = vec![0; 869].into()), "malformed"),
        (("no app", |op| op.contracts = vec![]), "malformed"),
        (("an app named twice", |op| op.contracts = vec![app(), other_app(), app()]), "malformed"),
        (("seventeen apps", |op| op.contracts = many(17)), "over_limit"),
        (("no day", |op| op.valid_days = 0), "malformed"),
        (("more than a year", |op| op.valid_days = 366), "malformed"),
        (("a window that never ends", |op| op.valid_from = u64::MAX), "malformed"),
        (("no ciphertext", |op| op.ciphertexts = vec![]), "malformed"),
        (("too many ciphertexts", |op| op.ciphertexts = (1..10).map(ciphertext).collect()), "over_limit"),
        (("too much extra data", |op| op.extra_data = vec![0; 1025].into()), "over_limit"),
    ];
    for ((sentence, change), code) in rows {
        let mut op = unproven(&world);
        change(&mut op);
        world.suite.consent(&mut op, crate::suite::evidence::USER);
        let owner = world.suite.owner();
        let refusal = world.suite.submit(&owner, Operation::UserDecrypt(op), 1000).unwrap_err();
        assert_eq!(refusal.code, code, "{sentence}: {}", refusal.text);
    }
    let mut op = UserDecrypt { contracts: many(16), valid_days: 365, ..unproven(&world) };
    world.suite.consent(&mut op, crate::suite::evidence::USER);
    assert_eq!(ask(&mut world, op), None, "the most that is allowed");
}

#[test]
fn a_key_that_does_not_exist_answers_no_user() {
    let mut suite = Suite::new();
    let op = suite.user_decrypt(kms_asc_api::KeyId(9), vec![ciphertext(1)]);
    let refusal = suite.submit(&suite.owner(), Operation::UserDecrypt(op), 1000).unwrap_err();
    assert_eq!(refusal.code, "unknown_key");
}
